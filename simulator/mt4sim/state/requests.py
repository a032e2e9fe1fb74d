"""Clients' requests: what a terminal sends, what it hears, and the dealers between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mt4sim.clock import Timer
from mt4sim.market.symbols import Symbol
from mt_remote.errors import ReturnCode
from mt_remote.records import RequestStatus, TradeCommand, TransactionFlag, TransactionType

INSTANT = (TransactionType.ORDER_IE_OPEN, TransactionType.ORDER_IE_CLOSE)
AT_MARKET = (TransactionType.ORDER_MK_OPEN, TransactionType.ORDER_MK_CLOSE)
ON_REQUEST = (TransactionType.ORDER_REQ_OPEN, TransactionType.ORDER_REQ_CLOSE)
DEALS = (*INSTANT, *AT_MARKET, *ON_REQUEST)
OPENS = (TransactionType.ORDER_IE_OPEN, TransactionType.ORDER_REQ_OPEN, TransactionType.ORDER_MK_OPEN)
CLOSES = (TransactionType.ORDER_IE_CLOSE, TransactionType.ORDER_REQ_CLOSE, TransactionType.ORDER_MK_CLOSE)
PENDING = TransactionType.ORDER_PENDING_OPEN
CLOSE_BYS = (TransactionType.ORDER_CLOSE_BY, TransactionType.ORDER_CLOSE_ALL)

ENDED = (RequestStatus.ANSWERED, RequestStatus.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """What a terminal sends (natively ``TradeTransInfo``)."""

    login: int
    type: TransactionType
    cmd: TradeCommand
    symbol: str
    volume: int  # 1/100 lot
    price: int  # points
    order: int = 0  # ticket of the order that it is about
    order_by: int = 0  # ticket of the position that is closed against it
    sl: int = 0  # points, 0: none
    tp: int = 0  # points, 0: none
    ie_deviation: int = 0  # points that the market may have moved, in instant execution
    comment: str = ""
    expiration: int = 0  # Unix seconds in the server's zone, 0: never
    flags: TransactionFlag = TransactionFlag.NONE
    off_grid: bool = False  # the price that the client named has more digits than the symbol

    def at_price(self, price: int) -> ClientRequest:
        """The same at another price (points)."""
        return replace(self, price=price, off_grid=False)


@dataclass(slots=True)
class Answer:
    """What a client hears: a result code, the order's ticket when one came of it, and prices (bid, ask in points) with
    a requote or a quote."""

    code: ReturnCode
    order: int = 0
    prices: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)
class DealRequest:
    """One request of a client on its way. ``answers`` are all that the client heard of it so far, the last one
    final."""

    id: int
    request: ClientRequest
    symbol: Symbol
    group: str
    time: int  # Unix seconds in the server's zone
    status: RequestStatus = RequestStatus.REQUEST
    manager: int = 0  # login of the dealer who holds it, 0: nobody
    dealer: Dealer | None = None
    passed_by: list[Dealer] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    timer: Timer | None = None

    @property
    def ended(self) -> bool:
        """Nothing more will come of it."""
        return self.status in ENDED

    @property
    def answer(self) -> Answer | None:
        """The final answer, ``None`` until there is one."""
        return self.answers[-1] if self.ended and self.answers else None


@dataclass(slots=True, eq=False)
class Dealer:
    """A manager who deals. ``offer`` is told of each request that is locked to him."""

    login: int
    offer: Callable[[DealRequest], None]
    held: dict[int, DealRequest] = field(default_factory=dict)  # by the request's id
    served: int = 0  # number of the event with which he was last given one
