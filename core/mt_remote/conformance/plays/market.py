"""Prices, and what follows from them."""

from __future__ import annotations

from hypothesis import strategies as st

from mt_remote.conformance import strategies as some
from mt_remote.conformance.plays.orders import desk
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.targets import Profile


@suite(Profile.FULL, exclusive=True, weight=1.5)
def ticks(scene: Scene) -> None:
    """Prices are thrown in while sessions show and hide symbols."""
    scene.seat(kinds=["tick"])
    watching = scene.table.clients[1:]
    instruments = list(scene.target.instruments.values())[:3]
    for _ in range(scene.draw(st.integers(1, 10), "steps")):
        instrument = scene.draw(st.sampled_from(instruments), "symbol")
        step = scene.draw(st.sampled_from(["tick", "tick", "show", "hide", "unknown"]), "step")
        client = scene.draw(st.sampled_from(watching), "who")
        if step == "tick":
            scene.book.quiet_tick(scene.actor(), instrument, *scene.draw(some.quotes(instrument), "quote"))
        elif step in ("show", "hide"):
            law = "L-MKT-3"
            if step == "hide" and instrument.name not in client.shown:
                continue
            scene.table.succeeds(law, client, f"symbol.{step}", {"symbol": instrument.name})
            scene.quiet()
        else:
            for name, more in (("symbol.show", {}), ("ticks.get", {}), ("tick.add", {"bid": 1.0, "ask": 1.1})):
                scene.table.fails("L-MKT-4", client, name, {"symbol": "NOPE", **more}, codes=("not_found",))
            scene.quiet()


@suite(Profile.FULL, exclusive=True, weight=1.5)
def floating_profit(scene: Scene) -> None:
    """Open positions follow the price."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    logins = desk(scene, instrument)
    scene.show(instrument)
    scene.book.quiet_tick(scene.table.boss, instrument, *scene.draw(some.quotes(instrument), "quote"))
    for _ in range(scene.draw(st.integers(1, 3), "orders")):
        order = scene.draw(some.orders(instrument, pendings=False).map(lambda o: {**o, "sl": 0.0, "tp": 0.0}), "order")
        scene.book.open(scene.actor(), logins[0], order)
        for quote in scene.draw(st.lists(some.quotes(instrument), min_size=1, max_size=3), "quotes"):
            scene.book.quiet_tick(scene.actor(), instrument, *quote)
            scene.book.audit(scene.actor())
    scene.audit()
