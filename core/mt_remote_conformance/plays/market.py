"""Prices, and what follows from them."""

from __future__ import annotations

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.plays.orders import desk
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.targets import Profile

_TICKS: list[Pins] = [
    {"steps": [13], "who": [0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0], "symbol": ["EURUSD"] * 9 + ["GBPUSD"] * 4,
     "step": ["unsubscribe", "show", "subscribe", "tick", "show", "tick", "hide", "tick", "unknown", "show", "show",
              "show", "tick"],
     "quote": [(1.08, 1.0801), (1.0802, 1.0803), (1.0801, 1.0801), (1.2, 1.21)]},
]  # fmt: skip


_STEPS = ["tick", "tick", "show", "hide", "subscribe", "unsubscribe", "unknown"]


@suite(Profile.FULL, exclusive=True, weight=1.5, examples=_TICKS)
def ticks(scene: Scene) -> None:
    """Prices are thrown in while sessions show and hide symbols, and subscribe and unsubscribe."""
    watching = scene.seat(kinds=["tick"])
    for _ in range(scene.draw(st.integers(1, 10), "steps")):
        instrument = scene.instrument(3)
        step = scene.draw(st.sampled_from(_STEPS), "step")
        client = watching[scene.draw(st.integers(0, 2), "who") % 3]
        if step == "tick":
            scene.book.quiet_tick(scene.actor(), instrument, *scene.draw(some.quotes(instrument), "quote"))
        elif step in ("subscribe", "unsubscribe"):
            if (step == "subscribe") != ("tick" in client.subscribed):
                scene.sessions.succeeds("L-SES-5", client, step, {"event": "tick"})
        elif step in ("show", "hide"):
            law = "L-MKT-3"
            if step == "hide" and instrument.name not in client.shown:
                continue
            scene.sessions.succeeds(law, client, f"symbol.{step}", {"symbol": instrument.name})
            scene.quiet()
        else:
            for name, more in (("symbol.show", {}), ("ticks.get", {}), ("tick.add", {"bid": 1.0, "ask": 1.1})):
                scene.sessions.fails("L-MKT-4", client, name, {"symbol": "NOPE", **more}, codes=("not_found",))
            scene.quiet()


@suite(Profile.FULL, exclusive=True, weight=1.5, examples=[
    {"symbol": [symbol], "spread": [10], "orders": [2]} for symbol in ("EURUSD", "USDJPY", "XAUUSD")
])  # fmt: skip
def floating_profit(scene: Scene) -> None:
    """Open positions follow the price."""
    instrument = scene.instrument()
    logins = desk(scene, instrument)
    scene.show(instrument)
    scene.book.quiet_tick(scene.sessions.boss, instrument, *scene.draw(some.quotes(instrument), "quote"))
    for _ in range(scene.draw(st.integers(1, 3), "orders")):
        order = scene.draw(some.orders(instrument, pendings=False).map(lambda o: {**o, "sl": 0.0, "tp": 0.0}), "order")
        scene.book.open(scene.actor(), logins[0], order)
        for quote in scene.draw(st.lists(some.quotes(instrument), min_size=1, max_size=3), "quotes"):
            scene.book.quiet_tick(scene.actor(), instrument, *quote)
            scene.book.audit(scene.actor())
    scene.audit()
