"""Records in which every field that a client sets has a value, and others in which every field has another one, zeros,
emptiness and the longest texts among them: what is tried first in every run."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_ACCENTS = "Zürich – £ 5 ½ “Größe” naïve ÿ"
"""Letters of the usual code page, a byte each."""


def text(limit: int) -> str:
    """A text of exactly so many bytes in the usual code page."""
    return (_ACCENTS.replace(" ", "_") * (limit // len(_ACCENTS) + 1))[:limit]


SECURITIES = (
    {
        "show": True, "trade": True, "execution_mode": 1, "commission_base": 7.25, "commission_type": 1,
        "commission_lots_mode": 1, "commission_agent": 1.5, "commission_agent_type": 1, "spread_diff": 3,
        "lot_min": 0.01, "lot_max": 100.0, "lot_step": 0.01, "ie_deviation": 5, "request_confirmation": True,
        "ie_quick_mode": True, "trade_rights": ["deny-close-by", "deny-multiple-close-by"], "auto_closeout_mode": 7,
        "commission_tax": 13.0, "commission_agent_mode": 1, "free_margin_mode": 1,
    },
    {
        "show": False, "trade": False, "execution_mode": 0, "commission_base": 0.0, "commission_type": 0,
        "commission_lots_mode": 0, "commission_agent": 0.0, "commission_agent_type": 0, "spread_diff": 0,
        "lot_min": 0.1, "lot_max": 10.0, "lot_step": 0.1, "ie_deviation": 0, "request_confirmation": False,
        "ie_quick_mode": False, "trade_rights": None, "auto_closeout_mode": 0, "commission_tax": 0.0,
        "commission_agent_mode": 0, "free_margin_mode": 0,
    },
)  # fmt: skip

GROUPS: tuple[Json, Json] = (
    {
        "enable": True, "timeout_seconds": 60, "otp_mode": 1, "company": text(31), "signature": "Signed",
        "support_page": "https://example.com", "smtp_server": "mail:25", "smtp_login": "post", "smtp_password": "Post1",
        "support_email": "help@example.com", "templates_path": "templates", "copies": 9, "reports": True,
        "default_leverage": 200, "default_deposit": 1234.56, "max_symbols": 4096, "margin_call": 80, "margin_mode": 3,
        "margin_stopout": 30, "interest_rate": 1.25, "use_swap": True, "news": 2,
        "rights": ["email", "trailing", "advisor", "expiration", "signals_all", "risk_warning"],
        "check_ie_prices": True, "max_positions": 100, "close_reopen": True, "hedge_prohibited": True,
        "close_fifo": True, "hedge_large_leg": True, "margin_type": 1, "archive_period": 90, "archive_max_balance": 10,
        "stopout_skip_hedged": True, "archive_pending_period": True, "news_languages": ["ru-RU", "de-DE"],
        "credit": 500.5, "securities": {"Forex": SECURITIES[0], "Metals": SECURITIES[0]},
        "symbols": {
            "EURUSD": {"swap_long": -1.5, "swap_short": 0.25, "margin_pct": 200.0},
            "USDJPY": {"swap_long": 0.5, "swap_short": -2.0, "margin_pct": 50.0},
        },
    },
    {
        "enable": False, "timeout_seconds": 0, "otp_mode": 0, "company": "", "signature": text(31), "support_page": "",
        "smtp_server": "", "smtp_login": "", "smtp_password": "", "support_email": "", "templates_path": "",
        "copies": 0, "reports": False, "default_leverage": 1, "default_deposit": 0.0, "max_symbols": 1,
        "margin_call": 0, "margin_mode": 0, "margin_stopout": 0, "interest_rate": 0.0, "use_swap": False, "news": 0,
        "rights": [], "check_ie_prices": False, "max_positions": 0, "close_reopen": False, "hedge_prohibited": False,
        "close_fifo": False, "hedge_large_leg": False, "margin_type": 0, "archive_period": 0, "archive_max_balance": 0,
        "stopout_skip_hedged": False, "archive_pending_period": False, "news_languages": [], "credit": 0.0,
        "securities": {"Forex": SECURITIES[1]},
        "symbols": {"EURUSD": {"swap_long": 0.0, "swap_short": 0.0, "margin_pct": 100.0}, "USDJPY": None},
    },
)  # fmt: skip
"""The second takes a symbol's entry away."""

USERS: tuple[Json, Json] = (
    {
        "name": text(60), "password_phone": "Phone1", "country": "Österreich", "city": "Graz", "state": "Steiermark",
        "zipcode": "8010", "lead_source": "web", "phone": "+43 1", "id": "P 123", "status": "VIP", "address": text(60),
        "email": "user@example.com", "comment": text(40), "enable": True, "enable_change_password": True,
        "read_only": True, "enable_otp": True, "send_reports": True, "leverage": 500, "taxes": 13.0,
        "mqid": 2**31 - 1, "user_color": 2**32 - 1, "api_data": "AQIDBAUGBwgJCgsMDQ4PEA==",
    },
    {
        "name": "B", "password_phone": "", "country": "", "city": "", "state": "", "zipcode": "", "lead_source": "",
        "phone": "", "id": "", "status": "", "address": "", "email": "", "comment": "", "enable": False,
        "enable_change_password": False, "read_only": False, "enable_otp": False, "send_reports": False,
        "leverage": 1, "taxes": 0.0, "mqid": 0, "user_color": 0, "api_data": "",
    },
)  # fmt: skip

COMMONS: tuple[Json, Json] = (
    {
        "name": text(31), "timeout": 600, "keep_emails_days": 365, "keep_ticks_days": 30, "antiflood": True,
        "antiflood_max_connections": 100, "statement_weekend": True, "liveupdate_mode": 2, "monthly_state_mode": 1,
        "optimization_time_minutes": "23:59", "web_adresses": ["10.0.0.1", "255.255.255.255"],
        "bind_adresses": ["127.0.0.1"], "timesync_server": "time.example.com", "feeder_timeout_seconds": 60,
        "account_url": "https://example.com",
    },
    {
        "name": "K", "timeout": 1, "keep_emails_days": 0, "keep_ticks_days": 0, "antiflood": False,
        "antiflood_max_connections": 0, "statement_weekend": False, "liveupdate_mode": 0, "monthly_state_mode": 0,
        "optimization_time_minutes": "0:0", "web_adresses": [], "bind_adresses": [], "timesync_server": "",
        "feeder_timeout_seconds": 0, "account_url": "",
    },
)  # fmt: skip

_RIGHTS = ("manager", "money", "online", "riskman", "broker", "admin", "logs", "reports", "trades", "market_watch",
           "email", "user_details", "see_trades", "news", "plugins", "server_reports", "techsupport", "market",
           "notifications")  # fmt: skip

MANAGERS: tuple[Json, Json] = (
    {
        **dict.fromkeys(_RIGHTS, True), "ip_filter": False, "ip_from": "10.0.0.1", "ip_to": "10.0.0.255",
        "name": text(31), "mailbox": "Support", "info_depth": 30, "groups": ["manager", "mini*", "*"],
        "securities": {
            "Forex": {"enable": True, "minimum_lots": 2.0, "maximum_lots": 100.0},
            "Metals": {"enable": True, "minimum_lots": 0.01, "maximum_lots": 1.0},
        },
    },
    {
        **dict.fromkeys(_RIGHTS, False), "ip_filter": False, "ip_from": "0.0.0.0", "ip_to": "0.0.0.0", "name": "",
        "mailbox": "", "info_depth": 0, "groups": [],
        "securities": {"Forex": {"enable": False, "minimum_lots": 0.0, "maximum_lots": 0.0}},
    },
)  # fmt: skip

HOLIDAYS: tuple[Json, Json] = (
    {"year": 2031, "month": 12, "day": 25, "from": "9:30", "to": "24:0", "symbol": "Forex", "enable": True},
    {"year": 0, "month": 1, "day": 1, "from": "0:0", "to": "0:0", "symbol": "All", "enable": False},
)

SYMBOLS: tuple[Json, Json] = (
    {
        "security": "Forex",
        "digits": 5,
        "description": text(63),
        "currency": "EUR",
        "trade_mode": "full",
        "color": 0x00FF80,
        "realtime": True,
        "sessions": {
            "monday": {"quotes": [{"from": "0:0", "to": "24:0"}], "trades": [{"from": "0:5", "to": "23:55"}]},
            "sunday": {"quotes": [{"from": "22:0", "to": "23:0"}, {"from": "23:30", "to": "24:0"}], "trades": []},
        },
        "profit_mode": "cfd",
        "filter": 50,
        "filter_limit": 0.5,
        "filter_smoothing": 2,
        "log_quotes": True,
        "spread": 12,
        "spread_balance": -6,
        "execution_mode": "market",
        "swap_enable": True,
        "swap_type": "interest",
        "swap_long": -1.25,
        "swap_short": 0.5,
        "swap_triple_day": 2,
        "swap_open_price": True,
        "contract_size": 100_000.0,
        "tick_value": 10.0,
        "tick_size": 0.00001,
        "stops_level": 10,
        "freeze_level": 5,
        "pendings_mode": "gtc",
        "margin_mode": "cfd_leverage",
        "margin_initial": 1000.0,
        "margin_maintenance": 900.0,
        "margin_hedged": 50_000.0,
        "margin_pct": 50.0,
        "margin_currency": "EUR",
        "margin_hedged_strong": True,
        "long_only": True,
        "instant_max_lots": 12.34,
        "quotes_delay": 30,
    },
    {
        "security": "Metals",
        "digits": 0,
        "description": "",
        "currency": "USD",
        "trade_mode": "no",
        "color": 0,
        "realtime": False,
        "sessions": {"monday": {"trades": []}},
        "profit_mode": "forex",
        "filter": 0,
        "filter_limit": 0.0,
        "filter_smoothing": 0,
        "log_quotes": False,
        "spread": 0,
        "spread_balance": 0,
        "execution_mode": "request",
        "swap_enable": False,
        "swap_type": "points",
        "swap_long": 0.0,
        "swap_short": 0.0,
        "swap_triple_day": 0,
        "swap_open_price": False,
        "contract_size": 1.0,
        "tick_value": 0.0,
        "tick_size": 0.0,
        "stops_level": 0,
        "freeze_level": 0,
        "pendings_mode": "daily",
        "margin_mode": "forex",
        "margin_initial": 0.0,
        "margin_maintenance": 0.0,
        "margin_hedged": 0.0,
        "margin_pct": 100.0,
        "margin_currency": "USD",
        "margin_hedged_strong": False,
        "long_only": False,
        "instant_max_lots": 0.0,
        "quotes_delay": 0,
    },
)
"""The second has other sessions on one day alone, and closes it."""

TABLES: dict[str, tuple[Json, Json]] = {"holidays": HOLIDAYS, "symbols": SYMBOLS, "managers": MANAGERS}
"""Two rows of each table, by its name."""
