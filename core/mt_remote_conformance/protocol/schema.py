"""Chapter 5 of the protocol written down a second time: every record's fields and JSON types, by dialect.

Clients of dialects ``0`` and ``1.00`` refuse a record that has a field too many or too few, so this stands apart from
the declarations that the gateway is made of: it shares nothing with :mod:`mt_remote.records`.

A check takes a JSON value and gives what is wrong with it, ``""`` when nothing is: ``securities.Forex.trade: 1 is not
a boolean``.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str]

DIALECTS = ("0", "1.00", "2")

KNOWN_FUNCTIONS = (
    "connect", "disconnect", "subscribe", "unsubscribe", "config.common.get", "config.common.set",
    "config.group.add", "config.group.set", "config.group.get", "config.groups.get.all", "config.group.del",
    "config.manager.set", "config.manager.get", "config.manager.del", "user.add", "user.set", "users.get",
    "users.get.all", "users.del", "symbol.show", "symbol.hide", "tick.add", "ticks.get", "order.open",
    "order.modify", "order.close", "order.close_by", "order.close_all", "order.cancel", "order.activate",
    "order.balance", "trade.get", "trades.get", "trades.get.by_login", "trades.history", "request.confirm",
    "request.requote", "request.reject", "request.reset", "external.command",
)  # fmt: skip
"""The functions of the deployed protocol (chapter 3)."""

EVENT_KINDS = ("connection", "group", "user", "trade", "tick", "trade_request")


def _plain(kind: str, *types: type) -> Check:
    return lambda value: "" if type(value) in types else f"{value!r} is not {kind}"


integer = _plain("an integer", int)
boolean = _plain("a boolean", bool)
text = _plain("a text", str)


def number(value: Any) -> str:
    if type(value) not in (int, float):
        return f"{value!r} is not a number"
    return "" if math.isfinite(value) else f"{value!r} is not a finite number"


def one_of(*values: object) -> Check:
    """One of the values, of the same JSON type."""
    return lambda value: (
        "" if any(value == each and type(value) is type(each) for each in values) else f"{value!r} is none of {values}"
    )


def at_least(least: int) -> Check:
    def check(value: Any) -> str:
        return integer(value) or ("" if value >= least else f"{value} is below {least}")

    return check


moment = at_least(0)
"""Unix seconds, 0 for none."""


def matching(kind: str, pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: "" if type(value) is str and compiled.fullmatch(value) else f"{value!r} is not {kind}"


ipv4 = matching("an IPv4 address", r"((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}")
hour_minute = matching("hours and minutes without padding", r"(0|[1-9]\d?):(0|[1-9]\d?)")
locale_tag = matching("a locale tag", r"[a-z]{2,3}(-[A-Za-z]{4})?(-([A-Z]{2}|\d{3}))?")


def short_text(limit: int) -> Check:
    """At most so many bytes in a code page of one byte a character."""
    return lambda value: text(value) or (
        "" if len(value) <= limit else f"{value!r} is longer than {limit}"
    )  # fmt: skip


def list_of(check: Check, most: int | None = None) -> Check:
    def checked(value: Any) -> str:
        if type(value) is not list:
            return f"{value!r:.80} is not a list"
        if most is not None and len(value) > most:
            return f"has {len(value)} elements, at most {most} are allowed"
        for place, each in enumerate(value):
            if problem := check(each):
                return f"[{place}]{_below(problem)}"
        return ""

    return checked


def map_of(check: Check, most: int | None = None) -> Check:
    def checked(value: Any) -> str:
        if type(value) is not dict:
            return f"{value!r:.80} is not a map"
        if most is not None and len(value) > most:
            return f"has {len(value)} members, at most {most} are allowed"
        for name, each in value.items():
            if problem := check(each):
                return f"{name}{_below(problem)}"
        return ""

    return checked


def _below(problem: str) -> str:
    """A problem of an element as one of what holds it."""
    return f".{problem}" if re.match(r"[\w.#\[\]]+(: |\.|\[)", problem) else f": {problem}"


def api_data(value: Any) -> str:
    """Base64 of 16 bytes, ``""`` when all are zero."""
    if value == "":
        return ""
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return f"{value!r} is not base64"
    return "" if len(decoded) == 16 and any(decoded) else f"{value!r} is not base64 of 16 bytes that aren't all zero"


def two_numbers(value: Any) -> str:
    if type(value) is not list or len(value) != 2:
        return f"{value!r:.80} is not a list of two numbers"
    return number(value[0]) or number(value[1])


def lots(value: Any) -> str:
    """A volume: never below zero, a multiple of 0.01."""
    if problem := number(value):
        return problem
    return "" if value >= 0 and abs(value * 100 - round(value * 100)) < 1e-6 else f"{value!r} is not in steps of 0.01"


def fields(check: Check, names: str) -> dict[str, Check]:
    return dict.fromkeys(names.split(), check)


def record(table: Mapping[str, Check], *, open_ended: bool = False) -> Check:
    """A map with exactly these fields; ``open_ended`` allows further ones (dialect 2)."""

    def check(value: Any) -> str:
        if type(value) is not dict:
            return f"{value!r:.80} is not a record"
        if missing := sorted(set(table) - set(value)):
            return f"{missing[0]}: is missing"
        surplus = sorted(set(value) - set(table))
        if surplus and not open_ended:
            return f"{surplus[0]}: is not a field of this record"
        if any("password" in name for name in surplus):
            return f"{surplus[0]}: must never be sent"
        for name, kind in table.items():
            if problem := kind(value[name]):
                return f"{name}{_below(problem)}"
        return ""

    return check


COMMON = {
    **fields(text, "owner name adapters timesync_server path_database path_history path_log account_url"),
    **fields(integer, "optimization_last_time server_version server_build last_order last_login lost_commission_login "
             "port timeout time_of_demo_days timezone feeder_timeout_seconds keep_emails_days keep_ticks_days "
             "end_of_day_hour end_of_day_minute overmonth_last_month antiflood_max_connections last_activate_time "
             "stop_last_time overnight_last_day overnight_last_time overnight_prev_time stop_delay_seconds"),
    **fields(boolean, "daylight_correction statement_weekend antiflood"),
    "address": ipv4, "bind_adresses": list_of(ipv4, 8), "web_adresses": list_of(ipv4, 8),
    "optimization_time_minutes": hour_minute, "type_of_demo": one_of(0, 1, 2), "statement_mode": one_of(0, 1),
    "liveupdate_mode": one_of(0, 1, 2, 3), "monthly_state_mode": one_of(0, 1), "rollovers_mode": one_of(0, 1, 2),
    "stop_reason": one_of(0, 1, 2, 3),
}  # fmt: skip

_DENIALS = list_of(one_of("deny-close-by", "deny-multiple-close-by"))


def _trade_rights(value: Any) -> str:
    """Null when nothing is denied, else a list that says what."""
    if value is None:
        return ""
    return _DENIALS(value) or ("" if value else "[] must be null: nothing is denied")


SECURITY = {
    **fields(boolean, "show trade request_confirmation ie_quick_mode"),
    **fields(number, "commission_base commission_agent commission_tax"),
    **fields(lots, "lot_min lot_max lot_step"),
    **fields(integer, "spread_diff ie_deviation free_margin_mode"),
    "execution_mode": one_of(0, 1, 2), "commission_type": one_of(0, 1, 2), "commission_lots_mode": one_of(0, 1),
    "commission_agent_type": one_of(0, 1, 2), "commission_agent_mode": one_of(0, 1),
    "auto_closeout_mode": one_of(*range(8)), "trade_rights": _trade_rights,
}  # fmt: skip

MARGIN = fields(number, "swap_long swap_short margin_pct")

GROUP = {
    "group": short_text(15),
    **fields(text, "company signature support_page smtp_server smtp_login smtp_password support_email templates_path "
             "currency"),
    **fields(boolean, "enable reports use_swap check_ie_prices close_reopen hedge_prohibited close_fifo "
             "hedge_large_leg stopout_skip_hedged archive_pending_period"),
    **fields(integer, "timeout_seconds copies default_leverage max_symbols margin_call margin_stopout max_positions "
             "archive_period archive_max_balance"),
    **fields(number, "default_deposit credit interest_rate"),
    "otp_mode": one_of(0, 1), "margin_mode": one_of(0, 1, 2, 3), "news": one_of(0, 1, 2), "margin_type": one_of(0, 1),
    "rights": list_of(one_of("email", "trailing", "advisor", "expiration", "signals_all", "signals_own",
                             "risk_warning", "forced_otp")),
    "news_languages": list_of(locale_tag, 8), "securities": map_of(record(SECURITY)),
    "symbols": map_of(record(MARGIN), 128),
}  # fmt: skip

MANAGER = {
    **fields(integer, "login info_depth"),
    **fields(text, "name mailbox"),
    **fields(boolean, "manager money online riskman broker admin logs reports trades market_watch email user_details "
             "see_trades news plugins server_reports techsupport market notifications ip_filter"),
    "ip_from": ipv4, "ip_to": ipv4, "groups": list_of(text),
    "securities": map_of(record({"enable": boolean, "minimum_lots": lots, "maximum_lots": lots})),
}  # fmt: skip

USER = {
    **fields(integer, "login leverage agent_account mqid"),
    **fields(moment, "last_date reg_date timestamp user_color"),
    **fields(text, "password_phone name country city state zipcode address lead_source phone email comment id status"),
    **fields(boolean, "enable enable_change_password read_only enable_otp send_reports"),
    **fields(number, "taxes prev_month_balance prev_day_balance prev_month_equity prev_day_equity interestrate "
             "balance credit"),
    "group": short_text(15), "api_data": api_data, "last_ip": ipv4,
}  # fmt: skip

TICK = {"symbol": short_text(11), "time": moment, "bid": number, "ask": number}

COMMANDS = ("buy", "sell", "buy_limit", "buy_stop", "sell_limit", "sell_stop", "balance", "credit")
_OLD_REASONS = ("client", "expert", "dealer", "signal", "gateway")


def trade(dialect: str) -> dict[str, Check]:
    """A TradeRecord as a client of a dialect sees it."""
    reasons = _OLD_REASONS if dialect != "2" else (*_OLD_REASONS, "mobile", "web", "api")
    return {
        **fields(integer, "order login digits magic"),
        **fields(moment, "open_time close_time expiration timestamp"),
        **fields(number, "open_price close_price sl tp commission commission_agent storage profit taxes margin_rate"),
        "symbol": short_text(11), "comment": short_text(31), "volume": lots, "cmd": one_of(*COMMANDS),
        "reason": one_of(*reasons), "conv_rates": two_numbers, "api_data": api_data,
    }  # fmt: skip


_REQUEST_TYPES = (
    "prices_get", "prices_requote", "order_ie_open", "order_req_open", "order_mk_open", "order_pending_open",
    "order_ie_close", "order_req_close", "order_mk_close", "order_modify", "order_delete", "order_close_by",
    "order_close_all",
)  # fmt: skip


def trade_request(dialect: str) -> dict[str, Check]:
    """A TradeRequest as a client of a dialect sees it."""
    transaction = {
        **fields(integer, "order order_by ie_deviation crc"),
        **fields(number, "price sl tp"),
        "type": one_of(*_REQUEST_TYPES), "symbol": short_text(11), "comment": short_text(31), "volume": lots,
        "expiration": moment, "cmd": one_of(*COMMANDS),
    }  # fmt: skip
    if dialect != "0":
        transaction["flags"] = one_of("none", "signal", "expert", "gateway", "mobile", "web", "api")
    return {
        **fields(integer, "id manager login"),
        **fields(number, "balance credit"),
        "time": moment, "status": one_of("empty", "request", "locked", "answered", "reseted", "canceled"),
        "group": short_text(15), "prices": two_numbers, "trade": record(transaction, open_ended=dialect == "2"),
    }  # fmt: skip


def _records(dialect: str) -> dict[str, Check]:
    tables = {
        "common": COMMON, "group": GROUP, "manager": MANAGER, "user": USER, "tick": TICK, "trade": trade(dialect),
        "trade_request": trade_request(dialect),
    }  # fmt: skip
    return {name: record(table, open_ended=dialect == "2") for name, table in tables.items()}


def results(dialect: str) -> dict[str, Check]:
    """What each function of chapter 3 gives; those that are not named give nothing."""
    known = _records(dialect)
    more = dialect == "2"
    trades = list_of(known["trade"])
    return {
        "config.common.get": known["common"], "config.group.get": known["group"],
        "config.groups.get.all": list_of(known["group"]), "config.manager.get": known["manager"],
        "user.add": record({"login": at_least(1)}, open_ended=more), "users.get": list_of(known["user"]),
        "users.get.all": list_of(known["user"]), "ticks.get": list_of(known["tick"], 1),
        "order.open": record({"order": at_least(1)}, open_ended=more),
        "order.balance": record({"order": at_least(1)}, open_ended=more), "trade.get": known["trade"],
        "trades.get": trades, "trades.get.by_login": trades, "trades.history": trades, "external.command": text,
    }  # fmt: skip


def events(dialect: str) -> dict[str, Check]:
    """What each event of chapter 4 carries."""
    known = _records(dialect)
    return {"connection": boolean, **{kind: known[kind] for kind in EVENT_KINDS if kind != "connection"}}


def answer(dialect: str) -> Check:
    """The envelope of an answer (chapter 2)."""
    if dialect == "2":
        success: dict[str, Check] = {"status": one_of("OK")}
        failure: dict[str, Check] = {"status": one_of("ERROR"), "message": text, "code": text}
    else:
        success, failure = {"status": one_of("OK")}, {"status": one_of("ERROR"), "message": text}

    def check(value: Any) -> str:
        if type(value) is not dict:
            return f"{value!r:.80} is not an object"
        body = {name: each for name, each in value.items() if name != "id"}
        if "id" not in value:
            return "id: is missing"
        if body.get("status") == "OK":
            body.pop("result", None)
            return record(success, open_ended=dialect == "2")(body)
        if not body.get("message"):
            return "message: is missing or empty"
        return record(failure, open_ended=dialect == "2")(body)

    return check
