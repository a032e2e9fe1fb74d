"""What a plugin may touch of a running gateway: :class:`Session`, :class:`Gateway`, :class:`Call`, :class:`Outcome`.

A handler, a hook or a filter is given objects of these types and may rely on what stands here, nothing else. The
gateway has the implementations; the plugins that ship are written against this file, as yours is. In a function's
signature ``Session`` asks for the session that calls.

Everything here is to be used on the event loop's thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, TypeVarTuple, overload

from mt_remote.area import Kind
from mt_remote.backend import Backend, Connection, Event
from mt_remote.errors import RequestError

if TYPE_CHECKING:  # a client or a test's start need neither
    import pluggy

    from mt_remote.settings import Settings

T = TypeVar("T")
D = TypeVar("D")
Ts = TypeVarTuple("Ts")

_REQUIRED = object()


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


class FunctionInfo(Protocol):
    """A function of the protocol, as it is documented. It is called by sending its name, not from here."""

    @property
    def name(self) -> str:
        """The full name, ``order.open``."""

    @property
    def kind(self) -> Kind:
        """What it does to the server."""

    @property
    def plugin(self) -> str:
        """The name of the plugin that registered it."""

    @property
    def help(self) -> str:
        """Its docstring, empty without one."""

    @property
    def example(self) -> Mapping[str, object] | None:
        """``data`` of a call, for the reference page."""

    @property
    def errors(self) -> tuple[str, ...]:
        """Codes that it answers beside the general ones."""

    @property
    def needs_connection(self) -> bool:
        """Works only after ``connect``."""

    @property
    def parameters_schema(self) -> Mapping[str, object]:
        """JSON schema of ``data``."""

    @property
    def result_schema(self) -> Mapping[str, object] | None:
        """JSON schema of ``result`` in dialect 2, ``None`` where it returns nothing."""


class Call(ABC):
    """A valid request of a client, before, while and after it is carried out. One object from the first hook to the
    last: it may be a key of a dictionary."""

    __slots__ = ()

    @property
    @abstractmethod
    def id(self) -> bytes:
        """The client's id, as JSON text."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The function's full name."""

    @property
    @abstractmethod
    def function(self) -> FunctionInfo:
        """What is called."""

    @property
    @abstractmethod
    def arguments(self) -> Mapping[str, object]:
        """The fields of ``data`` that were sent, validated, by the names of the handler's parameters. They may hold
        secrets."""

    @overload
    def argument(self, name: str, kind: type[T]) -> T: ...

    @overload
    def argument(self, name: str, kind: type[T], default: D) -> T | D: ...

    def argument(self, name: str, kind: type[T], default: object = _REQUIRED) -> object:
        """One of :attr:`arguments`, of that type; ``default`` where it was not sent. Raises ``KeyError`` without a
        default, ``TypeError`` where it is of another type."""
        value = self.arguments[name] if default is _REQUIRED else self.arguments.get(name, default)
        if name in self.arguments and not isinstance(value, kind):
            raise TypeError(f"{name} of {self.name} is {type(value).__name__}, not {kind.__name__}")
        return value

    @property
    @abstractmethod
    def body(self) -> object:
        """The whole ``data``, validated, for a function that takes it whole (:class:`~mt_remote.records.Patch` …);
        else ``None``."""

    @property
    @abstractmethod
    def key(self) -> str | None:
        """What makes the call safe to repeat, if the client sent one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: ``error`` is ``None`` for success; ``seconds`` it took from being taken up."""

    error: RequestError | None
    seconds: float


class Session(ABC):
    """One client's WebSocket session."""

    __slots__ = ()

    @property
    @abstractmethod
    def id(self) -> int:
        """Its number, from 1 in each gateway; no other session of the gateway has it."""

    @property
    @abstractmethod
    def peer(self) -> str:
        """The client's address, ``host:port``; behind a trusted proxy what that says it is (port 0: not known)."""

    @property
    @abstractmethod
    def is_local(self) -> bool:
        """Whether the client is a program on this machine: at a loopback address, behind no proxy, and no browser."""

    @property
    @abstractmethod
    def gateway(self) -> Gateway:
        """The gateway that it is a session of."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the WebSocket is open: neither still shaking hands nor closing."""

    @property
    @abstractmethod
    def dialect(self) -> str:
        """``0``, ``1.00`` or ``2``; set, it counts from the next message on."""

    @dialect.setter
    @abstractmethod
    def dialect(self, dialect: str) -> None: ...

    @property
    @abstractmethod
    def login(self) -> int:
        """The manager's login, 0 while not connected. It stays while a lost connection is being restored."""

    @property
    @abstractmethod
    def server(self) -> str:
        """The MT4 server's name, empty while not connected. It stays while a lost connection is being restored."""

    @property
    @abstractmethod
    def connection(self) -> Connection | None:
        """The connection to the MT4 server, ``None`` while there is none."""

    @property
    @abstractmethod
    def subscriptions(self) -> frozenset[str]:
        """Names of the kinds of events that the client is sent."""

    @property
    @abstractmethod
    def state(self) -> dict[str, object]:
        """Room for plugins to keep what they like by their own names. It ends with the session."""

    @abstractmethod
    def require_connection(self) -> Connection:
        """The connection. Raises what a client should read where there is none:
        :class:`~mt_remote.errors.SessionStateError` ``not_connected`` before ``connect``,
        :class:`~mt_remote.errors.ConnectionLost` (outcome ``not_done``) while it is being restored."""

    @abstractmethod
    async def connect(self, server: str, login: int, password: str, *, reconnect_delay: float = 0.0) -> None:
        """Logs in at an MT4 server. ``reconnect_delay`` is the pause in seconds between attempts to restore a
        connection that is lost, 0 for none.

        Raises :class:`~mt_remote.errors.SessionStateError` (``already_connected``),
        :class:`~mt_remote.errors.Refused` (``server_not_allowed``, ``too_many_logins``) and what
        :meth:`~mt_remote.backend.Backend.open` raises.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """Logs out; subscriptions that came over the connection lapse. Raises
        :class:`~mt_remote.errors.SessionStateError` (``not_connected``)."""

    @abstractmethod
    async def subscribe(self, name: str) -> None:
        """Subscribes to a kind of event; takes effect exactly at the answer of the call that asks for it.

        Raises :class:`~mt_remote.errors.InvalidData` for a kind that nobody registered,
        :class:`~mt_remote.errors.SessionStateError` when subscribed already (``already_subscribed``), or without a
        connection where the kind comes over one (``not_connected``).
        """

    @abstractmethod
    async def unsubscribe(self, name: str) -> None:
        """Ends a subscription; no event of the kind follows the answer of the call that asks for it. Raises
        :class:`~mt_remote.errors.SessionStateError` (``not_subscribed``)."""

    @abstractmethod
    def on_event(self, event: Event) -> None:
        """Sends an event if this session subscribed to its kind. Never waits; what a slow client does not take is
        kept, up to the bound ``max_backlog``."""

    @abstractmethod
    def close(self, code: int, reason: str) -> None:
        """Ends the session with a close code (RFC 6455, 7.4) and a reason of at most 123 bytes. Does nothing where it
        is not open."""


class Gateway(ABC):
    """The gateway that serves: what there is, and what can be done for all sessions."""

    __slots__ = ()

    @property
    @abstractmethod
    def settings(self) -> Settings:
        """What it was started with."""

    @property
    @abstractmethod
    def backend(self) -> Backend:
        """What opens connections to MT4 servers; with several gateway processes the one of another process."""

    @property
    @abstractmethod
    def plugins(self) -> pluggy.PluginManager:
        """All plugins: who brings hooks for others to implement calls them through this."""

    @property
    @abstractmethod
    def sessions(self) -> Collection[Session]:
        """The sessions of now, also those that are not open yet or any more. It changes while one waits: go through a
        copy."""

    @property
    @abstractmethod
    def kinds(self) -> Mapping[str, EventKind]:
        """Kinds of events by name."""

    @property
    @abstractmethod
    def functions(self) -> Mapping[str, FunctionInfo]:
        """Functions by name."""

    @abstractmethod
    def publish(self, event: Event) -> None:
        """Sends an event of a plugin's own kind to every session that subscribed to it. Raises ``KeyError`` for a kind
        that nobody registered."""

    @abstractmethod
    def spawn(self, function: Callable[[*Ts], Awaitable[object]], *arguments: *Ts) -> None:
        """Starts a task that ends with the gateway. What it raises is logged and ends the task alone.

        To be called on the event loop's thread, in a task or in a plain callback of the loop; elsewhere it raises
        ``RuntimeError``. The task runs in the gateway's context, not in the caller's: a callback may have come from a
        thread that knows no event loop.
        """


__all__ = ["Call", "EventKind", "FunctionInfo", "Gateway", "Outcome", "Resync", "Session"]
