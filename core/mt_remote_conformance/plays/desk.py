"""A whole desk at once: several sessions, everything that managers do, in any order, against the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import EURUSD
from mt_remote_conformance.model.trading import Order
from mt_remote_conformance.plays.scene import WATCHED, Scene
from mt_remote_conformance.plays.triggers import tick
from mt_remote_conformance.sessions.client import Json
from mt_remote_conformance.sessions.judge import Broken

Stage = Callable[[Callable[..., Any]], AbstractContextManager[Scene] | None]
"""Opens a scene; ``None`` once there is no time left."""

_HARMLESS = ("company", "signature", "copies", "support_page", "reports", "news", "archive_period", "news_languages")


class DeskMachine(RuleBasedStateMachine):
    """Rules are what sessions do; each examines what it changed and what everybody was told of it."""

    orders: Bundle[Order] = Bundle("orders")

    def __init__(self, stage: Stage, guard: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._guard = guard
        self._open = ExitStack()
        self._data: Any = None
        self.scene: Scene | None = None
        staged = stage(self._draw)
        if staged is not None:
            self._guard(lambda: self._prepare(staged))

    def _draw(self, strategy: Any, label: str | None = None) -> Any:
        return self._data.draw(strategy, label=label)

    def _prepare(self, staged: AbstractContextManager[Scene]) -> None:
        scene = self.scene = self._open.enter_context(staged)
        scene.seat()
        scene.group(securities={"Forex": {"commission_base": 3.0, "spread_diff": 2}})
        self.logins = [scene.account(0, deposit=1e8), scene.account(1, deposit=1e8)]
        if scene.target.exclusive:
            scene.show(EURUSD)

    def _play(self, data: Any, step: Callable[[Scene], None]) -> None:
        if self.scene is None:
            return
        self._data = data
        scene = self.scene
        self._guard(lambda: self._step(scene, step))

    def _step(self, scene: Scene, step: Callable[[Scene], None]) -> None:
        try:
            step(scene)
        except Broken:
            scene.sessions.drain()
            raise

    def teardown(self) -> None:
        scene = self.scene
        try:
            if scene is not None:
                self._guard(scene.audit)
        finally:
            self._open.close()

    @property
    def pulled_out(self) -> bool:
        """Whether there is nothing to play at."""
        return self.scene is None

    # Orders

    @initialize(target=orders, data=st.data(), order=some.orders(pendings=False))
    def first_order(self, data: Any, order: Json) -> Any:
        return self._opened(data, 0, order)

    @rule(target=orders, data=st.data(), account=st.sampled_from([0, 1]), order=some.orders())
    def open(self, data: Any, account: int, order: Json) -> Any:
        return self._opened(data, account, order)

    def _opened(self, data: Any, account: int, order: Json) -> Any:
        made: list[Order] = []
        self._play(data, lambda scene: made.append(scene.book.open(scene.actor(), self.logins[account], order)))
        return made[0] if made else None

    @rule(data=st.data(), order=orders, part=st.integers(1, 100), price=some.prices())
    def close(self, data: Any, order: Order | None, part: int, price: float) -> None:
        def step(scene: Scene) -> None:
            if order is None or order.pending:
                return
            if not order.open:
                wrong = {"order": order.ticket, "volume": 0.01, "price": price}
                scene.book.refused(scene.actor(), "order.close", wrong)
                return
            hundredths = int(order.volume * 100)
            scene.book.close(scene.actor(), order, max(hundredths * part // 100, 1) / 100, price)

        self._play(data, step)

    @rule(data=st.data(), order=orders, other=orders)
    def close_by(self, data: Any, order: Order | None, other: Order | None) -> None:
        def step(scene: Scene) -> None:
            if order is None or other is None or order.login != other.login:
                return
            fits = order.open and other.open and not order.pending and not other.pending
            if fits and order.side * other.side < 0:
                scene.book.close_by(scene.actor(), order, other)
            else:
                data = {"order": order.ticket, "order_by": other.ticket}
                scene.book.refused(scene.actor(), "order.close_by", data)

        self._play(data, step)

    @rule(data=st.data(), account=st.sampled_from([0, 1]))
    def close_all(self, data: Any, account: int) -> None:
        self._play(data, lambda scene: scene.book.close_all(scene.actor(), self.logins[account], "EURUSD"))

    @rule(data=st.data(), order=orders, comment=some.texts(31))
    def modify(self, data: Any, order: Order | None, comment: str) -> None:
        def step(scene: Scene) -> None:
            if order is None or not order.open:
                return
            scene.book.modify(scene.actor(), order, {"comment": comment})

        self._play(data, step)

    @rule(data=st.data(), order=orders, activate=st.booleans(), price=some.prices())
    def end_pending(self, data: Any, order: Order | None, activate: bool, price: float) -> None:
        def step(scene: Scene) -> None:
            if order is None or not order.open or not order.pending:
                return
            if activate:
                scene.book.activate(scene.actor(), order, price)
            else:
                scene.book.cancel(scene.actor(), order)

        self._play(data, step)

    @rule(data=st.data(), account=st.sampled_from([0, 1]), amount=some.amounts.filter(bool))
    def balance(self, data: Any, account: int, amount: float) -> None:
        login = self.logins[account] if not self.pulled_out else 0
        self._play(data, lambda scene: _ignored(scene.book.balance(scene.actor(), login, "balance", abs(amount))))

    # What is around them

    @rule(data=st.data(), fields=st.fixed_dictionaries({}, optional={n: some.GROUP_FIELDS[n] for n in _HARMLESS}))
    def change_group(self, data: Any, fields: Json) -> None:
        self._play(data, lambda scene: _ignored(scene.groups.set(scene.actor(), scene.target.group(), fields)))

    @rule(data=st.data(), account=st.sampled_from([0, 1]), city=some.texts(20), name=some.texts(20, least=1))
    def change_user(self, data: Any, account: int, city: str, name: str) -> None:
        login = self.logins[account] if not self.pulled_out else 0
        self._play(data, lambda scene: scene.users.set(scene.actor(), login, {"city": city, "name": name}))

    @precondition(lambda self: self.pulled_out or self.scene.target.exclusive)
    @rule(data=st.data(), quote=some.quotes())
    def tick(self, data: Any, quote: tuple[float, float]) -> None:
        self._play(data, lambda scene: tick(scene, scene.actor(), EURUSD, *quote))

    # Sessions

    @rule(data=st.data(), kind=st.sampled_from(WATCHED))
    def subscribe(self, data: Any, kind: str) -> None:
        def step(scene: Scene) -> None:
            client = scene.actor()
            if client is scene.sessions.boss:
                return
            if kind in client.subscribed:
                scene.sessions.succeeds("L-SES-5", client, "unsubscribe", {"event": kind})
            else:
                scene.sessions.succeeds("L-SES-5", client, "subscribe", {"event": kind})

        self._play(data, step)

    @rule(data=st.data(), dialect=st.sampled_from(["0", "1.00", "2"]))
    def newcomer(self, data: Any, dialect: Any) -> None:
        def step(scene: Scene) -> None:
            while len(scene.sessions.clients) > 4:
                scene.sessions.leave(scene.sessions.clients[1])
            client = scene.sessions.sit(dialect, WATCHED)
            if scene.target.exclusive:
                scene.sessions.succeeds("L-MKT-3", client, "symbol.show", {"symbol": "EURUSD"})

        self._play(data, step)

    @rule(data=st.data())
    def audit(self, data: Any) -> None:
        self._play(data, lambda scene: scene.book.audit(scene.actor()))


def _ignored(_: object) -> None:
    """What a step gives is of no concern here."""
