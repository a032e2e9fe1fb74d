"""The hooks: what the gateway asks its plugins. Every hook has a page in docs/plugins.md and a test.

A hook is called for every plugin that implements it, in pluggy's order (last registered first; ``tryfirst`` and
``trylast`` work; wrappers too, but not round the hooks that register something: those are asked plugin by plugin).
Implementations may take fewer arguments than the specification names.

The hooks have a version, :data:`HOOKSPEC_VERSION`. A hook that is to go is marked :func:`deprecated` in one version,
with what replaces it, and leaves with the next major one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import pluggy

from mt_remote.area import Area
from mt_remote.errors import DeprecatedHook
from mt_remote.interfaces import Call, EventKind, Gateway, Outcome, Session
from mt_remote.plugin import HOOKSPEC_VERSION, PROJECT, BackendSpec, Namespace

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import typer

    from mt_remote_tools.testing import StandSpec

hookspec = pluggy.HookspecMarker(PROJECT)
F = TypeVar("F", bound=Callable[..., object])


def deprecated(*, since: str, replacement: str) -> Callable[[F], F]:
    """Marks a hook that still works and is to go: :class:`~mt_remote.errors.DeprecatedHook` is warned of for every
    plugin that implements it, at its line. ``since`` is the version of the hooks, ``replacement`` the hook to implement
    instead. Stands in the place of ``hookspec``, for hooks that plugins bring too."""

    def mark(function: F) -> F:
        name = function.__name__
        message = (
            f"the hook {name!r} is deprecated since version {since} of the hooks; implement {replacement!r} instead"
        )
        return hookspec(warn_on_impl=DeprecatedHook(message))(function)

    return mark


@hookspec
def mt_remote_hookspecs() -> list[ModuleType]:  # type: ignore[empty-body]
    """Further hook specifications that this plugin brings for others to implement."""


@hookspec
def mt_remote_namespaces() -> list[Namespace | type[Area]]:  # type: ignore[empty-body]
    """The namespaces whose functions this plugin serves, always, and the areas that it declares."""


@hookspec
def mt_remote_implementations(backend: str) -> list[type[Area]]:  # type: ignore[empty-body]
    """Implementations of areas that this plugin brings for another plugin's backend: ``backend`` is the name of the one
    in use. Each is made with that backend's connection."""


@hookspec
def mt_remote_backend_namespaces(backend: str) -> list[Namespace | type[Area]]:  # type: ignore[empty-body]
    """Namespaces served only on some backends: ``backend`` is the name of the one in use."""


@hookspec
def mt_remote_backends() -> list[BackendSpec]:  # type: ignore[empty-body]
    """The backends that this plugin brings."""


@hookspec
def mt_remote_stands() -> list[StandSpec]:  # type: ignore[empty-body]
    """Servers that tests can hold in their hands, each with a backend on it."""


@hookspec
def mt_remote_event_kinds() -> list[EventKind]:  # type: ignore[empty-body]
    """The kinds of event that this plugin brings."""


@hookspec
def mt_remote_session_opened(session: Session) -> None:
    """A WebSocket session is open; nothing was called yet."""


@hookspec
def mt_remote_session_closed(session: Session, code: int, reason: str) -> None:
    """A session ended, with its close code (1006: the connection broke)."""


@hookspec
def mt_remote_call_started(session: Session, call: Call) -> Awaitable[None] | None:
    """A valid call is about to run. Raise :class:`~mt_remote.errors.Refused` (or another
    :class:`~mt_remote.errors.RequestError`) to veto it; the client gets that error. A repetition under a ``key``
    does not run: it is answered as the first one was, and nobody is asked about it. May be ``async``."""


@hookspec
def mt_remote_call_finished(session: Session, call: Call, outcome: Outcome) -> None:
    """A call was answered: ``outcome`` has the error, if any, and the seconds it took."""


@hookspec
def mt_remote_gateway_starting(gateway: Gateway) -> None:
    """The gateway is about to listen. Raise to refuse to start."""


@hookspec
def mt_remote_gateway_stopping(gateway: Gateway) -> None:
    """The gateway stopped serving; sessions are closed."""


@hookspec
def mt_remote_commands(app: typer.Typer) -> None:
    """Add commands to the command line."""


__all__ = ["HOOKSPEC_VERSION", "deprecated", "hookspec"]
