"""What a connection over the library offers: a class an area."""

from __future__ import annotations

from mt_remote.area import Area
from mt_remote_plugins.manager.accounts import LibraryMarket, LibraryUsers
from mt_remote_plugins.manager.configuration import CONFIGURATION
from mt_remote_plugins.manager.trading import LibraryDealing, LibraryExternal, LibraryOrders, LibraryTrades

AREAS: tuple[type[Area], ...] = (
    *CONFIGURATION,
    LibraryUsers,
    LibraryMarket,
    LibraryTrades,
    LibraryOrders,
    LibraryDealing,
    LibraryExternal,
)
