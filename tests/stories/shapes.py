"""Chapter 5 of the protocol, written down a second time: every record's fields and JSON types, by dialect.

Clients of dialects ``0`` and ``1.00`` refuse anything else, so this stands apart from the code that it checks.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]


def integer(value: Any) -> bool:
    return type(value) is int


def number(value: Any) -> bool:
    return type(value) in (int, float)


def boolean(value: Any) -> bool:
    return type(value) is bool


def text(value: Any) -> bool:
    return type(value) is str


def one_of(*values: object) -> Check:
    return lambda value: value in values and type(value) is type(values[0])


def ipv4(value: Any) -> bool:
    return text(value) and re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", value) is not None


def hour_minute(value: Any) -> bool:
    return text(value) and re.fullmatch(r"(0|[1-9]\d?):(0|[1-9]\d?)", value) is not None


def list_of(check: Check, most: int = 10**6) -> Check:
    return lambda value: type(value) is list and len(value) <= most and all(map(check, value))


def map_of(check: Check) -> Check:
    return lambda value: type(value) is dict and all(map(text, value)) and all(map(check, value.values()))


def api_data(value: Any) -> bool:
    return value == "" or (text(value) and len(base64.b64decode(value, validate=True)) == 16 and any(
        base64.b64decode(value)
    ))  # fmt: skip


def two_numbers(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and all(map(number, value))


def fields(check: Check, names: str) -> dict[str, Check]:
    return dict.fromkeys(names.split(), check)


def record(table: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        assert type(value) is dict, value
        assert set(value) == set(table), (set(value) ^ set(table), value)
        for name, kind in table.items():
            assert kind(value[name]), (name, value[name])
        return True

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

DENIALS = one_of("deny-close-by", "deny-multiple-close-by")

SECURITY = {
    **fields(boolean, "show trade request_confirmation ie_quick_mode"),
    **fields(number, "commission_base commission_agent lot_min lot_max lot_step commission_tax"),
    **fields(integer, "spread_diff ie_deviation execution_mode commission_type commission_lots_mode "
             "commission_agent_type auto_closeout_mode commission_agent_mode free_margin_mode"),
    "trade_rights": lambda value: value is None or (list_of(DENIALS)(value) and value != []),
}  # fmt: skip

RIGHT = one_of("email", "trailing", "advisor", "expiration", "signals_all", "signals_own", "risk_warning",
               "forced_otp")  # fmt: skip

GROUP = {
    **fields(text, "group company signature support_page smtp_server smtp_login smtp_password support_email "
             "templates_path currency"),
    **fields(boolean, "enable reports use_swap check_ie_prices close_reopen hedge_prohibited close_fifo "
             "hedge_large_leg stopout_skip_hedged archive_pending_period"),
    **fields(integer, "timeout_seconds otp_mode copies default_leverage max_symbols margin_call margin_mode "
             "margin_stopout news max_positions margin_type archive_period archive_max_balance"),
    **fields(number, "default_deposit credit interest_rate"),
    "rights": list_of(RIGHT), "news_languages": list_of(text, 7), "securities": map_of(record(SECURITY)),
    "symbols": map_of(record(fields(number, "swap_long swap_short margin_pct"))),
}  # fmt: skip

MANAGER = {
    **fields(integer, "login info_depth"),
    **fields(text, "name mailbox"),
    **fields(boolean, "manager money online riskman broker admin logs reports trades market_watch email user_details "
             "see_trades news plugins server_reports techsupport market notifications ip_filter"),
    "ip_from": ipv4, "ip_to": ipv4, "groups": list_of(text),
    "securities": map_of(record({"enable": boolean, "minimum_lots": number, "maximum_lots": number})),
}  # fmt: skip

USER = {
    **fields(integer, "login leverage agent_account mqid user_color last_date reg_date timestamp"),
    **fields(text, "group password_phone name country city state zipcode address lead_source phone email comment id "
             "status"),
    **fields(boolean, "enable enable_change_password read_only enable_otp send_reports"),
    **fields(number, "taxes prev_month_balance prev_day_balance prev_month_equity prev_day_equity interestrate "
             "balance credit"),
    "api_data": api_data, "last_ip": ipv4,
}  # fmt: skip

TICK = {"symbol": text, "time": integer, "bid": number, "ask": number}

COMMANDS = ("buy", "sell", "buy_limit", "buy_stop", "sell_limit", "sell_stop", "balance", "credit")
OLD_REASONS = ("client", "expert", "dealer", "signal", "gateway")


def trade(dialect: str) -> dict[str, Check]:
    reasons = OLD_REASONS if dialect != "2" else (*OLD_REASONS, "mobile", "web", "api")
    return {
        **fields(integer, "order login digits open_time close_time expiration magic timestamp"),
        **fields(text, "symbol comment"),
        **fields(number, "volume open_price close_price sl tp commission commission_agent storage profit taxes "
                 "margin_rate"),
        "cmd": one_of(*COMMANDS), "reason": one_of(*reasons), "conv_rates": two_numbers, "api_data": api_data,
    }  # fmt: skip


def request(dialect: str) -> dict[str, Check]:
    transaction = {
        **fields(integer, "order order_by ie_deviation expiration crc"),
        **fields(text, "type symbol comment"),
        **fields(number, "volume price sl tp"),
        "cmd": one_of(*COMMANDS),
    }
    if dialect != "0":
        transaction["flags"] = one_of("none", "signal", "expert", "gateway", "mobile", "web", "api")
    return {
        **fields(integer, "id time manager login"),
        **fields(number, "balance credit"),
        "status": one_of("empty", "request", "locked", "answered", "reseted", "canceled"), "group": text,
        "prices": two_numbers, "trade": record(transaction),
    }  # fmt: skip


def results(dialect: str) -> dict[str, Check]:
    """What each function of chapter 3 gives; the others give nothing."""
    trades = list_of(record(trade(dialect)))
    return {
        "config.common.get": record(COMMON), "config.group.get": record(GROUP),
        "config.groups.get.all": list_of(record(GROUP)), "config.manager.get": record(MANAGER),
        "user.add": record({"login": integer}), "users.get": list_of(record(USER)),
        "users.get.all": list_of(record(USER)), "ticks.get": list_of(record(TICK), 1),
        "order.open": record({"order": integer}), "order.balance": record({"order": integer}),
        "trade.get": record(trade(dialect)), "trades.get": trades, "trades.get.by_login": trades,
        "trades.history": trades, "external.command": text,
    }  # fmt: skip


def events(dialect: str) -> dict[str, Check]:
    """What each event of chapter 4 carries."""
    return {
        "connection": boolean, "group": record(GROUP), "user": record(USER), "trade": record(trade(dialect)),
        "tick": record(TICK), "trade_request": record(request(dialect)),
    }  # fmt: skip
