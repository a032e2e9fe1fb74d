"""What a plugin registers: hooks, functions, kinds of event; their names, signatures and docs."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from mt_remote.dispatch.functions import Function
from mt_remote.errors import DeprecatedHook, PluginError
from mt_remote.plugin import PROJECT, Declared, EventKind, Namespace
from mt_remote.plugins.hooks import Hooks, areas_by, given_by
from mt_remote.plugins.host import has_version
from mt_remote_tools.checking.findings import Finding
from mt_remote_tools.checking.subject import Subject

_VETO = "mt_remote_call_started"
_LISTS = (
    "mt_remote_namespaces",
    "mt_remote_implementations",
    "mt_remote_backend_namespaces",
    "mt_remote_event_kinds",
    "mt_remote_backends",
    "mt_remote_stands",
    "mt_remote_hookspecs",
)


class Registered:
    """A subject's hooks against the hooks that there are. ``manager`` has the other plugins."""

    def __init__(self, subject: Subject, manager: pluggy.PluginManager, backends: list[str]) -> None:
        self.subject = subject
        self.manager = manager
        self.backends = backends
        self.functions: list[Declared] = []
        self.kinds: list[EventKind] = []
        self.findings: list[Finding] = []

    def look(self) -> None:
        """Fills :attr:`findings`, :attr:`functions` and :attr:`kinds`."""
        self._version()
        implementations = dict(self._implementations())
        if not implementations:
            self._found("MR002", f"{self.subject.name} implements no hook")
        for name, function in implementations.items():
            self._hook(name, function)
        self._lists(implementations)
        for declared in self.functions:
            self._function(declared)

    def _found(self, code: str, message: str, function: Callable[..., Any] | None = None) -> None:
        self.findings.append(Finding(code, self.subject.place(function), message))

    def _version(self) -> None:
        wanted = getattr(self.subject.module, "mt_remote_api", None)
        if wanted is not None and not has_version(wanted):
            self._found("MR106", f"it needs version {wanted!r} of the hooks, which this gateway does not have")

    def _implementations(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        for name, each in list(vars(self.subject.module).items()):
            options = self.manager.parse_hookimpl_opts(self.subject.module, name)
            if options is not None:
                yield options.get("specname") or name, each
            elif name.startswith(f"{PROJECT}_") and inspect.isroutine(each) and hasattr(self.manager.hook, name):
                self._found("MR103", f"{name} has a hook's name and no @hookimpl", each)

    def _hook(self, name: str, function: Callable[..., Any]) -> None:
        caller = getattr(self.manager.hook, name, None)
        if caller is None or not caller.has_spec():
            known = [each for each in vars(self.manager.hook) if not each.startswith("_")]
            near = difflib.get_close_matches(name, known, n=1)
            self._found(
                "MR101", f"there is no hook {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""), function
            )
            return
        expected = list(caller.spec.argnames)
        taken = list(inspect.signature(function).parameters)
        if wrong := [each for each in taken if each not in expected]:
            has = ", ".join(expected) or "none"
            self._found("MR102", f"{name} takes {', '.join(wrong)}; the hook's arguments are: {has}", function)
        warning = caller.spec.warn_on_impl
        if isinstance(warning, DeprecatedHook):
            self._found("MR105", str(warning), function)
        if name == _VETO and not inspect.getdoc(function):
            self._found("MR107", f"{name} does not say what it refuses", function)

    # What the hooks give

    def _lists(self, implementations: dict[str, Callable[..., Any]]) -> None:
        if {each.code for each in self.findings} & {"MR101", "MR102"}:
            return
        plugins = pluggy.PluginManager(PROJECT)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecatedHook)
            plugins.register(self.subject.module, self.subject.name)
        for name in _LISTS:
            if name in implementations:
                (implementation,) = getattr(plugins.hook, name).get_hookimpls()
                try:
                    self._list(name, implementation)
                except PluginError as error:
                    self._found("MR104", str(error), implementations[name])

    def _list(self, name: str, implementation: pluggy.HookImpl) -> None:
        if name == "mt_remote_namespaces":
            self._take(given_by(implementation, Namespace))
        elif name == "mt_remote_backend_namespaces":
            takes = "backend" in implementation.argnames
            seen: dict[str, Namespace] = {}
            for backend in self.backends:
                found = given_by(implementation, Namespace, *([backend] if takes else []))
                seen |= {namespace.name: namespace for namespace in found}
            self._take(list(seen.values()))
        elif name == "mt_remote_implementations":
            for backend in self.backends:
                areas_by(implementation, *([backend] if "backend" in implementation.argnames else []))
        elif name == "mt_remote_event_kinds":
            for kind in given_by(implementation, EventKind):
                self._kind(kind, implementation.function)
        else:
            given_by(implementation, object)

    def _take(self, namespaces: list[Namespace]) -> None:
        for namespace in namespaces:
            self.functions += namespace.functions

    def _kind(self, kind: EventKind, where: Callable[..., Any]) -> None:
        self.kinds.append(kind)
        if not kind.name.replace(".", "_").isidentifier() or kind.name != kind.name.lower():
            self._found("MR204", f"the kind of event {kind.name!r} has no proper name", where)
        if not kind.help.strip():
            self._found("MR303", f"the kind of event {kind.name!r} does not say what it means", where)
        for plugin, other in Hooks(self.manager).event_kinds():
            if other.name == kind.name:
                self._found("MR205", f"the kind of event {kind.name!r} is plugin {plugin!r}'s already", where)

    # Functions

    def _function(self, declared: Declared) -> None:
        handler = declared.handler
        if not all(part.isidentifier() and part == part.lower() for part in declared.name.split(".")):
            self._found("MR201", f"the function {declared.name!r} has no proper name", handler)
        else:
            self._owner(declared)
        if not inspect.getdoc(handler):
            self._found("MR302", f"the function {declared.name!r} has no docstring", handler)
        signature = inspect.signature(handler)
        own = 0 if declared.area is None else 1  # the first of a method is the area itself
        parameters = list(signature.parameters.values())[own:]
        bare = [each.name for each in parameters if each.annotation is each.empty]
        if signature.return_annotation is signature.empty:
            bare.append("the result")
        if bare:
            self._found("MR301", f"{declared.name}: no annotation of {', '.join(bare)}", handler)
            return
        error = self._refusal(declared)
        if error is None or any(e.code == "MR201" and repr(declared.name) in e.message for e in self.findings):
            return
        without = dataclasses.replace(declared, listing=None)
        its_listing = declared.listing is not None and self._refusal(without) is None
        self._found("MR306" if its_listing else "MR301", str(error), handler)

    def _refusal(self, declared: Declared) -> PluginError | None:
        """Why a gateway would not take a function."""
        try:
            Function(declared, self.subject.name)
        except PluginError as error:
            return error
        return None

    def _owner(self, declared: Declared) -> None:
        """Whose the name is, and whose the namespace: the one before the first dot."""
        first, dot, _ = declared.name.partition(".")
        if next(each for each in self.functions if each.name == declared.name) is not declared:
            self._found("MR202", f"the function {declared.name!r} is declared twice", declared.handler)
        for owner, name in self._others():
            if name == declared.name:
                self._found("MR202", f"the function {name!r} is plugin {owner!r}'s already", declared.handler)
                return
        if not dot:
            self._found("MR203", f"the function {first!r} stands in no namespace", declared.handler)
            return
        owners = {owner for owner, name in self._others() if name.partition(".")[0] == first}
        if owners or first == PROJECT:
            whose = f"plugin {sorted(owners)[0]!r}'s" if owners else "reserved"
            self._found("MR203", f"{declared.name!r}: the namespace {first!r} is {whose}", declared.handler)

    def _others(self) -> list[tuple[str, str]]:
        """(plugin, function) of the plugins of other authors."""
        found = []
        for backend in self.backends:
            for plugin, namespace in Hooks(self.manager).namespaces(backend):
                found += [(plugin, declared.name) for declared in namespace.functions]
        return found
