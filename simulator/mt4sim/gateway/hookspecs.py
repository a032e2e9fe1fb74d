"""Hooks that the simulator brings for other plugins."""

from __future__ import annotations

import pluggy

hookspec = pluggy.HookspecMarker("mt_remote")


@hookspec(firstresult=True)
def mt_remote_simulator_external(command: bytes) -> bytes | None:
    """Answers an external command on the simulator, as a plugin of a real server would; ``None`` leaves it to the
    next. The example that ships answers ``echo …`` with what follows, and base64 ``AQL/`` (01 02 FF) with
    ``EBES`` (10 11 12)."""
