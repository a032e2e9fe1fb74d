"""Symbols: what is traded, and on which terms.

Inside the simulator a price is an ``int`` in points (price · 10^digits) and a volume an ``int`` in 1/100 lot;
:meth:`Symbol.to_points` and :meth:`Symbol.to_price` are the edge between points and the prices that people see.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from mt_remote.errors import NotFound

DAY_MINUTES = 24 * 60
WEEK_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""Names of the days in the order of ``ConSymbol.sessions``: 0 is Sunday (Semantics 11.1)."""

_POWERS = tuple(10**digits for digits in range(16))


class TradeMode(IntEnum):
    """What may be done with a symbol (``ConSymbol.trade``)."""

    NO = 0
    CLOSE = 1
    FULL = 2


class Execution(IntEnum):
    """How requests are executed (``ConSymbol.exemode``, Semantics 6.3)."""

    REQUEST = 0
    INSTANT = 1
    MARKET = 2


class ProfitMode(IntEnum):
    """How profit is calculated (Semantics 3.1)."""

    FOREX = 0
    CFD = 1
    FUTURES = 2


class MarginMode(IntEnum):
    """How margin is calculated (Semantics 2)."""

    FOREX = 0
    CFD = 1
    FUTURES = 2
    CFD_INDEX = 3
    CFD_LEVERAGE = 4
    CFDINDEX = 3  # the library's spelling of the same
    CFDLEVERAGE = 4


class SwapType(IntEnum):
    """What ``swap_long`` and ``swap_short`` are counted in (Semantics 4.3)."""

    POINTS = 0
    DOLLARS = 1
    INTEREST = 2
    MARGIN_CURRENCY = 3


class GtcMode(IntEnum):
    """What the end of a day does to pendings and stops (``ConSymbol.gtc_pendings``, Semantics 6.6)."""

    DAILY = 0
    GTC = 1
    DAILY_NO_STOPS = 2


Window = tuple[int, int]
"""Open and close in minutes of the server's day, the open included, the close not. (0, 1440) is the whole day."""


@dataclass(frozen=True, slots=True)
class DaySessions:
    """One weekday's windows: at most three for quotes, at most three for trading."""

    quote: tuple[Window, ...] = ()
    trade: tuple[Window, ...] = ()


ALWAYS = (DaySessions(quote=((0, DAY_MINUTES),), trade=((0, DAY_MINUTES),)),) * 7
"""Open round the clock on every day."""


@dataclass(slots=True, kw_only=True)
class Symbol:
    """The terms of one symbol (natively ``ConSymbol``).

    ``security`` names the security group. ``currency`` is the base currency; ``profit_currency`` may stay empty, see
    :attr:`quote`. Levels, spreads and filters are in points, money figures as the field's line says.
    """

    name: str
    description: str = ""
    security: str = "Forex"
    source: str = ""
    currency: str = ""
    profit_currency: str = ""
    margin_currency: str = ""
    digits: int = 5
    trade: TradeMode = TradeMode.FULL
    background_color: int = 0
    realtime: bool = True
    starting: int = 0  # Unix seconds in the server's zone, 0: always was
    expiration: int = 0  # Unix seconds in the server's zone, 0: never
    sessions: tuple[DaySessions, ...] = ALWAYS  # 0 is Sunday
    profit_mode: ProfitMode = ProfitMode.FOREX
    filter: int = 0  # points, 0: off
    filter_counter: int = 0  # ticks
    filter_limit: float = 0.0  # percent of the last price, 0: no limit
    filter_smoothing: int = 0  # ticks, 0: off
    logging: bool = False
    spread: int = 0  # points, 0: floating
    spread_balance: int = 0  # points added to the feed's bid when the spread is fixed
    execution: Execution = Execution.INSTANT
    swap_enable: bool = True
    swap_type: SwapType = SwapType.POINTS
    swap_long: float = 0.0
    swap_short: float = 0.0
    swap_rollover3days: int = 2  # 0 is Monday
    swap_openprice: bool = False
    swap_variation_margin: bool = False
    contract_size: float = 100_000.0
    tick_value: float = 0.0  # quote currency
    tick_size: float = 0.0  # price; 0: one point
    stops_level: int = 0  # points
    freeze_level: int = 0  # points
    gtc_pendings: GtcMode = GtcMode.GTC
    margin_mode: MarginMode = MarginMode.FOREX
    margin_initial: float = 0.0
    margin_maintenance: float = 0.0
    margin_hedged: float = 0.0
    margin_divider: float = 1.0
    margin_hedged_strong: bool = False
    long_only: bool = False
    instant_max_volume: int = 0  # 1/100 lot, 0: no limit
    quotes_delay: int = 0  # seconds after a session's opening
    value_date: int = 0  # Unix seconds
    multiply: int = field(init=False, repr=False)  # 10^digits
    point: float = field(init=False, repr=False)  # 10^-digits

    def __post_init__(self) -> None:
        if not 0 <= self.digits < len(_POWERS):
            raise ValueError(f"{self.name}: digits must be 0 to {len(_POWERS) - 1}, not {self.digits}")
        self.multiply = _POWERS[self.digits]
        self.point = 1.0 / self.multiply

    @property
    def quote(self) -> str:
        """The currency in which raw profit arises: ``profit_currency`` if stated, for forex the name's second three
        letters, else the symbol's own currency (Semantics 3)."""
        if self.profit_currency:
            return self.profit_currency
        return self.name[3:6] if self.profit_mode is ProfitMode.FOREX else self.currency

    @property
    def margin_in(self) -> str:
        """The currency in which margin arises: ``margin_currency``, or the base currency when that is not stated."""
        return self.margin_currency or self.currency

    @property
    def grid(self) -> int:
        """Points between two prices that a client may name: ``tick_size``, or one point (Semantics 1.3)."""
        return max(1, self.to_points(self.tick_size)) if self.tick_size > 0 else 1

    def to_points(self, price: float) -> int:
        """The price in points, half away from zero (Semantics 1.3)."""
        scaled = price * self.multiply
        # Binary error is corrected first: 1.000005 · 10^5 is 100000.49999999999.
        corrected = round(scaled, 6)
        return int(corrected + 0.5) if corrected >= 0 else -int(0.5 - corrected)

    def to_price(self, points: int) -> float:
        """The price of so many points: the double nearest to the decimal."""
        return points / self.multiply

    def on_grid(self, price: float) -> bool:
        """Whether a client may name this price: no digits beyond the symbol's, a multiple of the tick size."""
        points = self.to_points(price)
        return abs(price * self.multiply - points) < 1e-4 and points % self.grid == 0

    def state(self) -> dict[str, Any]:
        """Every field as plain JSON values, enums by their name."""
        fields: dict[str, Any] = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.init}
        fields = {name: value.name if isinstance(value, IntEnum) else value for name, value in fields.items()}
        return {
            **fields,
            "sessions": [[list(map(list, day.quote)), list(map(list, day.trade))] for day in self.sessions],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Symbol:
        """The symbol of which :meth:`state` gave this."""
        fields: dict[str, Any] = {
            name: _ENUMS[name][value] if name in _ENUMS else value for name, value in state.items()
        }
        week = ((_windows(quote), _windows(trade)) for quote, trade in state["sessions"])
        fields["sessions"] = tuple(DaySessions(quote=quote, trade=trade) for quote, trade in week)
        return cls(**fields)

    def changed(self, **fields: object) -> Symbol:
        """A copy with other values in the named fields."""
        return dataclasses.replace(self, **fields)  # type: ignore[arg-type]


def symbol_named(symbols: Mapping[str, Symbol], name: str) -> Symbol:
    """A symbol of a server's. Raises :class:`~mt_remote.errors.NotFound`."""
    symbol = symbols.get(name)
    if symbol is None:
        raise NotFound(f"Cannot find symbol '{name}'")
    return symbol


def _windows(pairs: Iterable[Iterable[int]]) -> tuple[Window, ...]:
    return tuple((opens, closes) for opens, closes in pairs)


_ENUMS: Mapping[str, type[IntEnum]] = {
    "trade": TradeMode,
    "profit_mode": ProfitMode,
    "execution": Execution,
    "swap_type": SwapType,
    "gtc_pendings": GtcMode,
    "margin_mode": MarginMode,
}
