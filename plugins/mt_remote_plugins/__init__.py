"""The functions and events that MT Remote ships, registered as any plugin's are."""

from __future__ import annotations

from mt_remote.plugin import Area, EventKind, Namespace, hookimpl


@hookimpl
def mt_remote_namespaces() -> list[Namespace | type[Area]]:
    """Every function of the deployed protocol (chapter 3), and the configuration's tables."""
    from mt_remote_plugins import connection
    from mt_remote_plugins.areas import AREAS

    return [connection.connection, *AREAS]


@hookimpl
def mt_remote_event_kinds() -> list[EventKind]:
    """Every event of the deployed protocol (chapter 4)."""
    from mt_remote_plugins import events

    return events.KINDS
