"""The areas that MT Remote ships: what a plugin asks a connection for, ``await mt[Orders].close_by(1, 2)``."""

from __future__ import annotations

from mt_remote_plugins.config import Common, Groups, Holidays, Managers, Symbols
from mt_remote_plugins.dealing import Dealing
from mt_remote_plugins.external import External, ExternalBytes
from mt_remote_plugins.market import Market
from mt_remote_plugins.orders import NewTicket, Orders
from mt_remote_plugins.trades import Trades, end_of
from mt_remote_plugins.users import NewLogin, Users

AREAS = (Common, Groups, Managers, Symbols, Holidays, Users, Market, Trades, Orders, Dealing, External)
"""All of them."""

__all__ = [
    "AREAS",
    "Common",
    "Dealing",
    "External",
    "ExternalBytes",
    "Groups",
    "Holidays",
    "Managers",
    "Market",
    "NewLogin",
    "NewTicket",
    "Orders",
    "Symbols",
    "Trades",
    "Users",
    "end_of",
]
