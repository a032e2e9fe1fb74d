"""What a plugin author imports.

A plugin is a module (or any object) with functions marked by :data:`hookimpl`. The smallest useful one::

    from mt_remote.plugin import Namespace, hookimpl

    greeting = Namespace("greeting")

    @greeting.function()
    def hello(name: str) -> str:
        \"\"\"Says hello.\"\"\"
        return f"Hello {name}"

    @hookimpl
    def mt_remote_namespaces():
        return [greeting]

A function's parameters are the fields of the request's ``data``; a trailing underscore is dropped where a field's name
is a Python keyword (``from_``). A positional-only parameter takes the whole ``data`` instead. Parameters annotated with
:class:`~mt_remote.backend.Connection` or :class:`Session` are filled in: asking for a ``Connection`` is what makes a
function one that works only after ``connect``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.errors import (
    Busy,
    ConfigurationError,
    InvalidData,
    NotFound,
    Problem,
    Refused,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
)  # fmt: skip

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mt_remote.gateway import Gateway
    from mt_remote.protocol.calls import Call, Outcome
    from mt_remote.session import Session
    from mt_remote.settings import Settings

PROJECT = "mt_remote"
"""Entry-point group and pluggy project name."""

API_VERSION = 1
"""Version of the hooks. A plugin may state ``mt_remote_api = 1``; a newer one than the host's is refused."""

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook that has its name."""


class Kind(StrEnum):
    """What a function does to the server: it decides order and deadline.

    Reads may overtake; what changes state is carried out in the order received; ``SESSION`` functions change the
    session itself, and everything sent after one waits for it.
    """

    READ = "read"
    HISTORY = "history"
    CHANGE = "change"
    TRADE = "trade"
    SESSION = "session"

    @property
    def changes_state(self) -> bool:
        return self in (Kind.CHANGE, Kind.TRADE, Kind.SESSION)


Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Declared:
    """A function as its namespace declares it."""

    name: str
    handler: Handler
    kind: Kind
    example: Mapping[str, object] | None = None
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class Namespace:
    """Functions under a common prefix, which may nest: ``Namespace("config.group")`` has ``config.group.add``."""

    name: str
    help: str = ""
    functions: list[Declared] = field(default_factory=list)

    def function(
        self,
        name: str = "",
        *,
        kind: Kind = Kind.READ,
        example: Mapping[str, object] | None = None,
        errors: tuple[str, ...] = (),
    ) -> Callable[[H], H]:
        """Registers a typed callable, ``async def`` or plain ``def``. Its docstring is the function's help text.

        ``name`` overrides the callable's own; ``kind`` says what it does to the server; ``example`` is ``data`` for
        the reference page; ``errors`` are codes that it answers beside the general ones.
        """

        def register(handler: H) -> H:
            own = name or handler.__name__.strip("_")
            full = f"{self.name}.{own}" if self.name else own
            self.functions.append(Declared(full, handler, kind, example, errors))
            return handler

        return register


@dataclass(frozen=True, slots=True)
class Resync:
    """How a session that was cut off learns what it missed: one event for every record that changed meanwhile.

    ``read`` gives all records of the kind, ``key`` what identifies one, ``fingerprint`` what counts as a change
    (leave out what drifts with prices). ``vanished`` reads a record that is not among them any more (a closed trade)
    or gives ``None``.
    """

    read: Callable[[Connection], Awaitable[Iterable[Any]]]
    key: Callable[[Any], Hashable]
    fingerprint: Callable[[Any], Hashable]
    vanished: Callable[[Connection, Any], Awaitable[object | None]] | None = None


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event that sessions can subscribe to.

    ``data`` is the type of its data. ``from_backend`` kinds come from the MT4 connection: subscribing needs one and
    calls :meth:`~mt_remote.backend.Connection.watch`. Others are published by plugins:
    ``session.gateway.publish(Event("kind", data))``.
    """

    name: str
    data: object
    help: str = ""
    from_backend: bool = False
    resync: Resync | None = None
    example: object = None


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A backend that ``serve --backend NAME`` can use. ``settings`` is a pydantic model: its fields become flags of
    ``serve``, variables ``MT_REMOTE_<NAME>__<FIELD>`` and a table ``[<name>]`` of the configuration file; an instance
    goes to ``factory``. ``shared`` names fields that take the value of the gateway's setting of the same name
    (``code_page``): they have no flag of their own."""

    name: str
    settings: type[BaseModel]
    factory: Callable[[Any], Backend]
    help: str = ""
    shared: tuple[str, ...] = ()

    def make(self, settings: Settings) -> Backend:
        """The backend for a gateway's settings, which have the backend's own under its name. Raises
        :class:`~mt_remote.errors.ConfigurationError` when a shared one was set to something else there."""
        own: BaseModel = getattr(settings, self.name)
        values = {name: getattr(settings, name) for name in self.shared}
        for name, value in values.items():
            if name in own.model_fields_set and getattr(own, name) != value:
                raise ConfigurationError(
                    f"{self.name}.{name} is {getattr(own, name)!r} and {name} is {value!r}: set {name} alone"
                )
        return self.factory(own.model_copy(update=values))


__all__ = [
    "API_VERSION", "Backend", "BackendSpec", "Busy", "Call", "Connection", "Event", "EventKind", "Gateway",
    "InvalidData", "Kind", "Listener", "Namespace", "NotFound", "Outcome", "Problem", "Refused", "RequestError",
    "Resync", "ReturnCode", "ServerError", "Session", "SessionStateError", "hookimpl",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """The classes that only annotate handlers are loaded when asked for: they pull in the whole gateway."""
    import importlib

    homes = {
        "Call": "mt_remote.protocol.calls",
        "Gateway": "mt_remote.gateway",
        "Outcome": "mt_remote.protocol.calls",
        "Session": "mt_remote.session",
    }
    if name in homes:
        return getattr(importlib.import_module(homes[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
