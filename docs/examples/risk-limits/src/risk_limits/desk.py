"""A gateway's risk desk: its limits, what it let through, what it refused, and who is told."""

from __future__ import annotations

from collections import Counter
from weakref import WeakKeyDictionary

import anyio
from typing_extensions import TypedDict

from mt_remote.errors import ConfigurationError
from mt_remote.plugin import Call, Event, Gateway, RequestError, Session
from mt_remote_plugins.areas import Users
from risk_limits.ledger import Ledger
from risk_limits.limits import Limits
from risk_limits.orders import Refusal

REFUSED = "risk.refused"

LIMITS = ("banned", "max_lots", "max_net_lots", "max_points", "refuse_dealing", "unchecked")
"""What a refusal may be for; `unchecked` is for want of facts."""

MOST_WAITING = 1000
"""Refusals that may wait to be told; further ones are only counted, as untold."""

LOOK_PATIENCE = 1.0
"""Seconds that a subscriber's connection may take to say whether it sees an account."""


class RefusedData(TypedDict):
    """What was refused: the call and its subject, the field and the limit, and the login of the manager who asked.

    What the call did not say and the check did not come to know is 0 or empty; a limit without a number has `null`.
    """

    name: str
    by: int
    login: int
    symbol: str
    order: int
    field: str
    limit: str
    value: float | None
    allowed: float | None
    message: str


class Refusals(TypedDict):
    """How many calls were refused since the gateway started, by limit; `untold`: no event of them was sent."""

    total: int
    limits: dict[str, int]
    untold: int


class Desk:
    """What the plugin keeps of one gateway."""

    def __init__(self, gateway: Gateway, limits: Limits) -> None:
        self.gateway = gateway
        self.limits = limits
        self.ledger = Ledger()
        self.counts: Counter[str] = Counter()
        self.untold = 0
        self._send, self._receive = anyio.create_memory_object_stream[tuple[Session, RefusedData]](MOST_WAITING)

    def refuse(self, session: Session, call: Call, refusal: Refusal, subject: Subject) -> None:
        """Counts a refusal, and has it told."""
        self.counts[refusal.limit] += 1
        data: RefusedData = {
            "name": call.name,
            "by": session.login,
            "login": subject.login,
            "symbol": subject.symbol,
            "order": subject.order,
            "field": refusal.field,
            "limit": refusal.limit,
            "value": refusal.value,
            "allowed": refusal.allowed,
            "message": refusal.message,
        }
        try:
            self._send.send_nowait((session, data))
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.untold += 1

    def refusals(self) -> Refusals:
        """The counts."""
        limits = {name: self.counts[name] for name in LIMITS}
        return {"total": sum(limits.values()), "limits": limits, "untold": self.untold}

    async def tell(self) -> None:
        """Tells subscribers of refusals, in the order in which they came, for as long as the gateway runs."""
        with self._receive:
            async for asker, data in self._receive:
                for session in list(self.gateway.sessions):
                    if REFUSED in session.subscriptions and (session is asker or await sees(session, data["login"])):
                        session.on_event(Event(REFUSED, data))

    def close(self) -> None:
        """Nothing is told any more."""
        self._send.close()


class Subject:
    """Whose order a call is about; filled in as it becomes known."""

    def __init__(self, call: Call) -> None:
        self.login = call.argument("login", int, 0)
        self.symbol = call.argument("symbol", str, "")
        self.order = call.argument("order", int, 0)


async def sees(session: Session, login: int) -> bool:
    """Whether a session's manager may see an account: nobody hears of others, through events neither."""
    if session.connection is None:
        return False
    with anyio.move_on_after(LOOK_PATIENCE):
        try:
            return bool(await session.connection[Users].get([login]))
        except RequestError:  # his connection broke, or he has not the right: no event for him
            return False
    return False


_desks: WeakKeyDictionary[Gateway, Desk] = WeakKeyDictionary()


def start(gateway: Gateway, limits: Limits) -> Desk:
    """Opens a gateway's desk."""
    desk = _desks[gateway] = Desk(gateway, limits)
    return desk


def stop(gateway: Gateway) -> None:
    """Closes a gateway's desk; one that never opened is fine."""
    desk = _desks.pop(gateway, None)
    if desk is not None:
        desk.close()


def desk_of(gateway: Gateway) -> Desk:
    """A gateway's desk. Without one no order may pass."""
    desk = _desks.get(gateway)
    if desk is None:
        raise ConfigurationError("risk-limits was not started with this gateway")
    return desk
