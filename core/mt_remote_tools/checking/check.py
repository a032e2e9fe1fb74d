"""The whole check: loads the plugin, looks at it, tries it out."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable, Iterable, Sequence

import pluggy

from mt_remote.errors import DeprecatedHook, PluginError
from mt_remote.plugin import PROJECT
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import load_plugin
from mt_remote.settings import Settings
from mt_remote_tools.checking import laws, source
from mt_remote_tools.checking.findings import Finding
from mt_remote_tools.checking.registered import Registered
from mt_remote_tools.checking.subject import Subject
from mt_remote_tools.loading import loaded
from mt_remote_tools.testing import stands

_IN_THE_WAY = ("MR001", "MR002", "MR101", "MR102", "MR104", "MR106", "MR201", "MR202", "MR204", "MR205", "MR301",
               "MR306")  # fmt: skip
"""With one of these a gateway would not start."""


def _silent(_note: str) -> None:
    """Nobody listens."""


def check(
    names: Sequence[str],
    *,
    plugins: Iterable[str] = (),
    run: bool = True,
    note: Callable[[str], object] = _silent,
) -> list[Finding]:
    """The mistakes in plugins: modules' names, or paths of one-file plugins. ``plugins`` are others to load beside
    those that are installed. ``run`` says whether to call their functions, on a server in memory; ``note`` is
    told why they were not.

    Raises :class:`~mt_remote.errors.PluginError` for a mistake in one of the others.
    """
    own = {*names, *_of_the_same_authors(names)}
    manager = loaded([name for name in plugins if name not in own], without=own)
    subjects, found = _load(names)
    _add_hooks_of(subjects, manager)
    backends = sorted({spec.name for _, spec in Hooks(manager).backends()})
    looked = [Registered(subject, manager, backends) for subject in subjects]
    for each in looked:
        each.look()
        found += each.findings
    found += _twice(looked)
    kinds = {kind.name for _, kind in Hooks(manager).event_kinds()} | {k.name for each in looked for k in each.kinds}
    for subject in subjects:
        found += source.look(subject, kinds)
    if run and any(each.code in _IN_THE_WAY for each in found):
        note("its functions were not called: mend what is in the way of starting first")
    elif run and not stands(manager):
        note("its functions were not called: no plugin brings a test stand")
    elif run:
        found += _try_out(subjects, manager)
    return list(dict.fromkeys(found))


def _of_the_same_authors(names: Sequence[str]) -> set[str]:
    """Installed plugins out of the packages that are checked: they are no strangers to each other."""
    packages = {name.partition(".")[0] for name in names if not name.endswith(".py")}
    points = importlib.metadata.entry_points(group=PROJECT)
    return {point.module for point in points if point.module.partition(".")[0] in packages}


def _load(names: Sequence[str]) -> tuple[list[Subject], list[Finding]]:
    subjects, found = [], []
    for name in names:
        try:
            subjects.append(Subject(name, load_plugin(name)))
        except PluginError as error:
            found.append(Finding("MR001", f"{name}:1", str(error)))
    return subjects, found


def _add_hooks_of(subjects: list[Subject], manager: pluggy.PluginManager) -> None:
    """Hooks that the plugins bring, for each other or for themselves. One that fails is found by the look at it."""
    for subject in subjects:
        if manager.parse_hookimpl_opts(subject.module, "mt_remote_hookspecs") is not None:
            try:
                for module in subject.module.mt_remote_hookspecs():
                    manager.add_hookspecs(module)
            except Exception:  # noqa: BLE001  Registered calls it too, and says so
                continue


def _twice(looked: list[Registered]) -> list[Finding]:
    """Functions that two of the plugins declare."""
    owners: dict[str, Subject] = {}
    found = []
    for each in looked:
        for declared in each.functions:
            other = owners.setdefault(declared.name, each.subject)
            if other is not each.subject:
                place = each.subject.place(declared.handler)
                found.append(Finding("MR202", place, f"the function {declared.name!r} is {other.name}'s already"))
    return found


def _try_out(subjects: list[Subject], manager: pluggy.PluginManager) -> list[Finding]:
    """On the backend that ``serve`` takes, or on any that has a stand."""
    available = stands(manager)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedHook)
        for subject in subjects:
            manager.register(subject.module, subject.name)
    default = str(Settings.model_fields["backend"].default)
    return laws.try_out(subjects, manager, default if default in available else sorted(available)[0])
