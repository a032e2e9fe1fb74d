"""The example of a server's own plugin, as a plugin of the gateway's."""

from __future__ import annotations

from mt4sim.desk.echo import echo
from mt_remote.plugin import hookimpl


@hookimpl(trylast=True)
def mt_remote_simulator_external(command: bytes) -> bytes | None:
    """See :func:`mt4sim.desk.echo.echo`."""
    return echo(command)
