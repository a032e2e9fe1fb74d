"""The conformance kit: one body of laws that any gateway, and the MT4 server behind it, can be held against.

    from mt_remote_conformance import Effort, Profile, Target, examine, serving, text

    with serving(MyBackend(...)) as target:      # any backend; or Target("wss://…") for any gateway
        report = examine(target, Profile.FULL, Effort(cases=20))
    print(text(report))
    assert report.ok

:data:`LAWS` are numbered and have their source in the protocol or the server's semantics. Suites of cases, and a state
machine, play sessions of all dialects against the target beside a model that shares no code with gateway or simulator;
:mod:`~mt_remote_conformance.strategies` gives records, partial updates, orders' lives and prices to tests of your own.
``mt-remote conformance`` is the same from the command line.

Needs ``pip install 'mt-remote[conformance]'``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mt_remote_conformance.laws import AREAS, KIT_VERSION, LAWS, Law
    from mt_remote_conformance.running.report import html, junit, text
    from mt_remote_conformance.running.runner import Effort, Failure, Played, Report, examine
    from mt_remote_conformance.running.script import save
    from mt_remote_conformance.sessions.judge import Broken
    from mt_remote_conformance.targets import Profile, Target, serving

__all__ = [
    "AREAS", "KIT_VERSION", "LAWS", "Broken", "Effort", "Failure", "Law", "Played", "Profile", "Report", "Target",
    "examine", "html", "junit", "save", "serving", "text",
]  # fmt: skip

_HOMES = {
    "laws": ("AREAS", "KIT_VERSION", "LAWS", "Law"),
    "running.report": ("html", "junit", "text"),
    "running.runner": ("Effort", "Failure", "Played", "Report", "examine"),
    "running.script": ("save",),
    "sessions.judge": ("Broken",),
    "targets": ("Profile", "Target", "serving"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Loads a name when it is asked for (PEP 562). The command line loads this package to learn that there is a command
    ``conformance``, also where hypothesis is not installed, and must not wait for it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
