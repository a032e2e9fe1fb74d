"""One manager's connection over the library: areas for calls, and the event stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import structlog

from mt4abi import Pump, Trans
from mt_remote.area import implementing
from mt_remote.backend import Connection, Event, Listener
from mt_remote.errors import RequestError, ServerError
from mt_remote.records import ConGroup, Record, Tick, TradeRecord, TradeRequest, UserRecord, rights_of
from mt_remote_plugins.manager.accounts import read_ticks
from mt_remote_plugins.manager.areas import AREAS
from mt_remote_plugins.manager.call_queues import CallQueues, Limits
from mt_remote_plugins.manager.engine.messages import Credentials, Mode, Notice
from mt_remote_plugins.manager.library_calls import LibraryCalls
from mt_remote_plugins.manager.recovery import WATCHED, Baseline, Recovery
from mt_remote_plugins.manager.trading import give_back
from mt_remote_plugins.market import Market

if TYPE_CHECKING:
    from mt_remote_plugins.manager.running_engine import NoticeQueue, RunningEngine

log = structlog.get_logger(__name__)

_KINDS: dict[int, tuple[str, type[Record]]] = {
    Pump.UPDATE_GROUPS: ("group", ConGroup),
    Pump.UPDATE_USERS: ("user", UserRecord),
    Pump.UPDATE_TRADES: ("trade", TradeRecord),
}
_RECORD_KINDS = dict(_KINDS.values())
_PUMPED = (*_RECORD_KINDS, "tick")


class LibraryConnection(Connection):
    """A session of the library: three handles, one marshal, one listener."""

    implemented = implementing(AREAS)

    def __init__(self, server: str, login: int, listener: Listener, limits: Limits) -> None:
        self.server = server
        self.login = login
        self._listener = listener
        self.watched: set[str] = set()
        self._baselines: dict[str, Baseline] = {}
        self._recovering = False
        self._waiting: list[Notice] = []
        self._calls = CallQueues(limits, self._hear, self._lost)

    @property
    def notices(self) -> NoticeQueue:
        """Where the engine's notices go."""
        return self._calls.notices

    async def begin(self, engine: RunningEngine, credentials: Credentials, code_page: str) -> None:
        """Logs in over an engine. Raises what the server or the library says."""
        self._calls.attach(engine)
        self.library = LibraryCalls(self._calls, credentials, code_page)
        self.library.learn(*await self._calls.call(Mode.DIRECT, "open", credentials))

    async def watch(self, kind: str) -> None:
        if kind in self.watched:
            return
        mode = Mode.DEALING if kind == "trade_request" else Mode.PUMPING
        self.watched.add(kind)
        try:
            await self._calls.call(mode, "start", self.library.credentials)
            if kind in WATCHED:
                await self._learn(kind)
        except BaseException:
            self.watched.discard(kind)
            self._baselines.pop(kind, None)
            raise

    async def _learn(self, kind: str) -> None:
        """The state from which a restart's losses will be told; what is heard meanwhile is newer and stays."""
        baseline = self._baselines[kind] = Baseline(WATCHED[kind])
        baseline.learn((await self.library.direct(WATCHED[kind].request, 0)).rows)

    async def unwatch(self, kind: str) -> None:
        self.watched.discard(kind)
        self._baselines.pop(kind, None)
        if kind == "trade_request":
            await give_back(self.library)
            await self._calls.call(Mode.DEALING, "stop")

    async def server_time(self) -> int:
        return await self.library.server_time()

    @property
    def rights(self) -> frozenset[str]:
        return rights_of(self.library.rights)

    async def learn_rights(self) -> frozenset[str]:
        return rights_of(await self.library.learn_rights())

    def carried(self) -> tuple[str, ...]:
        """The symbols that are shown."""
        return tuple(self.library.shown)

    async def restore(self, carried: object) -> None:
        for symbol in cast("tuple[str, ...]", carried):
            await self[Market].show(symbol)

    async def aclose(self) -> None:
        self.watched.clear()
        await self._calls.aclose()

    # Notices, on the loop

    def _hear(self, notice: Notice) -> None:
        handlers: dict[str, Callable[..., None]] = {
            "pump": self._pumped,
            "ticks": self._ticks,
            "infos": self._infos,
            "request": self._requested,
            "down": self._down,
            "up": self._up,
        }
        handlers[notice[0]](*notice[1:])

    def _pumped(self, code: int, change: int, row: bytes) -> None:
        if self._recovering:
            self._waiting.append((code, change, row))
            return
        kind, _ = _KINDS[code]
        if kind not in self.watched:
            return
        closed = kind == "trade" and change == Trans.DELETE
        baseline = self._baselines.get(kind)
        if baseline is not None:
            baseline.heard(row, gone=change == Trans.DELETE)
        if change != Trans.DELETE or closed:
            self._tell(kind, row)

    def _tell(self, kind: str, row: bytes) -> None:
        try:
            record = self.library.codec(_RECORD_KINDS[kind]).decode(row)
        except ServerError as error:  # the library's bytes make no sense: nothing can be told of them
            log.warning("notification can't be read", kind=kind, reason=error.message)
            return
        if isinstance(record, TradeRecord) and not record.login:
            return  # erased administratively: there is no record to tell of
        self._listener.on_event(Event(kind, record))

    def _ticks(self, rows: bytes) -> None:
        if "tick" in self.watched:
            for tick in self.library.codec(Tick).decode_many(rows):
                self._listener.on_event(Event("tick", tick, tick.symbol))

    def _infos(self, rows: bytes) -> None:
        """Symbols whose ticks the library did not keep: their newest state."""
        if "tick" in self.watched:
            for tick in read_ticks(self.library, rows):
                self._listener.on_event(Event("tick", tick, tick.symbol))

    def _requested(self, row: bytes) -> None:
        if "trade_request" not in self.watched:
            return
        try:
            request = self.library.codec(TradeRequest).decode(row)
        except ServerError as error:
            log.warning("request can't be read", reason=error.message)
            return
        self.library.held[request.id] = row
        self._listener.on_event(Event("trade_request", request))

    def _down(self, mode: str, message: str) -> None:
        log.warning("handle down", mode=mode, server=self.server, login=self.login, reason=message)
        if mode == Mode.DEALING:
            self.library.held.clear()

    def _up(self, mode: str) -> None:
        log.info("handle up again", mode=mode, server=self.server, login=self.login)
        if mode == Mode.PUMPING and not self._recovering:
            self._recovering = True
            Recovery(self._baselines, self._ask, self._missed, self._recovered).step()

    def _ask(self, values: tuple[object, ...], then: Callable[[object], None]) -> None:
        self._calls.ask(Mode.DIRECT, "call", *values, then=then)

    def _missed(self, kind: str, row: bytes) -> None:
        if kind in self.watched:
            self._tell(kind, row)

    def _recovered(self) -> None:
        self._recovering = False
        waiting, self._waiting = self._waiting, []
        for notice in waiting:
            self._pumped(*notice)

    def _lost(self, error: RequestError) -> None:
        log.warning("MT4 library lost", server=self.server, login=self.login, reason=error.message)
        self._listener.on_lost(error)


KINDS = (*_PUMPED, "trade_request")
"""The kinds of event that a connection can watch."""
