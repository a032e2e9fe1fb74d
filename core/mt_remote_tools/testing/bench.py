"""A gateway in this process for a test: it listens on a port of its own, on an event loop in another thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import pluggy
from anyio.from_thread import BlockingPortal, start_blocking_portal

from mt_remote.client import Client, Credentials
from mt_remote.errors import ConfigurationError
from mt_remote.plugins.hooks import Hooks, asked
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote_tools.testing.clients import opened
from mt_remote_tools.testing.on_loop import OnLoop
from mt_remote_tools.testing.stands import Stand, StandSpec

if TYPE_CHECKING:
    from mt_remote.gateway.gateway import AssembledGateway

T = TypeVar("T")


def stands(manager: pluggy.PluginManager) -> dict[str, StandSpec]:
    """The test stands that plugins bring, by backend."""
    found = asked(manager, "mt_remote_stands", StandSpec)
    return {spec.backend: spec for _, spec in found}


def backends_with_stands(modules: Iterable[str] = ()) -> list[str]:
    """Names of the backends that a test can be run on here, those of installed plugins and of ``modules``."""
    return sorted(stands(plugin_manager(modules)))


class ManualClock:
    """The server's clock in the test's hands: it stands still but for these."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self._bench.touch(self._bench.stand.now)

    def advance(self, seconds: int) -> None:
        """Lets server seconds pass at once, with all that falls due."""
        self._bench.touch(partial(self._bench.stand.advance, seconds))

    def advance_to(self, when: int) -> None:
        """Lets time pass until ``when``. Raises ``ValueError`` when that has passed."""
        seconds = when - self.now
        if seconds < 0:
            raise ValueError(f"{when} has passed, it is {self.now}")
        self.advance(seconds)


class Bench:
    """A gateway that serves, the stand behind it, and clients of it. ``backend`` without a stand is made from its own
    settings, and has no :attr:`server` and no :attr:`clock`."""

    def __init__(
        self,
        manager: pluggy.PluginManager,
        backend: str,
        portal: BlockingPortal,
        *,
        world: object = None,
        settings: Mapping[str, object] | None = None,
        backend_settings: Mapping[str, object] | None = None,
    ) -> None:
        self._manager = manager
        self._portal = portal
        self._spec = stands(manager).get(backend)
        self._world = world
        self._settings = dict(settings or {})
        self._backend_settings = dict(backend_settings or {})
        self._stack = ExitStack()
        self._stand: Stand | None = None
        self._gateway: AssembledGateway | None = None
        self.backend = backend
        self.url = ""

    @classmethod
    @contextmanager
    def of(
        cls, backend: str, *, plugins: Sequence[str | object] = (), world: object = None, **settings: object
    ) -> Iterator[Self]:
        """A bench with a thread of its own. ``plugins`` are modules' names or objects, beside what is installed;
        ``settings`` are the gateway's."""
        with (
            start_blocking_portal("asyncio") as portal,
            cls(manager_of(plugins), backend, portal, world=world, settings=settings) as bench,
        ):
            yield bench

    def __enter__(self) -> Self:
        from mt_remote.settings import Settings
        from mt_remote.shell.server import running

        with self._stack as stack:
            hooks = Hooks(self._manager)
            if self._spec is None:
                spec = find_backend(hooks, self.backend)
                backend = spec.factory(spec.settings(**self._backend_settings))
            else:
                world = self._spec.world() if self._world is None else self._world
                self._stand = stack.enter_context(self._spec.open(world))
                backend = self._stand.backend
            given: dict[str, Any] = {"port": 0, "backend": self.backend, **self._settings}
            settings = Settings(**given)
            context = self._portal.wrap_async_context_manager(running(settings, hooks, backend))
            listening = stack.enter_context(context)
            self._gateway, self.url = listening.gateway, listening.url
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # What a test holds

    @property
    def stand(self) -> Stand:
        """The stand. Raises :class:`~mt_remote.errors.ConfigurationError` for a backend that has none."""
        if self._stand is None:
            raise ConfigurationError(f"no plugin brings a test stand for the backend {self.backend!r}")
        return self._stand

    @property
    def server(self) -> Any:
        """The MT4 server behind the gateway. What is asked of it is done where it lives, and the test waits."""
        return OnLoop(self.stand.server, self.touch)

    @property
    def clock(self) -> ManualClock:
        """The server's clock."""
        return ManualClock(self)

    @property
    def gateway(self) -> AssembledGateway:
        """The gateway itself, for :meth:`run`."""
        if self._gateway is None:
            raise RuntimeError("the bench is not open: use it in a 'with' statement")
        return self._gateway

    @property
    def credentials(self) -> Credentials:
        """Log in a manager who may do everything."""
        return self._spec.credentials if self._spec else Credentials("Demo", 1, "manager")

    @overload
    def run(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T: ...

    @overload
    def run(self, function: Callable[..., T], *arguments: object) -> T: ...

    def run(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Calls a function on the gateway's event loop; awaits it where it is asynchronous."""
        return self._portal.call(function, *arguments)

    def touch(self, action: Callable[[], T]) -> T:
        """Does something to the server, where and when it is safe."""
        if self.stand.lock is None:
            return self.run(action)
        with self.stand.lock:
            return action()

    def client(self, credentials: Credentials | None = None, *, log_in: bool = True, dialect: str = "2") -> Client:
        """A client with an open session, logged in unless told otherwise; in dialect ``1.00`` always, by its handshake.
        It is closed with the bench."""
        return opened(self._stack, self.url, credentials or self.credentials, log_in=log_in, dialect=dialect)


def manager_of(plugins: Iterable[str | object], *, modules: Iterable[str] = ()) -> pluggy.PluginManager:
    """A plugin manager with what is installed, ``modules``, and the plugins under test: modules' names or objects."""
    given = list(plugins)
    names = [*modules, *(each for each in given if isinstance(each, str))]
    return plugin_manager(names, plugins=[each for each in given if not isinstance(each, str)])
