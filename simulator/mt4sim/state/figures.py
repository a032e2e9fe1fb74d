"""What an account comes to: its margin level now, and what was reported of it at a day's end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class LevelType(IntEnum):
    """Natively ``MARGINLEVEL_*``."""

    OK = 0
    MARGIN_CALL = 1
    STOP_OUT = 2


@dataclass(frozen=True, slots=True)
class MarginLevel:
    """An account's figures (Semantics 2.8). ``balance`` and ``credit`` are apart, where the library's own struct has
    their sum."""

    login: int
    group: str
    leverage: int  # 100 stands for 1:100
    balance: int  # cents of the account's currency
    credit: int  # cents
    floating: int  # cents that closing everything now would bring, swap, commission and taxes included
    equity: int  # cents
    volume: int  # 1/100 lot, of all positions
    margin: int  # cents that the positions bind
    free: int  # cents, by the group's margin mode
    level: float  # percent of the margin, two decimals; 0 without margin
    level_type: LevelType


@dataclass(frozen=True, slots=True)
class DailyReport:
    """An account at a day's end (natively ``DailyReport``)."""

    login: int
    time: int  # Unix seconds in the server's zone
    group: str
    balance_prev: int  # cents of the account's currency, at the end of the day before
    balance: int  # cents
    deposit: int  # cents that balance operations brought on the day
    credit: int  # cents
    profit_closed: int  # cents that the day's closed positions brought, costs included
    profit: int  # cents, floating
    equity: int  # cents
    margin: int  # cents
    free: int  # cents
