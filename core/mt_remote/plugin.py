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

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pluggy

from mt_remote.addresses import is_loopback
from mt_remote.area import Area, Declared, Filter, Handler, Kind, Listing, call
from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.errors import (
    Busy,
    ConfigurationError,
    InvalidData,
    NotFound,
    NotOffered,
    Problem,
    Refused,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
)  # fmt: skip
from mt_remote.interfaces import Call, EventKind, FunctionInfo, Gateway, Outcome, Resync, Session

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mt_remote.settings import Settings

PROJECT = "mt_remote"
"""Entry-point group and pluggy project name."""

API_VERSION = 1
"""Major version of the hooks: what worked with one of them works with all of the same major version."""

HOOKSPEC_VERSION = f"{API_VERSION}.2"
"""Version of the hooks; the minor part grows when there are more. A plugin may state the one that it needs,
``mt_remote_api = 1`` or ``mt_remote_api = "1.1"``; another major version or a newer minor one is refused.

1.0 the first; 1.1 ``mt_remote_stands``; 1.2 areas: ``mt_remote_namespaces`` takes them, and there is
``mt_remote_implementations``; ``mt_remote_commands`` takes ``line`` too."""

H = TypeVar("H", bound=Handler)

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook that has its name."""


def vetoes(*functions: str) -> Callable[[H], H]:
    """Says which functions an implementation of ``mt_remote_call_started`` may refuse: names, or patterns such as
    ``order.*``. It is asked about no other, and ``mt-remote plugins`` shows who may refuse what. Stands below
    :data:`hookimpl`; the implementation takes ``call``."""
    if not functions:
        raise TypeError("vetoes() needs the names of the functions that may be refused, e.g. vetoes('order.*')")

    def mark(implementation: H) -> H:
        parameters = list(inspect.signature(implementation).parameters)
        if "call" not in parameters:
            raise TypeError(f"{implementation.__name__} must take 'call' to be asked about some calls only")
        place = parameters.index("call")

        @functools.cache
        def concerned(name: str) -> bool:
            return any(fnmatchcase(name, each) for each in functions)

        if inspect.iscoroutinefunction(implementation):

            @functools.wraps(implementation)
            async def asked_later(*arguments: Any) -> None:
                if concerned(arguments[place].name):
                    await implementation(*arguments)

            asked: Any = asked_later
        else:

            @functools.wraps(implementation)
            def asked_now(*arguments: Any) -> Any:
                return implementation(*arguments) if concerned(arguments[place].name) else None

            asked = asked_now
        asked.mt_remote_vetoes = functions
        return cast(H, asked)

    return mark


@dataclass(slots=True)
class Namespace:
    """Functions under a common prefix, which may nest: ``Namespace("config.group")`` has ``config.group.add``."""

    name: str
    help: str = ""
    functions: list[Declared] = field(default_factory=list)

    @classmethod
    def of(cls, area: type[Area]) -> Namespace:
        """The functions of an area."""
        return cls(area.namespace, inspect.getdoc(area) or "", list(area.functions))

    def function(
        self,
        name: str = "",
        *,
        kind: Kind = Kind.READ,
        example: Mapping[str, object] | None = None,
        rights: tuple[str, ...] = (),
        errors: tuple[str, ...] = (),
        listing: Listing | None = None,
    ) -> Callable[[H], H]:
        """Registers a typed callable, ``async def`` or plain ``def``. Its docstring is the function's help text.

        ``name`` overrides the callable's own; ``kind`` says what it does to the server; ``example`` is ``data`` for
        the reference page; ``rights`` names the rights of which the manager needs one, for ``async`` functions on a
        connection; ``errors`` are codes that it answers beside the general ones; ``listing`` offers paging and filters
        where it answers a list.
        """

        def register(handler: H) -> H:
            own = name or handler.__name__.strip("_")
            full = f"{self.name}.{own}" if self.name else own
            help_ = inspect.getdoc(handler) or ""
            self.functions.append(Declared(full, handler, kind, example, errors, listing, rights, help=help_))
            return handler

        return register


def _is_private(settings: Settings) -> bool:
    """Whether only programs of this machine reach the gateway."""
    return not settings.trusted_proxies and (is_loopback(settings.host) or settings.host == "localhost")


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A backend that ``serve --backend NAME`` can use. ``settings`` is a pydantic model: its fields become flags of
    ``serve``, variables ``MT_REMOTE_<NAME>__<FIELD>`` and a table ``[<name>]`` of the configuration file; an instance
    goes to ``factory``. ``areas`` gives the classes that implement areas on its connections. ``shared`` names fields
    that take the value of the gateway's setting of the same name (``code_page``): they have no flag of their own. One
    that ``reaches_out`` connects to whatever server a client names: where more than this machine can reach the gateway,
    the setting ``servers`` has to name them."""

    name: str
    settings: type[BaseModel]
    factory: Callable[[Any], Backend]
    help: str = ""
    shared: tuple[str, ...] = ()
    areas: Callable[[], Iterable[type[Area]]] = tuple
    reaches_out: bool = False

    def make(self, settings: Settings) -> Backend:
        """The backend for a gateway's settings, which have the backend's own under its name. Raises
        :class:`~mt_remote.errors.ConfigurationError` when a shared one was set to something else there, and where it
        could be sent anywhere by anybody."""
        if self.reaches_out and not settings.servers and not _is_private(settings):
            raise ConfigurationError(
                f"the backend {self.name!r} connects to whatever server a client names, and the gateway on "
                f"{settings.host} is not for this machine alone: name the servers that it may connect to with "
                '--servers NAME, MT_REMOTE_SERVERS=\'["NAME"]\' or servers = ["NAME"] in the configuration file, or '
                "listen with --host 127.0.0.1 and without trusted_proxies"
            )
        own: BaseModel = getattr(settings, self.name)
        values = {name: getattr(settings, name) for name in self.shared}
        for name, value in values.items():
            if name in own.model_fields_set and getattr(own, name) != value:
                raise ConfigurationError(
                    f"{self.name}.{name} is {getattr(own, name)!r} and {name} is {value!r}: set {name} alone"
                )
        return self.factory(own.model_copy(update=values))


__all__ = [
    "API_VERSION",
    "HOOKSPEC_VERSION",
    "Area",
    "Backend",
    "BackendSpec",
    "Busy",
    "Call",
    "Connection",
    "Declared",
    "Event",
    "EventKind",
    "Filter",
    "FunctionInfo",
    "Gateway",
    "InvalidData",
    "Kind",
    "Listener",
    "Listing",
    "Namespace",
    "NotFound",
    "NotOffered",
    "Outcome",
    "Problem",
    "Refused",
    "RequestError",
    "Resync",
    "ReturnCode",
    "ServerError",
    "Session",
    "SessionStateError",
    "call",
    "hookimpl",
    "vetoes",
]
