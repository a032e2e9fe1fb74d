"""The data of the benchmarks: the same bytes for every server."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

GROUP = "demoforex"
SECURITIES = ("Forex", "CFD", "Indexes", "Metals", "Futures")

_TEXTS = {
    "company": "Example Brokers Ltd, 1 Exchange Square",
    "signature": "Yours, the back office of Example Brokers",
    "support_page": "https://www.example.com/support/trading",
    "smtp_server": "smtp.example.com:587",
    "smtp_login": "reports@example.com",
    "smtp_password": "not-a-secret",
    "support_email": "support@example.com",
    "templates_path": "templates\\demoforex",
    "currency": "USD",
}  # fmt: skip
_NUMBERS = {
    "timeout_seconds": 180, "otp_mode": 0, "copies": 1, "default_leverage": 100, "default_deposit": 10000.0,
    "max_symbols": 0, "credit": 0.0, "margin_call": 50, "margin_mode": 1, "margin_stopout": 20, "interest_rate": 2.5,
    "news": 2, "max_positions": 200, "margin_type": 0, "archive_period": 90, "archive_max_balance": 100,
}  # fmt: skip
_FLAGS = (
    "enable", "reports", "use_swap", "check_ie_prices", "close_reopen", "hedge_prohibited", "close_fifo",
    "hedge_large_leg", "stopout_skip_hedged", "archive_pending_period",
)  # fmt: skip
_SECURITY = {
    "show": True, "trade": True, "execution_mode": 1, "commission_base": 3.5, "commission_type": 0,
    "commission_lots_mode": 0, "commission_agent": 1.25, "commission_agent_type": 0, "spread_diff": 2,
    "lot_min": 0.01, "lot_max": 100.0, "lot_step": 0.01, "ie_deviation": 5, "request_confirmation": True,
    "trade_rights": ["deny-close-by"], "ie_quick_mode": False, "auto_closeout_mode": 0, "commission_tax": 0.5,
    "commission_agent_mode": 0, "free_margin_mode": 0,
}  # fmt: skip
_MARGINS = ("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "USDCAD", "NZDUSD")


def group_patch() -> dict[str, Any]:
    """What ``config.group.set`` gets: all of a group, five securities, seven symbols; 3.6 KB of JSON, 159 values."""
    return {
        "group": GROUP,
        **_TEXTS,
        **_NUMBERS,
        **dict.fromkeys(_FLAGS, True),
        "rights": ["email", "trailing", "advisor", "expiration"],
        "news_languages": ["en-US", "de-DE"],
        "securities": dict.fromkeys(SECURITIES, _SECURITY),
        "symbols": {name: {"swap_long": -2.5, "swap_short": 0.75, "margin_pct": 50.0} for name in _MARGINS},
    }


@cache
def trades(count: int) -> list[dict[str, Any]]:
    """Open trades as the protocol sends them, about 500 bytes of JSON each."""
    return [_trade(number) for number in range(count)]


def _trade(number: int) -> dict[str, Any]:
    return {
        "order": 1000 + number, "login": 100 + number % 500, "symbol": "EURUSD", "digits": 5,
        "cmd": "sell" if number % 2 else "buy", "reason": "client", "volume": 0.1 + number % 10,
        "open_time": 1_700_000_000 + number, "close_time": 0, "expiration": 0, "open_price": 1.10042,
        "close_price": 1.10117, "sl": 1.09, "tp": 1.12, "conv_rates": (1.0, 0.0), "commission": -0.7,
        "commission_agent": 0.0, "storage": -1.25, "profit": 7.5, "taxes": 0.0, "magic": 0, "comment": f"desk {number}",
        "margin_rate": 1.10042, "timestamp": 1_700_000_000 + number, "api_data": "",
    }  # fmt: skip


def request(name: str, data: object) -> str:
    """A request without its id, as the load generators take it."""
    return f'"name":{json.dumps(name)},"data":{json.dumps(data, separators=(",", ":"))}'
