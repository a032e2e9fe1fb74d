"""Configuration records: common settings, groups, managers, symbols, holidays (protocol, chapter 5).

Fields of the older records are as the protocol has had them. The newer ones (symbols, holidays) send choices by their
name and leave out what the server works out itself; all of that stays as it is when a record is written.
"""

from __future__ import annotations

from mt_remote.records.declare import (
    DAY_MINUTES,
    Record,
    bitmask,
    choice,
    clock,
    days,
    denials,
    divider,
    entries,
    etag,
    flag,
    integer,
    ipv4,
    ipv4_list,
    locales,
    lots,
    masks,
    minutes,
    named,
    number,
    position,
    record,
    rows,
    securities,
    security,
    text,
    time32,
    unsigned,
)
from mt_remote.records.enums import (
    GROUP_RIGHT_NUMBERS,
    MARGIN_MODE_NUMBERS,
    PENDINGS_MODE_NUMBERS,
    PROFIT_MODE_NUMBERS,
    SWAP_TYPE_NUMBERS,
    SYMBOL_EXECUTION_NUMBERS,
    SYMBOL_TRADE_MODE_NUMBERS,
    TRADE_DENIAL_NUMBERS,
    WEEKDAY_NUMBERS,
    AutoCloseOut,
    CommissionMode,
    CommissionType,
    DemoType,
    ExecutionMode,
    FreeMarginMode,
    GroupMarginMode,
    GroupRight,
    LiveUpdateMode,
    MarginMode,
    MarginType,
    MonthlyStatementMode,
    NewsMode,
    OtpMode,
    PendingsMode,
    ProfitMode,
    RolloverMode,
    StatementMode,
    StopReason,
    SwapType,
    SymbolExecution,
    SymbolTradeMode,
    TradeDenial,
    Weekday,
)

SYMBOLS_OWN = 1.7976931348623157e308
"""A group's swap of this value (natively DBL_MAX) means: the symbol's own swap."""


@record(native="ConCommon")
class ConCommon(Record):
    """The server's common configuration."""

    owner: str = text("owner", 128, read_only=True, doc="licence holder")
    name: str = text("name", 32, doc="server name")
    adapters: str = text("adapters", 256, read_only=True, doc="network adapters")
    optimization_last_time: int = time32("optimization_lasttime", read_only=True)
    server_version: int = integer("server_version", 2, read_only=True)
    server_build: int = integer("server_build", 2, read_only=True)
    last_order: int = integer("lastorder", read_only=True, doc="ticket of the last record")
    last_login: int = integer("lastlogin", read_only=True, doc="last login that the server chose")
    lost_commission_login: int = integer("lostlogin", read_only=True, doc="gets agent commission of unknown agents")
    address: str = ipv4("address")
    port: int = integer("port", low=0, high=65535)
    timeout: int = integer("timeout", low=0, doc="seconds")
    type_of_demo: DemoType = choice("typeofdemo", DemoType)
    time_of_demo_days: int = integer("timeofdemo", low=0, doc="days")
    daylight_correction: bool = flag("daylightcorrection")
    timezone: int = integer("timezone", low=-12, high=14, doc="hours from GMT")
    timesync_server: str = text("timesync", 64)
    feeder_timeout_seconds: int = integer("feeder_timeout", low=0, doc="seconds")
    keep_emails_days: int = integer("keepemails", low=0, doc="days")
    keep_ticks_days: int = integer("keepticks", low=0, doc="days")
    statement_weekend: bool = flag("statement_weekend", doc="statements on weekends too")
    end_of_day_hour: int = integer("endhour", low=0, high=23)
    end_of_day_minute: int = integer("endminute", low=0, high=59)
    optimization_time_minutes: str = minutes("optimization_time", doc='time of day "H:M"')
    overmonth_last_month: int = integer("overmonth_last_month", low=0, high=12, doc="month 1-12")
    antiflood: bool = flag("antiflood")
    antiflood_max_connections: int = integer("floodcontrol", low=0)
    bind_adresses: list[str] = ipv4_list("bind_adresses", 8)
    web_adresses: list[str] = ipv4_list("web_adresses", 8)
    statement_mode: StatementMode = choice("statement_mode", StatementMode)
    liveupdate_mode: LiveUpdateMode = choice("liveupdate_mode", LiveUpdateMode)
    last_activate_time: int = time32("last_activate")
    stop_last_time: int = time32("stop_last")
    monthly_state_mode: MonthlyStatementMode = choice("monthly_state_mode", MonthlyStatementMode)
    rollovers_mode: RolloverMode = choice("rollovers_mode", RolloverMode)
    path_database: str = text("path_database", 256)
    path_history: str = text("path_history", 256)
    path_log: str = text("path_log", 256)
    overnight_last_day: int = time32("overnight_last_day")
    overnight_last_time: int = time32("overnight_last_time")
    overnight_prev_time: int = time32("overnight_prev_time")
    stop_delay_seconds: int = integer("stop_delay", low=0, doc="seconds")
    stop_reason: StopReason = choice("stop_reason", StopReason)
    account_url: str = text("account_url", 128)


@record(native="ConGroupSec")
class ConGroupSecurity(Record):
    """How a group trades one security. A new group's securities are all zero: nothing shown, nothing tradable."""

    show: bool = flag("show")
    trade: bool = flag("trade")
    execution_mode: ExecutionMode = choice("execution", ExecutionMode)
    commission_base: float = number("comm_base")
    commission_type: CommissionType = choice("comm_type", CommissionType)
    commission_lots_mode: CommissionMode = choice("comm_lots", CommissionMode)
    commission_agent: float = number("comm_agent")
    commission_agent_type: CommissionType = choice("comm_agent_type", CommissionType)
    spread_diff: int = integer("spread_diff", doc="points")
    lot_min: float = lots("lot_min", doc="lots")
    lot_max: float = lots("lot_max", doc="lots")
    lot_step: float = lots("lot_step", doc="lots")
    ie_deviation: int = integer("ie_deviation", low=0, doc="points")
    request_confirmation: bool = flag("confirmation")
    trade_rights: list[TradeDenial] | None = denials("trade_rights", TRADE_DENIAL_NUMBERS)
    ie_quick_mode: bool = flag("ie_quick_mode")
    auto_closeout_mode: AutoCloseOut = choice("autocloseout_mode", AutoCloseOut)
    commission_tax: float = number("comm_tax", doc="percent")
    commission_agent_mode: CommissionMode = choice("comm_agent_lots", CommissionMode)
    free_margin_mode: FreeMarginMode = choice("freemargin_mode", FreeMarginMode)


@record(native="ConGroupMargin")
class ConGroupMargin(Record):
    """A group's own terms for one symbol."""

    swap_long: float = number("swap_long", default=SYMBOLS_OWN, doc="1.7976931348623157e308: the symbol's own")
    swap_short: float = number("swap_short", default=SYMBOLS_OWN, doc="1.7976931348623157e308: the symbol's own")
    margin_pct: float = divider("margin_divider", doc="percent of the margin; 0: the symbol's own")


@record(native="ConGroup")
class ConGroup(Record):
    """A group of accounts."""

    group: str = text("group", 16, key=True, doc="name")
    enable: bool = flag("enable")
    timeout_seconds: int = integer("timeout", low=0, doc="seconds that a dealer has for a request")
    otp_mode: OtpMode = choice("otp_mode", OtpMode)
    company: str = text("company", 128)
    signature: str = text("signature", 128)
    support_page: str = text("support_page", 128)
    smtp_server: str = text("smtp_server", 64)
    smtp_login: str = text("smtp_login", 32)
    smtp_password: str = text("smtp_password", 32, secret=True)
    support_email: str = text("support_email", 64)
    templates_path: str = text("templates", 32)
    copies: int = integer("copies", low=0)
    reports: bool = flag("reports")
    default_leverage: int = integer("default_leverage", low=0)
    default_deposit: float = number("default_deposit")
    max_symbols: int = integer("maxsecurities", low=0, doc="0: no limit")
    currency: str = text("currency", 12, doc="deposit currency")
    credit: float = number("credit", doc="virtual credit: only loosens the open test")
    margin_call: int = integer("margin_call", low=0, doc="percent or deposit currency, by margin_type")
    margin_mode: GroupMarginMode = choice("margin_mode", GroupMarginMode)
    margin_stopout: int = integer("margin_stopout", low=0, doc="percent or deposit currency, by margin_type")
    interest_rate: float = number("interestrate", doc="percent a year")
    use_swap: bool = flag("use_swap")
    news: NewsMode = choice("news", NewsMode)
    rights: list[GroupRight] = bitmask("rights", GROUP_RIGHT_NUMBERS)
    check_ie_prices: bool = flag("check_ie_prices")
    max_positions: int = integer("maxpositions", low=0, doc="open and pending; 0: no limit")
    close_reopen: bool = flag("close_reopen")
    hedge_prohibited: bool = flag("hedge_prohibited")
    close_fifo: bool = flag("close_fifo")
    hedge_large_leg: bool = flag("hedge_largeleg")
    margin_type: MarginType = choice("margin_type", MarginType)
    archive_period: int = integer("archive_period", low=0, doc="days")
    archive_max_balance: int = integer("archive_max_balance")
    stopout_skip_hedged: bool = flag("stopout_skip_hedged")
    archive_pending_period: bool = flag("archive_pending_period")
    news_languages: list[str] = locales("news_languages", 7, size=32, total="news_languages_total")
    securities: dict[str, ConGroupSecurity] = securities("secgroups", ConGroupSecurity, most=32, size=3584)
    symbols: dict[str, ConGroupMargin] = entries(
        "secmargins", ConGroupMargin, most=128, size=9216, total="secmargins_total"
    )


@record(native="ConManagerSec")
class ConManagerSecurity(Record):
    """What a dealer deals in one security."""

    enable: bool = flag("enable")
    minimum_lots: float = lots("minimum_lots", doc="lots")
    maximum_lots: float = lots("maximum_lots", doc="lots")


@record(native="ConManager")
class ConManager(Record):
    """A manager account's rights."""

    login: int = integer("login", key=True, low=1)
    name: str = text("name", 32)
    manager: bool = flag("manager", doc="users")
    money: bool = flag("money", doc="balance and credit operations")
    online: bool = flag("online")
    riskman: bool = flag("riskman")
    broker: bool = flag("broker", doc="dealing")
    admin: bool = flag("admin", doc="configuration")
    logs: bool = flag("logs")
    reports: bool = flag("reports", doc="reports and trade history")
    trades: bool = flag("trades", doc="orders of others: open, change, close")
    market_watch: bool = flag("market_watch", doc="throw in prices")
    email: bool = flag("email")
    user_details: bool = flag("user_details", doc="see names, addresses, phones, emails, ids")
    see_trades: bool = flag("see_trades", doc="see open trades")
    news: bool = flag("news")
    plugins: bool = flag("plugins")
    server_reports: bool = flag("server_reports")
    techsupport: bool = flag("techsupport")
    market: bool = flag("market")
    notifications: bool = flag("notifications")
    ip_filter: bool = flag("ipfilter")
    ip_from: str = ipv4("ip_from")
    ip_to: str = ipv4("ip_to")
    mailbox: str = text("mailbox", 64)
    groups: list[str] = masks("groups", 1024, doc="masks such as mini*, * for all, ! excludes")
    info_depth: int = integer("info_depth", low=0, doc="days of history, 0: all")
    securities: dict[str, ConManagerSecurity] = securities("secgroups", ConManagerSecurity, most=32, size=2560)


RIGHTS: tuple[str, ...] = (
    "manager",
    "money",
    "online",
    "riskman",
    "broker",
    "admin",
    "logs",
    "reports",
    "trades",
    "market_watch",
    "email",
    "user_details",
    "see_trades",
    "news",
    "plugins",
    "server_reports",
    "techsupport",
    "market",
    "notifications",
)
"""The rights that a manager can have: fields of :class:`ConManager`."""


def rights_of(manager: ConManager) -> frozenset[str]:
    """The rights that a manager has."""
    return frozenset(name for name in RIGHTS if getattr(manager, name))


@record(native="ConSession", frozen=True)
class ConSession(Record):
    """One window of a day in the server's time. What is open from 22:00 to 2:00 has two, one on each day."""

    from_: str = clock("open_hour", "open_min", doc='first minute, time of day "H:M"')
    to: str = clock("close_hour", "close_min", doc='end, time of day "H:M", not in the window; "24:0" closes the day')


@record(native="ConSessions")
class ConSessions(Record):
    """A day's windows. A list is written whole; an empty one closes the day."""

    quotes: list[ConSession] = rows("quote", ConSession, most=3, size=96, doc="when a feed's quotes are taken")
    trades: list[ConSession] = rows("trade", ConSession, most=3, size=96, doc="when it can be traded")


@record(native="ConSymbol")
class ConSymbol(Record):
    """What is traded, and on which terms."""

    symbol: str = text("symbol", 12, key=True, doc="name")
    description: str = text("description", 64)
    source: str = text("source", 12, doc="symbol whose quotes it takes; empty: its own name")
    currency: str = text("currency", 12, doc="base currency")
    security: str = security("type", doc="name of the security that it belongs to")
    digits: int = integer("digits", low=0, high=8, doc="decimal places of a price; a point is 10^-digits")
    trade_mode: SymbolTradeMode = named("trade", SymbolTradeMode.NO, SYMBOL_TRADE_MODE_NUMBERS)
    color: int = unsigned("background_color", doc="0xBBGGRR, in the market watch")
    realtime: bool = flag("realtime", doc="takes the feed's quotes")
    starts: int = time32("starting", doc="Unix seconds in the server's zone; 0: always was")
    expires: int = time32("expiration", doc="Unix seconds in the server's zone; 0: never")
    sessions: dict[Weekday, ConSessions] = days("sessions", ConSessions, WEEKDAY_NUMBERS, size=1456)
    profit_mode: ProfitMode = named("profit_mode", ProfitMode.FOREX, PROFIT_MODE_NUMBERS)
    filter: int = integer("filter", low=0, doc="points that a quote may move at once; 0: any")
    filter_limit: float = number("filter_limit", doc="percent of the last price that a quote may move; 0: any")
    filter_smoothing: int = integer("filter_smoothing", low=0, doc="quotes that are averaged; 0: none")
    log_quotes: bool = flag("logging")
    spread: int = integer("spread", low=0, doc="points; 0: floating, the feed's own")
    spread_balance: int = integer("spread_balance", doc="points added to the feed's bid when the spread is fixed")
    execution_mode: SymbolExecution = named("exemode", SymbolExecution.REQUEST, SYMBOL_EXECUTION_NUMBERS)
    swap_enable: bool = flag("swap_enable")
    swap_type: SwapType = named("swap_type", SwapType.POINTS, SWAP_TYPE_NUMBERS)
    swap_long: float = number("swap_long", doc="a lot and night, in what swap_type says; interest: percent a year")
    swap_short: float = number("swap_short", doc="a lot and night, in what swap_type says; interest: percent a year")
    swap_triple_day: int = integer("swap_rollover3days", low=0, high=6, doc="weekday of the triple swap, 0 is Monday")
    swap_open_price: bool = flag("swap_openprice", doc="interest is on the opening price")
    swap_variation_margin: bool = flag("swap_variation_margin")
    contract_size: float = number(
        "contract_size", default=100_000.0, doc="units of the base currency, shares or contracts in a lot"
    )
    tick_value: float = number("tick_value", doc="what a tick of one lot is worth, quote currency; futures")
    tick_size: float = number("tick_size", doc="a tick, in price; 0: one point")
    stops_level: int = integer("stops_level", low=0, doc="points between price and stops or pending orders")
    freeze_level: int = integer("freeze_level", low=0, doc="points to the price within which orders can't be changed")
    pendings_mode: PendingsMode = named("gtc_pendings", PendingsMode.DAILY, PENDINGS_MODE_NUMBERS)
    margin_mode: MarginMode = named("margin_mode", MarginMode.FOREX, MARGIN_MODE_NUMBERS)
    margin_initial: float = number("margin_initial", doc="margin currency, a lot; 0: by margin_mode")
    margin_maintenance: float = number("margin_maintenance", doc="margin currency, a lot; 0: as margin_initial")
    margin_hedged: float = number("margin_hedged", doc="a lot of a hedged leg: contract units, or margin currency")
    margin_pct: float = divider("margin_divider", default=100.0, doc="percent of the margin that is held; 0: none")
    margin_currency: str = text("margin_currency", 12)
    margin_hedged_strong: bool = flag("margin_hedged_strong", doc="a hedge too needs free margin to be opened")
    long_only: bool = flag("long_only", doc="no selling but to close")
    instant_max_lots: float = lots("instant_max_volume", doc="lots; more is executed by request; 0: no limit")
    value_date: int = time32("value_date", doc="Unix seconds in the server's zone; 0: none")
    quotes_delay: int = integer("quotes_delay", low=0, doc="seconds after a session's opening without quotes")


@record(native="ConHoliday")
class ConHoliday(Record):
    """A day of other working hours. Of several that fall on a day each counts."""

    position: int = position()
    etag: str = etag()
    year: int = integer("year", low=0, high=2037, doc="0: each year")
    month: int = integer("month", default=1, low=1, high=12, required=True, doc="1 to 12")
    day: int = integer("day", default=1, low=1, high=31, required=True, doc="day of the month, 1 to 31")
    from_: str = minutes("from", high=DAY_MINUTES, doc='first working minute, time of day "H:M"')
    to: str = minutes("to", high=DAY_MINUTES, doc='end of work, time of day "H:M"; as from: closed all day')
    symbol: str = text("symbol", 32, default="All", doc="All, a security's name or a symbol's")
    description: str = text("description", 128)
    enable: bool = flag("enable")
