"""Typed wrappers round the hooks. A hook that nobody implements costs one attribute look-up."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import pluggy

from mt_remote.area import Area
from mt_remote.errors import InternalError, PluginError, RequestError
from mt_remote.interfaces import Call, EventKind, Gateway, Outcome, Session
from mt_remote.logs import Log
from mt_remote.plugin import BackendSpec, Namespace

_T = TypeVar("_T")

log = Log()


class Hooks:
    """The hooks of one plugin manager."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.manager = manager
        hook = manager.hook
        self.watches_starts = bool(hook.mt_remote_call_started.get_hookimpls())
        self.watches_finishes = bool(hook.mt_remote_call_finished.get_hookimpls())

    def plugin_name(self, plugin: object) -> str:
        """The name under which a plugin was registered."""
        return self.manager.get_name(plugin) or repr(plugin)

    def namespaces(self, backend: str) -> list[tuple[str, Namespace]]:
        """(plugin, namespace) of every namespace served on a backend."""
        return [*self._namespaces("mt_remote_namespaces", backend), *self.backend_namespaces(backend)]

    def backend_namespaces(self, backend: str) -> list[tuple[str, Namespace]]:
        """Those of them that are served only on this backend."""
        return list(self._namespaces("mt_remote_backend_namespaces", backend))

    def _namespaces(self, hook: str, backend: str) -> Iterator[tuple[str, Namespace]]:
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            for namespace in given_by(implementation, Namespace, *_for_backend(implementation, backend)):
                yield implementation.plugin_name, namespace

    def implementations(self, backend: str) -> list[type[Area]]:
        """What plugins bring of areas for a backend that is another's."""
        found: list[type[Area]] = []
        for implementation in self.manager.hook.mt_remote_implementations.get_hookimpls():
            found += areas_by(implementation, *_for_backend(implementation, backend))
        return found

    def event_kinds(self) -> list[tuple[str, EventKind]]:
        """(plugin, kind) of every kind of event."""
        return asked(self.manager, "mt_remote_event_kinds", EventKind)

    def backends(self) -> list[tuple[str, BackendSpec]]:
        """(plugin, backend) of every backend."""
        return asked(self.manager, "mt_remote_backends", BackendSpec)

    def session_opened(self, session: Session) -> None:
        self._tell("mt_remote_session_opened", session=session)

    def session_closed(self, session: Session, code: int, reason: str) -> None:
        self._tell("mt_remote_session_closed", session=session, code=code, reason=reason)

    async def call_started(self, session: Session, call: Call) -> None:
        """Lets plugins veto. Raises the first veto; a plugin that breaks vetoes too, as an internal error."""
        try:
            answers = self.manager.hook.mt_remote_call_started(session=session, call=call)
            try:
                while answers:
                    if inspect.isawaitable(answer := answers.pop(0)):
                        await answer
            finally:
                for unasked in answers:  # after a veto
                    if inspect.iscoroutine(unasked):
                        unasked.close()
        except RequestError:
            raise
        except Exception as error:
            log.exception("a plugin failed in mt_remote_call_started", call=call.name)
            raise InternalError("A plugin failed while it was asked about this call") from error

    def call_finished(self, session: Session, call: Call, outcome: Outcome) -> None:
        self._tell("mt_remote_call_finished", session=session, call=call, outcome=outcome)

    def gateway_starting(self, gateway: Gateway) -> None:
        self.manager.hook.mt_remote_gateway_starting(gateway=gateway)

    def gateway_stopping(self, gateway: Gateway) -> None:
        self._tell("mt_remote_gateway_stopping", gateway=gateway)

    def _tell(self, name: str, **arguments: object) -> None:
        """Calls a hook that only listens: what fails in a plugin is logged and stops nothing."""
        try:
            getattr(self.manager.hook, name)(**arguments)
        except Exception:
            log.exception("a plugin failed", hook=name)


def asked(manager: pluggy.PluginManager, hook: str, kind: type[_T]) -> list[tuple[str, _T]]:
    """(plugin, object) of all that plugins give for a hook without arguments, each a list of ``kind``."""
    implementations = getattr(manager.hook, hook).get_hookimpls()
    return [(each.plugin_name, given) for each in implementations for given in given_by(each, kind)]


def _for_backend(implementation: pluggy.HookImpl, backend: str) -> list[str]:
    """Implementations may take fewer arguments than the hook has."""
    return [backend] if "backend" in implementation.argnames else []


def given_by(implementation: pluggy.HookImpl, kind: type[_T], *arguments: str) -> list[_T]:
    """What one plugin gives: a list of ``kind``; areas count as the namespaces of their functions. A plugin that
    breaks, or gives something else, is refused by name."""
    given = [
        cast(Any, Namespace.of(each)) if kind is Namespace and _is_area(each) else each
        for each in _list_of(implementation, arguments)
    ]
    if wrong := [each for each in given if not isinstance(each, kind)]:
        raise PluginError(f"{_place(implementation)} must return a list of {kind.__name__}, got {wrong[0]!r} in it")
    return given


def areas_by(implementation: pluggy.HookImpl, *arguments: str) -> list[type[Area]]:
    """The same for classes that declare or implement areas."""
    given = _list_of(implementation, arguments)
    if wrong := [each for each in given if not _is_area(each)]:
        raise PluginError(f"{_place(implementation)} must return a list of Area classes, got {wrong[0]!r} in it")
    return given


def _is_area(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, Area) and hasattr(given, "declared")


def _place(implementation: pluggy.HookImpl) -> str:
    return f"plugin {implementation.plugin_name!r}: {implementation.function.__name__}"


def _list_of(implementation: pluggy.HookImpl, arguments: Sequence[str]) -> list[Any]:
    try:
        given: Any = implementation.function(*arguments)
    except Exception as error:
        raise PluginError(f"{_place(implementation)} failed: {type(error).__name__}: {error}") from error
    if not isinstance(given, list):
        raise PluginError(f"{_place(implementation)} must return a list, got {given!r}")
    return given
