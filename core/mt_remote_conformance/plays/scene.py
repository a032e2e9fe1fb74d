"""Where a case plays: sessions of each dialect, the kit's own groups and accounts, all gone when it is over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

from mt_remote.client import Credentials
from mt_remote_conformance.model.accounts import Users
from mt_remote_conformance.model.configuration import Groups, Managers, overlaid
from mt_remote_conformance.model.money import Instrument
from mt_remote_conformance.model.trading import Book
from mt_remote_conformance.sessions.client import Client, Dialect, Json, Transcript, Unplayable
from mt_remote_conformance.sessions.judge import Broken, Judge
from mt_remote_conformance.sessions.sessions import SECRET, Changes, Sessions
from mt_remote_conformance.strategies import MANAGER_RIGHTS
from mt_remote_conformance.targets import Target

T = TypeVar("T")

TRADING: Json = {
    "enable": True, "currency": "USD", "default_leverage": 100, "company": "Conformance", "use_swap": False,
    "timeout_seconds": 30, "rights": ["trailing", "advisor", "expiration"],
    "securities": {
        name: {"show": True, "trade": True, "execution_mode": 1, "lot_min": 0.01, "lot_max": 1000.0, "lot_step": 0.01}
        for name in ("Forex", "Metals")
    },
}  # fmt: skip
"""A group whose accounts can trade, without costs, calls or stop-outs."""

_NOTHING: Any = object()

WATCHED = ("group", "user", "trade", "tick")


class Scene:
    """One case."""

    def __init__(
        self,
        sessions: Sessions,
        draw: Callable[..., Any],
        control: bool,
        pins: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        self.sessions = sessions
        self.target = sessions.target
        self.judge = sessions.judge
        self.control = control
        """Whether the simulator's own functions are there."""
        self._draw = draw
        self._pinned = None if pins is None else {label: iter(values) for label, values in pins.items()}
        self._turns = cycle(range(60))
        self._cleanups: list[Callable[[], None]] = []
        self.groups = Groups(sessions)
        self.users = Users(sessions, self.groups)
        self.book = Book(sessions, self.groups, self.users)
        self._clear_left_overs()

    # Drawing

    def draw(self, strategy: SearchStrategy[T], label: str = "") -> T:
        """A value; in an example the one that it has for ``label``, while there is one."""
        found = next(self._pinned[label], _NOTHING) if self._pinned and label in self._pinned else _NOTHING
        drawn: T = self._draw(strategy, label=label or None) if found is _NOTHING else found
        return drawn

    def actor(self) -> Client:
        """Any of the sessions; in an example each in turn."""
        from hypothesis import strategies as st

        if self._pinned is not None:
            return self.sessions.clients[next(self._turns) % len(self.sessions.clients)]
        return self.draw(st.sampled_from(self.sessions.clients), "who")

    def instrument(self, most: int | None = None) -> Instrument:
        """Any of the first ``most`` symbols, or of all."""
        from hypothesis import strategies as st

        known = self.target.instruments
        return known[self.draw(st.sampled_from(list(known)[:most]), "symbol")]

    # Preparing

    def seat(self, dialects: Sequence[Dialect] = ("0", "1.00", "2"), kinds: Sequence[str] = WATCHED) -> list[Client]:
        """Sessions that are told of everything."""
        return [self.sessions.sit(dialect, kinds) for dialect in dialects]

    def show(self, *instruments: Instrument) -> None:
        """Every session shows the symbols."""
        for client in self.sessions.clients:
            for instrument in instruments:
                self.sessions.succeeds("L-MKT-3", client, "symbol.show", {"symbol": instrument.name})

    def group(self, number: int = 1, **fields: Any) -> str:
        """A group whose accounts can trade."""
        name = self.target.group(number)
        self.groups.add(self.sessions.boss, name, overlaid(TRADING, fields))
        return name

    def account(self, number: int = 0, group: str | None = None, deposit: float = 1_000_000.0, **fields: Any) -> int:
        """An account with money."""
        login = self.target.logins[number]
        more = {"enable": True, "leverage": 100, **fields}
        self.users.add(self.sessions.boss, login, group or self.target.group(), more)
        if deposit:
            self.book.balance(self.sessions.boss, login, "balance", deposit)
        return login

    def second_manager(self, **fields: Any) -> Credentials:
        """Another manager, with an account of the same login, and rights as ``fields`` say (all by default)."""
        login = self.target.logins[60]
        password = f"{SECRET}2"
        boss = self.sessions.boss
        boss.result(
            "user.add", {"login": login, "group": "manager", "name": "Kit", "password": password, "enable": True}
        )
        self.users.hidden.add(login)
        rights = {**dict.fromkeys(MANAGER_RIGHTS, True), "groups": ["*"], **fields}
        boss.result("config.manager.set", {"login": login, **rights})
        self.finally_(lambda: self._forget_manager(login))
        self.quiet_users()
        return Credentials(self.target.credentials.server, login, password)

    def dismiss_manager(self) -> None:
        """The other manager goes, with his account."""
        login = self.target.logins[60]
        self._forget_manager(login)
        self.sessions.boss.result("users.del", {"logins": [login]})
        self.users.hidden.discard(login)
        self.quiet_users()

    def _forget_manager(self, login: int) -> None:
        self.sessions.boss.call("config.manager.del", {"login": login})

    def quiet_users(self) -> None:
        """What was told of accounts up to now is nobody's concern."""
        for client in self.sessions.clients:
            if client.connected:
                client.settle()
            client.take("user")

    def once(self, what: str, *, times: int) -> bool:
        """Whether something that must not be done often may be done: a server counts wrong passwords."""
        if self.target.exclusive and what not in ("a message over the limit", "a call that hangs"):
            return True
        self.judge.rare[what] += 1
        return self.judge.rare[what] <= times

    def fresh(self) -> str:
        """A text that was never used before."""
        return uuid.uuid4().hex

    def managers(self) -> Managers:
        return Managers(self.sessions)

    def finally_(self, cleanup: Callable[[], None]) -> None:
        """Something to put right at the end."""
        self._cleanups.append(cleanup)

    # The simulator's own functions

    def workday(self) -> None:
        """Lets time pass until markets are open for hours to come."""
        now = self.clock()
        while (moment := datetime.fromtimestamp(now, UTC)).weekday() > 3 or not 1 <= moment.hour < 20:
            now = self.advance(3 * 3600)

    def clock(self) -> int:
        """Server time."""
        return int(self.sessions.boss.result("simulator.clock.get")["time"])

    def advance(self, seconds: int) -> int:
        """Lets server time pass."""
        return int(self.sessions.boss.result("simulator.clock.advance", {"seconds": seconds})["time"])

    def trader(self, what: str, **data: Any) -> Json:
        """A trader at his terminal does something; what he hears."""
        heard: Json = self.sessions.boss.result(f"simulator.trader.{what}", data)
        return heard

    # Leaving

    def quiet(self) -> None:
        """Nothing is told that nobody did."""
        self.sessions.examine(Changes())

    def audit(self) -> None:
        """Everything once more, from the lists."""
        client = self.sessions.boss
        self.groups.audit(client)
        self.users.audit(client)
        self.book.audit(client)
        self.quiet()

    def _clear_left_overs(self) -> None:
        boss = self.sessions.boss
        if self.users.left_over:
            boss.result("users.del", {"logins": self.users.left_over})
        for group in self.groups.left_over:
            boss.result("config.group.del", {"group": group})

    def clear(self) -> None:
        """Removes what the case made, as well as it can: a case may have ended anywhere."""
        sessions = self.sessions
        for cleanup in reversed(self._cleanups):
            cleanup()
        boss = sessions.boss
        known = boss.result("users.get.all")
        logins = [u["login"] for u in known if u["login"] in self.target.logins or u["login"] in self.users.known]
        if logins:
            boss.result("users.del", {"logins": logins})
        for record in boss.result("config.groups.get.all"):
            if self.target.owns_group(record["group"]):
                boss.result("config.group.del", {"group": record["group"]})


@contextmanager
def staged(
    target: Target, judge: Judge, transcript: Transcript, draw: Callable[..., Any], *, control: bool,
    pins: Mapping[str, Sequence[Any]] | None = None,
) -> Iterator[Scene]:  # fmt: skip
    """A scene that is left as it was found."""
    transcript.clear()
    with Sessions(target, judge, transcript) as sessions:
        scene = Scene(sessions, draw, control, pins)
        if control:
            scene.workday()
        ended_well = False
        try:
            yield scene
            ended_well = True
        finally:
            _leave(target, scene, ended_well)


def _leave(target: Target, scene: Scene, ended_well: bool) -> None:
    """Clears up over a session of its own, so that what broke the case can't break this, nor be hidden by it."""
    quiet = Judge.silent()
    try:
        with Sessions(target.honest, quiet) as sessions:
            scene.sessions = sessions
            scene.clear()
    except (Unplayable, Broken):
        if ended_well:
            raise
