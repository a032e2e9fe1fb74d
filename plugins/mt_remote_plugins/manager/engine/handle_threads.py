"""The three connections of a session: each owns one handle on one thread and supervises itself.

A thread takes tasks and the library's notifications from one queue, in the order in which they came. Nothing
is done inside a callback. When pumping or dealing stops, its own thread connects again, with growing pauses.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mt4abi import Deal, Pump, table
from mt4abi.library import Library, LibraryError, create_interface
from mt_remote.errors import ReturnCode, describe
from mt_remote_plugins.manager.engine.callbacks import (
    PUMP_FUNCTION,
    DealingSlot,
    dealing_slot,
    forget_pump,
    pump_token,
    rest,
)
from mt_remote_plugins.manager.engine.handle import Handle, Ledger, Misbehaved, Reply
from mt_remote_plugins.manager.engine.messages import Credentials, Failure, Mode, Notice, Task, Tuning
from mt_remote_plugins.manager.engine.ticks import TickQueues

Emit = Callable[[Notice], None]
OK = int(ReturnCode.OK)
_SECURITIES = table().constants["MAX_SEC_GROUPS"]
_HOPELESS = {ReturnCode.ACCOUNT_DISABLED, ReturnCode.BAD_ACCOUNT_INFO, ReturnCode.NOT_ENOUGH_RIGHTS}
"""Answers to a login that waiting does not change."""


class Refusal(Exception):
    """The library answered a step with a code other than success."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class HandleThread:
    """A handle, its thread and its queue. Subclasses say what else the thread does."""

    name: Mode

    def __init__(self, load: Callable[[], Library], emit: Emit, tuning: Tuning, ledger: Ledger) -> None:
        self._load = load
        self._emit = emit
        self.tuning = tuning
        self.ledger = ledger
        self.handle: Handle | None = None
        self.credentials: Credentials | None = None
        self._queue: queue.SimpleQueue[Task | tuple[Any, ...] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"mt4-{self.name}", daemon=True)
        self._ended = False
        self._thread.start()

    def submit(self, task: Task | None) -> None:
        """Adds a task; ``None`` ends the thread."""
        self._queue.put(task)

    def join(self, timeout: float) -> bool:
        """Waits for the thread; whether it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ended:
            try:
                self._take()
            except Exception as error:  # noqa: BLE001 - a thread that can't go on says so
                message = f"the MT4 library misbehaved: {error}" if isinstance(error, Misbehaved) else repr(error)
                self._emit(("lost", self.name, int(ReturnCode.ERROR), message))
                self.close()
        self.close()

    def _take(self) -> None:
        try:
            item = self._queue.get(timeout=self.pause())
        except queue.Empty:
            self.idle()
            return
        if item is None:
            self._ended = True
        elif isinstance(item, Task):
            self._emit(("reply", item.id, self._answer(item)))
        else:
            self.notified(*item)

    def _answer(self, task: Task) -> object:
        try:
            operation = getattr(self, f"do_{task.operation}")
            return operation(*task.arguments)
        except Refusal as refusal:
            return Failure(refusal.code, refusal.message)
        except LibraryError as error:
            return Failure(int(ReturnCode.ERROR), error.message, error.problem)
        except Misbehaved as error:
            return Failure(int(ReturnCode.ERROR), f"the MT4 library misbehaved: {error}")
        except Exception as error:  # noqa: BLE001 - the one edge of the thread: a task is always answered
            return Failure(int(ReturnCode.ERROR), f"{type(error).__name__}: {error}", "bug")

    # Steps of every mode

    def connect(self, credentials: Credentials) -> Handle:
        """A new handle, connected and logged in. Raises :class:`Refusal`."""
        self.disconnect()
        handle = Handle(create_interface(self._load()), self.ledger)
        self.handle, self.credentials = handle, credentials
        try:
            self.expect(handle.call("Connect", credentials.server).code)
            self.expect(handle.call("Login", credentials.login, credentials.password).code)
        except Refusal:
            self.disconnect()
            raise
        return handle

    def expect(self, code: int) -> None:
        """Raises :class:`Refusal` for a code that is not success."""
        if code != OK:
            raise Refusal(code, describe(code))

    def disconnect(self) -> None:
        """Ends the connection and gives the handle back."""
        handle, self.handle = self.handle, None
        if handle is not None:
            handle.plain("Disconnect")
            handle.plain("Release")

    def close(self) -> None:
        """The thread ends."""
        with suppress(Exception):
            self.disconnect()

    def needed(self) -> Handle:
        """The handle. Raises when the thread is not connected."""
        if self.handle is None:
            raise Refusal(int(ReturnCode.NO_CONNECT), describe(ReturnCode.NO_CONNECT))
        return self.handle

    def do_call(self, key: str, *values: Any) -> Reply:
        """Any function of the interface."""
        return self.needed().call(key, *values)

    # What subclasses add

    def pause(self) -> float | None:
        """Seconds until :meth:`idle` is due."""
        return None

    def idle(self) -> None:
        """Nothing came for that long."""

    def notified(self, *item: Any) -> None:
        """A callback enqueued this."""


class DirectThread(HandleThread):
    """Requests and answers."""

    name = Mode.DIRECT
    _lost = False

    def do_open(self, credentials: Credentials) -> tuple[bytes, bytes]:
        """Connects; gives the manager's rights and the server's securities."""
        handle = self.connect(credentials)
        self._lost = False
        rights = handle.call("ManagerRights", b"")
        self.expect(rights.code)
        return bytes(rights.outs[0]), self._securities(handle)  # type: ignore[arg-type]

    def _securities(self, handle: Handle) -> bytes:
        """The names of the server's securities; without them, groups are read without their securities."""
        handle.call("SymbolsRefresh")
        room = bytes(_SECURITIES * table().layouts["ConSymbolGroup"].size)
        for request in ("SymbolsGroupsGet", "CfgRequestSymbolGroup"):
            reply = handle.call(request, room)
            if reply.code == OK:
                return bytes(reply.outs[0])  # type: ignore[arg-type]
        return b""

    def do_call(self, key: str, *values: Any) -> Reply:
        reply = super().do_call(key, *values)
        if reply.code == ReturnCode.NO_CONNECT:
            self._gone()
        return reply

    def do_external(self, data: bytes) -> tuple[int, bytes]:
        """A command to a server plugin: the code and the plugin's bytes."""
        handle = self.needed()
        code, _, (address, size) = handle.call("ExternalCommand", data, len(data), 0, 0)
        return code, handle.take_text(int(address), int(size))

    def pause(self) -> float | None:
        return self.tuning.ping if self.handle is not None else None

    def idle(self) -> None:
        """Keeps the connection alive and notices its end."""
        if self.handle is not None and self.handle.call("Ping").code == ReturnCode.NO_CONNECT:
            self._gone()

    def _gone(self) -> None:
        if not self._lost and self.handle is not None and not self.handle.plain("IsConnected"):
            self._lost = True
            self._emit(("lost", self.name, int(ReturnCode.NO_CONNECT), "the connection to the MT4 server broke"))


class SwitchedThread(HandleThread):
    """A mode that a switch of the library keeps busy, and that restarts when the library stops it."""

    def __init__(self, load: Callable[[], Library], emit: Emit, tuning: Tuning, ledger: Ledger) -> None:
        self._generation = 0
        self._retry_at: float | None = None
        self._pause = tuning.retry_first
        self._down_since = 0.0
        self._heard = 0.0
        super().__init__(load, emit, tuning, ledger)

    def switch(self, handle: Handle) -> None:
        """Turns the handle's mode on. Raises :class:`Refusal`."""
        raise NotImplementedError

    def start(self, credentials: Credentials) -> None:
        """Connects and switches."""
        self._generation += 1
        handle = self.connect(credentials)
        try:
            self.switch(handle)
        except Refusal:
            self.disconnect()
            raise
        self._heard = time.monotonic()

    def do_start(self, credentials: Credentials) -> None:
        """Starts; again changes nothing."""
        if self.handle is None and self._retry_at is None:
            self.start(credentials)

    def do_stop(self) -> None:
        """Stops for good."""
        self._generation += 1
        self._retry_at = None
        self.disconnect()

    def stopped(self, message: str) -> None:
        """The library stopped the mode: plans the first restart."""
        if self._retry_at is not None or self.handle is None:
            return
        self._emit(("down", self.name, message))
        self._generation += 1
        self._pause = self.tuning.retry_first
        self._down_since = time.monotonic()
        self._retry_at = self._down_since + self._pause
        with suppress(Misbehaved, OSError):
            self.disconnect()

    def pause(self) -> float | None:
        if self._retry_at is not None:
            return max(0.0, self._retry_at - time.monotonic())
        return self.tuning.silence if self.handle is not None else None

    def idle(self) -> None:
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._restart()
        elif self._retry_at is None and self.handle is not None:
            self.silent()

    def silent(self) -> None:
        """Nothing was heard for ``Tuning.silence`` seconds."""
        if not self.needed().plain("IsConnected"):
            self.stopped("the connection broke without a word")

    def notified(self, generation: int, *item: Any) -> None:
        if generation == self._generation:
            self._heard = time.monotonic()
            self.handled(*item)
        if self._retry_at is not None:
            self.idle()

    def handled(self, *item: Any) -> None:
        """A notification of the running mode."""

    def _restart(self) -> None:
        assert self.credentials is not None
        try:
            self.start(self.credentials)
        except (Refusal, LibraryError, Misbehaved) as error:
            code = getattr(error, "code", int(ReturnCode.ERROR))
            hopeless = code in _HOPELESS or time.monotonic() - self._down_since > self.tuning.retry_patience
            self._pause = min(self._pause * 2, self.tuning.retry_most)
            self._retry_at = None if hopeless else time.monotonic() + self._pause
            if hopeless:
                self._emit(("lost", self.name, code, f"{self.name} can't be restarted: {error}"))
            return
        self._retry_at = None
        self._emit(("up", self.name))


_TICKS_AT_ONCE = 256
_SYMBOL_SIZE = 12


class PumpingThread(SwitchedThread):
    """Notifications of what changes on the server."""

    name = Mode.PUMPING

    def __init__(self, load: Callable[[], Library], emit: Emit, tuning: Tuning, ledger: Ledger) -> None:
        self.shown: dict[bytes, None] = {}
        self._token = 0
        self._ticks_waiting = False
        self._ticks = TickQueues()
        self._room = bytes(_TICKS_AT_ONCE * table().layouts["SymbolInfo"].size)
        super().__init__(load, emit, tuning, ledger)

    def switch(self, handle: Handle) -> None:
        handle.call("SymbolsRefresh")
        for symbol in self.shown:
            handle.call("SymbolAdd", symbol)
        generation = self._generation
        put = self._queue.put

        def pumped(code: int, kind: int, data: bytes) -> None:
            if code == Pump.UPDATE_BIDASK:
                if self._ticks_waiting:  # one round of reading takes all
                    return
                self._ticks_waiting = True
            put((generation, code, kind, data))

        forget_pump(self._token)
        self._token = pump_token(pumped)
        self._ticks_waiting = False
        self.expect(handle.plain("PumpingSwitchEx", PUMP_FUNCTION, 0, self._token))

    def do_show(self, symbol: bytes) -> int:
        """Shows a symbol; also after a restart."""
        code = self.needed().call("SymbolAdd", symbol).code
        if code == OK:
            self.shown[symbol] = None
        return code

    def do_hide(self, symbol: bytes) -> int:
        """Hides a symbol."""
        self.shown.pop(symbol, None)
        return self.needed().call("SymbolHide", symbol).code

    def handled(self, *item: Any) -> None:
        code, kind, data = item
        if code == Pump.UPDATE_BIDASK:
            self._read_ticks()
        elif code == Pump.STOP_PUMPING:
            self.stopped("pumping stopped")
        elif data:
            self._emit(("pump", code, kind, data))

    def _read_ticks(self) -> None:
        """Takes the ticks of every changed symbol; what changes meanwhile is announced anew."""
        self._ticks_waiting = False
        size = table().layouts["SymbolInfo"].size
        while self.handle is not None:
            reply = self.handle.call("SymbolInfoUpdated", self._room, _TICKS_AT_ONCE)
            count = min(reply.code, _TICKS_AT_ONCE)
            rows = reply.outs[0]
            assert isinstance(rows, bytes)
            self._read_symbols(self.handle, [rows[at : at + size] for at in range(0, max(count, 0) * size, size)])
            if count < _TICKS_AT_ONCE:
                return

    def _read_symbols(self, handle: Handle, infos: list[bytes]) -> None:
        """The ticks of changed symbols: the library's queues of them, or else their newest state."""
        ticks, states = [], []
        for info in infos:
            symbol = info[:_SYMBOL_SIZE].partition(b"\0")[0]
            if not symbol:  # a count that was none
                continue
            news = self._ticks.news(symbol, lambda symbol=symbol: handle.call("TickInfoLast", symbol, 0).rows)  # type: ignore[misc]
            if news is None:
                states.append(info)
            else:
                ticks.append(news)
        if any(ticks):
            self._emit(("ticks", b"".join(ticks)))
        if states:
            self._emit(("infos", b"".join(states)))

    def disconnect(self) -> None:
        forget_pump(self._token)
        super().disconnect()


class DealingThread(SwitchedThread):
    """A dealer: requests come one by one, locked to this manager."""

    name = Mode.DEALING
    _slot: DealingSlot | None = None

    def switch(self, handle: Handle) -> None:
        generation = self._generation
        put = self._queue.put
        self._slot = dealing_slot(lambda code: put((generation, code)))
        self.expect(handle.plain("DealerSwitch", self._slot.function, None, 0))

    def handled(self, *item: Any) -> None:
        (code,) = item
        if code in (Deal.START_DEALING, Deal.REQUEST_NEW):
            self._take_requests()
        elif code == Deal.STOP_DEALING:
            self.stopped("dealing stopped")

    def _take_requests(self) -> None:
        while self.handle is not None:
            reply = self.handle.call("DealerRequestGet", b"")
            if reply.code != OK:
                return
            self._emit(("request", reply.outs[0]))

    def disconnect(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            rest(slot)
        super().disconnect()


THREADS: dict[Mode, type[HandleThread]] = {
    Mode.DIRECT: DirectThread,
    Mode.PUMPING: PumpingThread,
    Mode.DEALING: DealingThread,
}
