"""The records that the peers validate and send: as strict as a hand-written server would be, and partial as the
protocol wants them (``total=False``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict


def _text(most: int) -> object:
    return Field(max_length=most)


Name = Annotated[str, _text(15)]
Short = Annotated[str, _text(31)]
Medium = Annotated[str, _text(63)]
Long = Annotated[str, _text(127)]
Natural = Annotated[int, Field(ge=0, le=2**31 - 1)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
UpTo1 = Annotated[int, Field(ge=0, le=1)]
UpTo2 = Annotated[int, Field(ge=0, le=2)]
UpTo3 = Annotated[int, Field(ge=0, le=3)]
UpTo7 = Annotated[int, Field(ge=0, le=7)]
Right = Literal[
    "email", "trailing", "advisor", "expiration", "signals_all", "signals_own", "risk_warning", "forced_otp"
]  # fmt: skip


class Security(TypedDict, total=False):
    show: bool
    trade: bool
    execution_mode: UpTo2
    commission_base: FiniteFloat
    commission_type: UpTo2
    commission_lots_mode: UpTo1
    commission_agent: FiniteFloat
    commission_agent_type: UpTo2
    spread_diff: Whole
    lot_min: FiniteFloat
    lot_max: FiniteFloat
    lot_step: FiniteFloat
    ie_deviation: Natural
    request_confirmation: bool
    trade_rights: list[Literal["deny-close-by", "deny-multiple-close-by"]] | None
    ie_quick_mode: bool
    auto_closeout_mode: UpTo7
    commission_tax: FiniteFloat
    commission_agent_mode: UpTo1
    free_margin_mode: UpTo2


class Margin(TypedDict, total=False):
    swap_long: FiniteFloat
    swap_short: FiniteFloat
    margin_pct: FiniteFloat


class _GroupKey(TypedDict):
    group: Name


class GroupPatch(_GroupKey, total=False):
    enable: bool
    timeout_seconds: Natural
    otp_mode: UpTo1
    company: Long
    signature: Long
    support_page: Long
    smtp_server: Medium
    smtp_login: Short
    smtp_password: Short
    support_email: Medium
    templates_path: Short
    copies: Natural
    reports: bool
    default_leverage: Natural
    default_deposit: FiniteFloat
    max_symbols: Natural
    currency: Annotated[str, _text(11)]
    credit: FiniteFloat
    margin_call: Natural
    margin_mode: UpTo3
    margin_stopout: Natural
    interest_rate: FiniteFloat
    use_swap: bool
    news: UpTo2
    rights: list[Right]
    check_ie_prices: bool
    max_positions: Natural
    close_reopen: bool
    hedge_prohibited: bool
    close_fifo: bool
    hedge_large_leg: bool
    margin_type: UpTo1
    archive_period: Natural
    archive_max_balance: Whole
    stopout_skip_hedged: bool
    archive_pending_period: bool
    news_languages: Annotated[list[str], Field(max_length=7)]
    securities: dict[str, Security]
    symbols: Annotated[dict[str, Margin], Field(max_length=128)]


class Trade(TypedDict):
    order: int
    login: int
    symbol: str
    digits: int
    cmd: str
    reason: str
    volume: float
    open_time: int
    close_time: int
    expiration: int
    open_price: float
    close_price: float
    sl: float
    tp: float
    conv_rates: tuple[float, float]
    commission: float
    commission_agent: float
    storage: float
    profit: float
    taxes: float
    magic: int
    comment: str
    margin_rate: float
    timestamp: int
    api_data: str
