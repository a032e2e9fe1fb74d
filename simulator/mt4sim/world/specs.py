"""What a world file may say, table by table. Fields and units are those of :class:`~mt4sim.market.symbols.Symbol`
for symbols and of the protocol's records for the server, groups, managers and users; see docs/worlds.md for the
reference.

Times are in the server's zone. Every model refuses fields that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from mt4sim.market.feeds.specs import CurrencyCode, FeedTerms, NotNegative, Points, Positive, Spec
from mt4sim.market.sessions import Holiday
from mt4sim.market.symbols import (
    DAY_MINUTES,
    WEEK_DAYS,
    DaySessions,
    Execution,
    GtcMode,
    MarginMode,
    ProfitMode,
    SwapType,
    Symbol,
    TradeMode,
    Window,
)
from mt_remote.records import ConCommon, ConGroup, ConManager, Patch, UserRecord
from mt_remote.records.accept import partial_hint

if TYPE_CHECKING:
    CommonFields = dict[str, Any]
    GroupFields = dict[str, Any]
    ManagerFields = dict[str, Any]
    UserFields = dict[str, Any]
else:
    CommonFields = partial_hint(ConCommon, "patch")
    GroupFields = partial_hint(ConGroup, "patch")
    ManagerFields = partial_hint(ConManager, "patch")
    UserFields = partial_hint(UserRecord, "draft")

_Choice = TypeVar("_Choice", bound=IntEnum)
MOST_SECURITIES = 32
"""Every group carries this many slots (Semantics 8.8)."""


def refuse(problem: str) -> PydanticCustomError:
    """The error of a value that a validator turns down."""
    return PydanticCustomError("value", "{problem}", {"problem": problem})


def _by_name(kind: type[_Choice]) -> Callable[[object], _Choice]:
    names = {choice.name.lower(): choice for choice in kind}

    def read(value: object) -> _Choice:
        if isinstance(value, kind):
            return value
        if not isinstance(value, str) or value not in names:
            raise refuse(f"must be one of {', '.join(names)}")
        return names[value]

    return read


def _name(choice: IntEnum) -> str:
    return choice.name.lower()


_SHOWN = PlainSerializer(_name, return_type=str)
TradeName = Annotated[TradeMode, PlainValidator(_by_name(TradeMode)), _SHOWN]
ExecutionName = Annotated[Execution, PlainValidator(_by_name(Execution)), _SHOWN]
ProfitName = Annotated[ProfitMode, PlainValidator(_by_name(ProfitMode)), _SHOWN]
MarginName = Annotated[MarginMode, PlainValidator(_by_name(MarginMode)), _SHOWN]
SwapName = Annotated[SwapType, PlainValidator(_by_name(SwapType)), _SHOWN]
GtcName = Annotated[GtcMode, PlainValidator(_by_name(GtcMode)), _SHOWN]

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def read_windows(value: object) -> tuple[Window, ...]:
    """``"0:00-24:00"`` or ``"9:00-12:00, 13:00-17:30"``, at most three windows, empty text for none."""
    if not isinstance(value, str):
        raise refuse('must be text such as "9:00-12:00, 13:00-17:30"')
    windows: list[Window] = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise refuse(f"{part!r} is not a window such as 9:00-17:30")
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if int(match[2]) > 59 or int(match[4]) > 59 or not opens < closes <= DAY_MINUTES:
            raise refuse(f"{part!r} must open before it closes, both from 0:00 to 24:00 of one day")
        if windows and opens < windows[-1][1]:
            raise refuse(f"{part!r} must come after the window before it")
        windows.append((opens, closes))
    if len(windows) > 3:
        raise refuse(f"at most 3 windows a day, got {len(windows)}")
    return tuple(windows)


def write_windows(windows: tuple[Window, ...]) -> str:
    """What :func:`read_windows` reads."""
    return ", ".join(f"{opens // 60}:{opens % 60:02}-{closes // 60}:{closes % 60:02}" for opens, closes in windows)


def read_moment(value: object) -> int:
    """A date and time without a zone, in ISO form, as Unix seconds in the server's zone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(cast(str, value))
    except (TypeError, ValueError):
        raise refuse("must be a date and time such as 2020-05-14T12:00:00") from None
    if moment.tzinfo is not None:
        raise refuse("must be in the server's own zone: leave the offset out")
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    if not 0 <= seconds < 2**31:
        raise refuse("must lie between 1970 and 2038")
    return seconds


def write_moment(seconds: int) -> str:
    """What :func:`read_moment` reads."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


Windows = Annotated[tuple[Window, ...], PlainValidator(read_windows), PlainSerializer(write_windows, return_type=str)]
Moment = Annotated[int, PlainValidator(read_moment), PlainSerializer(write_moment, return_type=str)]


def check_start(seconds: int) -> int:
    """Refuses a start at which a time of 0 would not stand for none."""
    if seconds < 86_400:
        raise refuse("must not lie on the first day of 1970")
    return seconds


Start = Annotated[Moment, AfterValidator(check_start)]
Number = Annotated[float, Field(allow_inf_nan=False)]
SymbolName = Annotated[str, Field(min_length=1, max_length=11)]
SecurityName = Annotated[str, Field(min_length=1, max_length=15)]


class DayTable(Spec):
    """Windows by weekday. ``weekdays`` means Monday to Friday, ``daily`` all seven; a day's own line wins."""

    daily: Windows | None = None
    weekdays: Windows | None = None
    sunday: Windows | None = None
    monday: Windows | None = None
    tuesday: Windows | None = None
    wednesday: Windows | None = None
    thursday: Windows | None = None
    friday: Windows | None = None
    saturday: Windows | None = None

    def of(self, day: int) -> tuple[Window, ...]:
        """The windows of a day, 0 for Sunday."""
        own = cast("tuple[Window, ...] | None", getattr(self, WEEK_DAYS[day]))
        general = self.weekdays if 1 <= day <= 5 else None
        return next((windows for windows in (own, general, self.daily) if windows is not None), ())


class SessionSpec(Spec):
    """A week of sessions. Trading follows the quotes unless stated."""

    quote: DayTable
    trade: DayTable | None = None

    def build(self) -> tuple[DaySessions, ...]:
        trade = self.trade or self.quote
        return tuple(DaySessions(quote=self.quote.of(day), trade=trade.of(day)) for day in range(7))


class SymbolFields(Spec):
    """Fields of a symbol that a security may state for all of its symbols."""

    source: Annotated[str, Field(max_length=11)] | None = None
    currency: CurrencyCode | None = None
    profit_currency: CurrencyCode | None = None
    margin_currency: CurrencyCode | None = None
    digits: Annotated[int, Field(ge=0, le=8)] | None = None
    trade: TradeName | None = None
    background_color: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    realtime: bool | None = None
    starting: Moment | None = None
    expiration: Moment | None = None
    sessions: str | None = None
    profit_mode: ProfitName | None = None
    filter: Points | None = None
    filter_counter: Points | None = None
    filter_limit: NotNegative | None = None
    filter_smoothing: Annotated[int, Field(ge=0, le=1000)] | None = None
    logging: bool | None = None
    spread: Points | None = None
    spread_balance: Annotated[int, Field(gt=-(2**31), lt=2**31)] | None = None
    execution: ExecutionName | None = None
    swap_enable: bool | None = None
    swap_type: SwapName | None = None
    swap_long: Number | None = None
    swap_short: Number | None = None
    swap_rollover3days: Annotated[int, Field(ge=0, le=6)] | None = None
    swap_openprice: bool | None = None
    swap_variation_margin: bool | None = None
    contract_size: Positive | None = None
    tick_value: NotNegative | None = None
    tick_size: NotNegative | None = None
    stops_level: Points | None = None
    freeze_level: Points | None = None
    gtc_pendings: GtcName | None = None
    margin_mode: MarginName | None = None
    margin_initial: NotNegative | None = None
    margin_maintenance: NotNegative | None = None
    margin_hedged: NotNegative | None = None
    margin_divider: Positive | None = None
    margin_hedged_strong: bool | None = None
    long_only: bool | None = None
    instant_max_volume: Points | None = None
    quotes_delay: Annotated[int, Field(ge=0, le=86400)] | None = None
    value_date: Moment | None = None
    feed: FeedTerms | None = None


class SecuritySpec(Spec):
    """A security: symbols that a group trades alike. ``symbols`` holds what its symbols have in common."""

    description: Annotated[str, Field(max_length=63)] = ""
    symbols: SymbolFields = SymbolFields()


class SymbolSpec(SymbolFields):
    """One symbol; what it does not state its security does, and else the default of
    :class:`~mt4sim.market.symbols.Symbol`."""

    security: SecurityName
    description: Annotated[str, Field(max_length=63)] = ""
    bid: Positive | None = None
    ask: Positive | None = None

    def combined(self, security: SecuritySpec) -> dict[str, Any]:
        """All that is stated, the symbol's own lines before its security's."""
        return {**security.symbols.stated(), **self.stated()}

    def build(self, name: str, security: SecuritySpec, sessions: Mapping[str, SessionSpec]) -> Symbol:
        fields = self.combined(security)
        for used_elsewhere in ("bid", "ask", "feed"):
            fields.pop(used_elsewhere, None)
        if "sessions" in fields:
            fields["sessions"] = sessions[fields["sessions"]].build()
        if fields.get("profit_mode", ProfitMode.FOREX) is ProfitMode.FOREX:
            fields.setdefault("currency", name[:3])
        fields.setdefault("margin_currency", fields.get("currency", ""))
        return Symbol(name=name, **fields)

    def terms(self, security: SecuritySpec) -> FeedTerms:
        """How the random feed moves it."""
        return cast(FeedTerms, self.combined(security).get("feed", FeedTerms()))


class ServerSpec(Spec):
    """The server itself: what clients can only read, and in ``record`` the rest as ``config.common.set`` has it."""

    owner: Annotated[str, Field(max_length=127)] = ""
    adapters: Annotated[str, Field(max_length=255)] = ""
    server_version: Annotated[int, Field(ge=0, lt=2**15)] = 400
    server_build: Annotated[int, Field(ge=0, lt=2**15)] = 1220
    last_order: Points = 0
    last_login: Points = 0
    lost_commission_login: Points = 0
    record: CommonFields = Field(default_factory=dict)

    def build(self) -> ConCommon:
        own = {name: getattr(self, name) for name in type(self).model_fields if name != "record"}
        return Patch(ConCommon, self.record).applied_to(ConCommon(**own))


class HistorySpec(Spec):
    """How much of the prices is kept, by symbol."""

    ticks: Annotated[int, Field(ge=1, le=10_000_000)] = 4096
    bars: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000  # of each period


class GroupSpec(Spec):
    """A group. ``like`` names another whose fields count where this one states none; ``record`` holds fields as
    ``config.group.set`` has them, the security ``*`` standing for all."""

    like: str | None = None
    record: GroupFields


class ManagerSpec(Spec):
    """A manager account: its password (empty: that of the user of the same login) and its rights.

    ``all_rights`` grants every right; ``record`` holds fields as ``config.manager.set`` has them.
    """

    password: Annotated[str, Field(max_length=15)] = Field("", repr=False)
    all_rights: bool = False
    record: ManagerFields


class UserSpec(Spec):
    """An account with its opening balance and credit, both booked as records of the world's start."""

    deposit: NotNegative = 0.0
    credit: NotNegative = 0.0
    credit_expiration: Moment = 0
    record: UserFields = Field(repr=False)


def read_date(value: str) -> tuple[int, int, int]:
    """Year, month, day of ``2020-12-25``, or of ``12-25`` for every year (year 0)."""
    yearly = len(value) == 5
    moment = date.fromisoformat(f"2000-{value}" if yearly else value)
    return (0 if yearly else moment.year), moment.month, moment.day


def check_date(value: str) -> str:
    """Refuses what :func:`read_date` can't read."""
    try:
        read_date(value)
    except ValueError:
        raise refuse("must be a date such as 2020-12-25, or 12-25 for every year") from None
    return value


def check_single(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Refuses more than the one window that a holiday has."""
    if len(windows) > 1:
        raise refuse(f"a holiday has one window at most, got {len(windows)}")
    return windows


HolidayDate = Annotated[str, AfterValidator(check_date)]


class HolidaySpec(Spec):
    """A day of other hours: ``work`` is the window in which work goes on, empty for none."""

    date: HolidayDate
    work: Annotated[Windows, AfterValidator(check_single)] = ()
    symbol: Annotated[str, Field(min_length=1, max_length=31)] = "All"
    description: Annotated[str, Field(max_length=127)] = ""
    enable: bool = True

    def build(self) -> Holiday:
        year, month, day = read_date(self.date)
        start, end = self.work[0] if self.work else (0, 0)
        return Holiday(
            month=month,
            day=day,
            year=year,
            start=start,
            end=end,
            symbol=self.symbol,
            description=self.description,
            enable=self.enable,
        )
