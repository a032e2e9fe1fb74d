"""The functions and events that MT Remote ships, registered as any plugin's are."""

from __future__ import annotations

from mt_remote.plugin import EventKind, Namespace, hookimpl


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    """Every function of the deployed protocol (chapter 3)."""
    from mt_remote_plugins import config, connection, dealing, external, market, orders, trades, users

    return [
        connection.connection, config.common, config.group, config.groups, config.manager, users.user, users.users,
        market.symbol, market.tick, market.ticks, orders.order, trades.trade, trades.trades, dealing.request,
        external.external,
    ]  # fmt: skip


@hookimpl
def mt_remote_event_kinds() -> list[EventKind]:
    """Every event of the deployed protocol (chapter 4)."""
    from mt_remote_plugins import events

    return events.KINDS
