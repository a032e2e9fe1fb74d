"""Hypothesis strategies for what goes over the wire: values, records, partial updates, calls, order lives, prices.

Realistic by default: names that a server takes, prices near the market, volumes on the step. :func:`hostile` gives
what a clumsy or hostile client would put in a field. Everything is JSON as a client writes it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mt_remote_conformance.model.money import EURUSD, Instrument

__all__ = [
    "COMMON_FIELDS",
    "GROUP_FIELDS",
    "MANAGER_RIGHTS",
    "MARKET_COMMANDS",
    "PENDING_COMMANDS",
    "READ_ONLY_USER_FIELDS",
    "TABLE_MARK",
    "USER_FIELDS",
    "addresses",
    "amounts",
    "api_data",
    "commons",
    "counts",
    "flags",
    "groups",
    "holidays",
    "hostile",
    "locales",
    "lots",
    "managers",
    "margins",
    "order_lives",
    "orders",
    "prices",
    "quotes",
    "reads",
    "securities",
    "symbols",
    "texts",
    "tick_streams",
    "users",
    "windows",
]

Json = dict[str, Any]

# Values


def texts(limit: int, *, least: int = 0) -> SearchStrategy[str]:
    """Text of at most ``limit`` bytes in the usual code page."""
    alphabet = st.one_of(
        st.characters(min_codepoint=32, max_codepoint=126),
        st.characters(codec="cp1252", exclude_characters="\0", exclude_categories=("Cc", "Cs")),
    )
    return st.text(alphabet, min_size=least, max_size=limit).filter(lambda each: each.strip() == each)


flags: SearchStrategy[bool] = st.booleans()
counts: SearchStrategy[int] = st.integers(0, 10_000)
amounts: SearchStrategy[float] = st.integers(-1_000_000, 1_000_000).map(lambda hundredths: hundredths / 100)
lots: SearchStrategy[float] = st.integers(1, 1000).map(lambda hundredths: hundredths / 100)
addresses: SearchStrategy[str] = st.ip_addresses(v=4).map(str)
api_data: SearchStrategy[str] = st.one_of(
    st.just(""), st.binary(min_size=16, max_size=16).filter(any).map(lambda data: base64.b64encode(data).decode())
)
locales: SearchStrategy[list[str]] = st.lists(
    st.sampled_from(["ru-RU", "de-DE", "fr-FR", "es-ES", "ja-JP"]), max_size=7, unique=True
)


def prices(instrument: Instrument = EURUSD, *, spread: float = 0.05) -> SearchStrategy[float]:
    """Prices within ``spread`` (a part of the price) around the usual one, on the grid."""
    points = round(instrument.typical * 10**instrument.digits)
    reach = round(points * spread)
    return st.integers(points - reach, points + reach).map(lambda each: round(each / 10**instrument.digits, 8))


def quotes(instrument: Instrument = EURUSD, *, spread: float = 0.02) -> SearchStrategy[tuple[float, float]]:
    """(bid, ask), the ask above."""
    return st.tuples(prices(instrument, spread=spread), st.integers(1, 50)).map(
        lambda pair: (pair[0], round(pair[0] + pair[1] / 10**instrument.digits, 8))
    )


def tick_streams(instrument: Instrument = EURUSD, *, most: int = 30) -> SearchStrategy[list[tuple[float, float]]]:
    """A walk of (bid, ask) with gaps in it."""
    start = round(instrument.typical * 10**instrument.digits)

    def walk(steps: list[tuple[int, int]]) -> list[tuple[float, float]]:
        at, stream = start, []
        for move, wide in steps:
            at = max(at + move, start // 2)
            stream.append((round(at / 10**instrument.digits, 8), round((at + wide) / 10**instrument.digits, 8)))
        return stream

    moves = st.one_of(st.integers(-20, 20), st.integers(-2000, 2000))
    return st.lists(st.tuples(moves, st.integers(1, 40)), min_size=1, max_size=most).map(walk)


# Records and partial updates


def securities(names: Sequence[str] = ("Forex", "Metals")) -> SearchStrategy[Json]:
    """Partial updates of a group's securities."""
    fields: dict[str, SearchStrategy[Any]] = {
        "show": flags, "trade": flags, "execution_mode": st.sampled_from([0, 1, 2]),
        "commission_base": st.integers(0, 2000).map(lambda each: each / 100),
        "commission_type": st.sampled_from([0, 1, 2]), "commission_lots_mode": st.sampled_from([0, 1]),
        "commission_agent": amounts, "commission_agent_type": st.sampled_from([0, 1]),
        "spread_diff": st.integers(0, 50), "lot_min": lots, "lot_max": lots, "lot_step": lots,
        "ie_deviation": st.integers(0, 100), "request_confirmation": flags, "ie_quick_mode": flags,
        "trade_rights": st.sampled_from([None, ["deny-close-by"], ["deny-multiple-close-by"],
                                         ["deny-close-by", "deny-multiple-close-by"]]),
        "auto_closeout_mode": st.integers(0, 7), "commission_tax": amounts,
        "commission_agent_mode": st.sampled_from([0, 1]),
        "free_margin_mode": st.sampled_from([0, 1]),
    }  # fmt: skip
    return st.dictionaries(st.sampled_from(list(names)), st.fixed_dictionaries({}, optional=fields), max_size=3)


def margins(symbols: Sequence[str] = ("EURUSD", "USDJPY")) -> SearchStrategy[Json]:
    """Partial updates of a group's symbols."""
    fields = {
        "swap_long": amounts, "swap_short": amounts,
        "margin_pct": st.sampled_from([0.5, 1.0, 10.0, 50.0, 100.0, 200.0]),
    }  # fmt: skip
    return st.dictionaries(st.sampled_from(list(symbols)), st.fixed_dictionaries({}, optional=fields), max_size=2)


_RIGHTS = ("email", "trailing", "advisor", "expiration", "signals_all", "risk_warning")

GROUP_FIELDS: dict[str, SearchStrategy[Any]] = {
    "enable": flags, "timeout_seconds": st.integers(0, 600), "otp_mode": st.sampled_from([0, 1]), "company": texts(31),
    "signature": texts(31), "support_page": texts(31), "smtp_server": texts(15), "smtp_login": texts(15),
    "smtp_password": texts(15), "support_email": texts(31), "templates_path": texts(15), "copies": st.integers(0, 9),
    "reports": flags, "default_leverage": st.sampled_from([1, 50, 100, 200, 500]), "default_deposit": amounts,
    "max_symbols": st.integers(1, 4096), "margin_call": st.integers(0, 100), "margin_mode": st.integers(0, 3),
    "margin_stopout": st.integers(0, 100), "interest_rate": amounts, "use_swap": flags, "news": st.integers(0, 2),
    "rights": st.lists(st.sampled_from(_RIGHTS), unique=True).map(lambda each: sorted(each, key=_RIGHTS.index)),
    "check_ie_prices": flags, "max_positions": st.integers(0, 100), "close_reopen": flags, "hedge_prohibited": flags,
    "close_fifo": flags, "hedge_large_leg": flags, "margin_type": st.sampled_from([0, 1]),
    "archive_period": counts, "archive_max_balance": counts, "stopout_skip_hedged": flags,
    "archive_pending_period": flags, "news_languages": locales, "credit": amounts,
}  # fmt: skip
"""Every field of a ConGroup that a client sets, without its name, securities and symbols."""


def groups(names: Sequence[str] = ("Forex", "Metals"), symbols: Sequence[str] = ("EURUSD",)) -> SearchStrategy[Json]:
    """Partial updates of a ConGroup, without its name."""
    optional = {**GROUP_FIELDS, "securities": securities(names), "symbols": margins(symbols)}
    return st.fixed_dictionaries({}, optional=optional)


def _user_fields() -> dict[str, SearchStrategy[Any]]:
    short = ["password_phone", "country", "city", "state", "zipcode", "lead_source", "phone", "id", "status"]
    return {
        **{name: texts(15) for name in short}, "address": texts(60), "email": texts(40), "comment": texts(60),
        "enable": flags, "enable_change_password": flags, "read_only": flags, "enable_otp": flags,
        "send_reports": flags, "leverage": st.sampled_from([1, 10, 100, 500, 1000]), "taxes": st.just(0.0),
        "mqid": st.integers(0, 2**31 - 1), "user_color": st.integers(0, 2**32 - 1), "api_data": api_data,
    }  # fmt: skip


USER_FIELDS = _user_fields()
"""Every field of a UserRecord that a client sets, without login, group, name and passwords."""

READ_ONLY_USER_FIELDS: dict[str, SearchStrategy[Any]] = {
    **dict.fromkeys(["last_date", "reg_date", "timestamp"], counts),
    **dict.fromkeys(("prev_month_balance", "prev_day_balance", "prev_month_equity", "prev_day_equity"), amounts),
    **dict.fromkeys(("interestrate", "balance", "credit"), amounts),
    "last_ip": addresses,
}  # fmt: skip


def users() -> SearchStrategy[Json]:
    """Partial updates of a UserRecord."""
    return st.fixed_dictionaries({}, optional={**USER_FIELDS, "name": texts(60, least=1)})


COMMON_FIELDS: dict[str, SearchStrategy[Any]] = {
    "name": texts(31, least=1), "timeout": st.integers(1, 600), "keep_emails_days": st.integers(0, 365),
    "keep_ticks_days": st.integers(0, 365), "antiflood": flags, "antiflood_max_connections": st.integers(0, 100),
    "statement_weekend": flags, "liveupdate_mode": st.integers(0, 2), "monthly_state_mode": st.integers(0, 1),
    "optimization_time_minutes": st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]}:{t[1]}"),
    "web_adresses": st.lists(addresses, max_size=8), "bind_adresses": st.lists(addresses, max_size=8),
    "timesync_server": texts(31), "feeder_timeout_seconds": st.integers(0, 600), "account_url": texts(31),
}  # fmt: skip
"""Fields of ConCommon that can be changed on a server in use, and back."""


def commons() -> SearchStrategy[Json]:
    """Partial updates of ConCommon that disturb nobody."""
    return st.fixed_dictionaries({}, optional=COMMON_FIELDS)


MANAGER_RIGHTS = (
    "manager", "money", "online", "riskman", "broker", "admin", "logs", "reports", "trades", "market_watch",
    "email", "user_details", "see_trades", "news", "plugins", "server_reports", "techsupport", "market",
    "notifications",
)  # fmt: skip


def managers() -> SearchStrategy[Json]:
    """Partial updates of a ConManager, without its login."""
    limits = st.fixed_dictionaries({}, optional={"enable": flags, "minimum_lots": lots, "maximum_lots": lots})
    optional: dict[str, SearchStrategy[Any]] = {
        **dict.fromkeys(MANAGER_RIGHTS, flags), "ip_filter": st.just(False), "ip_from": addresses, "ip_to": addresses,
        "name": texts(31), "mailbox": texts(31), "info_depth": counts,
        "groups": st.lists(st.sampled_from(["manager", "mini*", "*", "demo*"]), max_size=3, unique=True),
        "securities": st.dictionaries(st.sampled_from(["Forex", "Metals"]), limits, max_size=2),
    }  # fmt: skip
    return st.fixed_dictionaries({}, optional=optional)


# Rows of tables

TABLE_MARK = "KIT"
"""Begins the text by which the kit knows its own rows of a table of the configuration."""

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def _minute(minutes: int) -> str:
    """Minutes since midnight as a time of day."""
    return f"{minutes // 60}:{minutes % 60}"


def windows(most: int = 24 * 60) -> SearchStrategy[Json]:
    """A part of a day, ``from`` before ``to``; ``most`` is the last minute."""
    ends = st.lists(st.integers(0, most), min_size=2, max_size=2, unique=True).map(sorted)
    return ends.map(lambda pair: {"from": _minute(pair[0]), "to": _minute(pair[1])})


def days_windows(most: int = 3) -> SearchStrategy[list[Json]]:
    """At most so many windows of one day, one after another."""
    ends = st.lists(st.integers(0, 24 * 60), max_size=2 * most, unique=True).map(sorted)
    return ends.map(
        lambda found: [
            {"from": _minute(start), "to": _minute(end)} for start, end in zip(found[::2], found[1::2], strict=False)
        ]
    )


def holidays() -> SearchStrategy[Json]:
    """A ConHoliday without its place."""
    day = st.fixed_dictionaries(
        {"month": st.integers(1, 12), "day": st.integers(1, 28)},
        optional={
            "year": st.integers(2030, 2037),
            "symbol": st.sampled_from(["All", "Forex", "EURUSD"]),
            "enable": flags,
        },
    )
    return st.tuples(day, windows()).map(lambda parts: {**parts[0], **parts[1]})


def symbols() -> SearchStrategy[Json]:
    """A ConSymbol without its name, or a partial update of one; no field of it stops trade in another symbol."""
    points = st.integers(0, 100)
    hours = st.fixed_dictionaries({}, optional={name: days_windows() for name in ("quotes", "trades")})
    sessions = st.dictionaries(st.sampled_from(_DAYS), hours, max_size=3)
    return st.fixed_dictionaries(
        {"security": st.sampled_from(["Forex", "Metals"]), "digits": st.integers(0, 5)},
        optional={
            "description": texts(31),
            "currency": st.sampled_from(["EUR", "USD"]),
            "trade_mode": st.sampled_from(["no", "close", "full"]),
            "color": st.integers(0, 2**24 - 1),
            "sessions": sessions,
            "profit_mode": st.sampled_from(["forex", "cfd", "futures"]),
            "filter": points,
            "filter_smoothing": st.integers(0, 5),
            "log_quotes": flags,
            "spread": points,
            "spread_balance": st.integers(-10, 10),
            "execution_mode": st.sampled_from(["request", "instant", "market"]),
            "swap_enable": flags,
            "swap_type": st.sampled_from(["points", "dollars", "interest", "margin_currency"]),
            "swap_long": amounts,
            "swap_short": amounts,
            "swap_triple_day": st.integers(0, 6),
            "contract_size": st.sampled_from([1.0, 100.0, 100_000.0]),
            "stops_level": points,
            "freeze_level": points,
            "margin_pct": st.sampled_from([0.5, 1.0, 10.0, 50.0, 100.0, 200.0]),
            "margin_currency": st.sampled_from(["EUR", "USD"]),
            "long_only": flags,
            "instant_max_lots": lots,
        },
    )


# Orders

MARKET_COMMANDS = ("buy", "sell")
PENDING_COMMANDS = ("buy_limit", "buy_stop", "sell_limit", "sell_stop")


def orders(instrument: Instrument = EURUSD, *, pendings: bool = True) -> SearchStrategy[Json]:
    """What `order.open` takes, without its login: a manager's order at any price, levels far away."""
    low = round(instrument.typical / 2, instrument.digits)
    high = round(instrument.typical * 2, instrument.digits)
    commands = (*MARKET_COMMANDS, *PENDING_COMMANDS) if pendings else MARKET_COMMANDS
    return st.fixed_dictionaries(
        {"symbol": st.just(instrument.name), "command": st.sampled_from(commands), "volume": lots,
         "price": prices(instrument)},
        optional={"comment": texts(31), "sl": st.sampled_from([0.0, low]), "tp": st.sampled_from([0.0, high])},
    )  # fmt: skip


def order_lives(instrument: Instrument = EURUSD) -> SearchStrategy[list[tuple[str, Json]]]:
    """A sequence of (what, with) that one order goes through: ``open`` first, then ``modify``, ``close`` …"""
    modify = st.fixed_dictionaries({}, optional={"comment": texts(31), "tp": st.just(instrument.typical * 2)})
    steps = st.one_of(
        st.tuples(st.just("modify"), modify),
        st.tuples(st.just("close"), st.fixed_dictionaries({"volume": lots, "price": prices(instrument)})),
        st.tuples(st.just("activate"), st.fixed_dictionaries({"price": prices(instrument)})),
        st.tuples(st.just("cancel"), st.just(Json())),
    )
    return st.tuples(st.tuples(st.just("open"), orders(instrument)), st.lists(steps, max_size=6)).map(
        lambda life: [life[0], *life[1]]
    )


# Calls of the protocol


def _call(name: str, required: Json | None = None, optional: Json | None = None) -> SearchStrategy[tuple[str, Json]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(required or {}, optional=optional or {}))


def reads(logins: Sequence[int], names: Sequence[str], symbols: Sequence[str]) -> SearchStrategy[tuple[str, Json]]:
    """Calls that change nothing."""
    login, group, symbol = st.sampled_from(list(logins)), st.sampled_from(list(names)), st.sampled_from(list(symbols))
    return st.one_of(
        _call("config.common.get"), _call("config.groups.get.all"), _call("config.group.get", {"group": group}),
        _call("config.manager.get", {"login": login}), _call("users.get.all"),
        _call("users.get", {"logins": st.lists(login, max_size=5)}), _call("ticks.get", {"symbol": symbol}),
        _call("trades.get"), _call("trades.get.by_login", {"login": login, "group": group}),
        _call("trades.history", {"login": login}, {"from": counts, "to": st.just(2**31 - 1)}),
        _call("trade.get", {"order": st.integers(1, 2**31 - 1)}),
    )  # fmt: skip


# What no field should take

_STRANGE: list[Any] = [
    None,
    True,
    -1,
    0.5,
    2**31,
    2**63,
    10**30,
    1e308,
    "",
    "0",
    "\0",
    "x" * 4096,
    "🦆",
    [],
    [1],
    {},
    {"a": 1},
]


def hostile() -> SearchStrategy[Any]:
    """Any JSON at all, with a liking for what breaks parsers: wrong types, huge numbers, empty and endless texts."""
    leaves = st.one_of(
        st.sampled_from(_STRANGE), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=50)
    )
    names = st.text(max_size=10)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
        max_leaves=8,
    )
