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

from mt_remote_conformance.judge import Broken
from mt_remote_conformance.laws import AREAS, KIT_VERSION, LAWS, Law
from mt_remote_conformance.report import html, junit, text
from mt_remote_conformance.runner import Effort, Failure, Played, Report, examine
from mt_remote_conformance.script import save
from mt_remote_conformance.targets import Profile, Target, serving

__all__ = [
    "AREAS", "KIT_VERSION", "LAWS", "Broken", "Effort", "Failure", "Law", "Played", "Profile", "Report", "Target",
    "examine", "html", "junit", "save", "serving", "text",
]  # fmt: skip
