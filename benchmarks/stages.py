"""``python -m benchmarks.stages [simulator|memory]``: where a call's and an event's time goes inside the gateway.

Each stage runs alone on the gateway's own objects, without a network: bytes go into a session, and what it writes is
thrown away. The difference between the whole here and the server's CPU in ``python -m benchmarks`` is the kernel's and
the event loop's.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

import anyio

from benchmarks.gateway.__main__ import gateway_parts
from benchmarks.load.loadgen import frame
from benchmarks.sample import group_patch, request
from mt_remote.backend import Event
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.gateway.admission import Entry
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.records import Tick
from mt_remote.session.session import WebSocketSession
from mt_remote.settings import Settings
from mt_remote.shell.server import running
from mt_remote.wire.transport import Transport
from mt_remote.wire.websocket import WebSocket
from mt_remote_plugins.areas import Market

DEPTH = 64
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_CONNECT = request("connect", {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0})


class NoTransport(Transport):
    """Takes everything and sends nothing."""

    secure = False

    @property
    def unsent(self) -> int:
        return 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def microseconds(step: Callable[[], object], operations: int = 1, seconds: float = 0.15) -> float:
    """Time per operation: the best of five repetitions."""
    count, best = 1, float("inf")
    while True:
        start = time.perf_counter()
        for _ in range(count):
            step()
        if (taken := time.perf_counter() - start) > seconds / 5:
            break
        count *= 2
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            step()
        best = min(best, time.perf_counter() - start)
    return min(best, taken) / count / operations * 1e6


def _message(text: str, number: int = 1) -> bytes:
    return f'{{"id":{number},{text}}}'.encode()


def _drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that does not suspend."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("it suspended")


async def _session(gateway: Any) -> WebSocketSession:
    """A connected session without a network."""
    session: WebSocketSession = gateway.open_session(NoTransport(), Entry("nobody", 0.0, lambda: None))
    session.data_received(_UPGRADE)
    session.data_received(frame(1, _message(_CONNECT)))
    await anyio.wait_all_tasks_blocked()
    return session


def _fresh_socket(session: WebSocketSession) -> WebSocket:
    """Another WebSocket that is open, to receive on without carrying anything out."""
    websocket = WebSocket(session.gateway.settings.max_message)
    websocket.receive(_UPGRADE)
    websocket.accept()
    return websocket


def call_stages(session: WebSocketSession, text: str) -> dict[str, float]:
    """Stages of one call out of a read of 64."""
    gateway = cast(AssembledGateway, session.gateway)
    message = _message(text)
    stream = b"".join(frame(1, _message(text, number)) for number in range(DEPTH))
    websocket = _fresh_socket(session)
    registry = gateway.catalogue.registry
    call = registry.parse(message)
    function = call.function

    def invoke() -> Any:
        given = function.invoke(session, dict(call.arguments), call.body)
        return _drive(given) if function.is_async else given

    result = invoke()
    answers = function.result is not None
    outbox = session.outbox
    outbox.pieces.clear()
    outbox.dirty = True  # no flush is to be scheduled while a call is carried alone

    def carry() -> None:
        again = ParsedCall(call.id, function, dict(call.arguments), call.body, None)
        gateway.submit(session, again)
        outbox.pieces.clear()

    def answer() -> None:
        outbox.answer(call, result)
        session.websocket.take_output()

    def split() -> None:  # a long read is split piece by piece
        websocket.receive(stream)
        while websocket.more:
            websocket.receive(b"")

    def take() -> None:  # and carried out turn by turn
        session.data_received(stream)
        while session._behind:
            session.go_on()

    stages = {
        "frames: split, unmask": microseconds(split, DEPTH),
        "request: JSON, validation": microseconds(lambda: registry.parse(message)),
        "handler, to the backend and back": microseconds(invoke),
        "result to JSON": microseconds(lambda: function.encode(result, "0")) if answers else 0.0,
    }
    stages["answer: head, frame, join"] = max(0.0, microseconds(answer) - stages["result to JSON"])
    carried = microseconds(carry)
    inner = ("handler, to the backend and back", "result to JSON", "answer: head, frame, join")
    stages["order, carrier, deadline, hooks"] = max(0.0, carried - sum(stages[name] for name in inner))
    whole = microseconds(take, DEPTH)
    stages["whole"] = whole
    return stages


def event_stages(session: WebSocketSession) -> dict[str, float]:
    """Stages of one event of one session, out of a burst of 16."""
    outbox = session.outbox
    tick = Tick(symbol="EURUSD", time=1_700_000_000, bid=1.1, ask=1.1002)
    event = Event("tick", tick, "EURUSD")
    outbox.subscribe("tick")
    outbox.dirty = True
    outbox.on_event(event)

    def burst() -> None:
        for _ in range(16):
            outbox.on_event(event)
        outbox.pieces.clear()

    def burst_and_flush() -> None:
        outbox.dirty = True
        for _ in range(16):
            outbox.on_event(event)
        outbox.flush()

    stages = {
        "event to JSON, once for all sessions": microseconds(lambda: session.gateway.encode_event(event, "0")),
        "number, head, outbox": microseconds(burst, 16),
    }
    stages["whole, with the join of a burst"] = microseconds(burst_and_flush, 16)
    return stages


async def _profile(backend_name: str) -> dict[str, dict[str, float]]:
    hooks, backend = gateway_parts(backend_name)
    results: dict[str, dict[str, float]] = {}
    done = asyncio.Event()
    async with running(Settings(port=0, shutdown_grace=1, close_timeout=0.1), hooks, backend) as serving:
        session = await _session(serving.gateway)
        await session.require_connection()[Market].add_tick("EURUSD", 1.1, 1.1002)

        def measure() -> None:  # from a callback, as calls come
            for title, text in (
                ("`ticks.get`", request("ticks.get", {"symbol": "EURUSD"})),
                ("4 KiB of text", request("bench.measure", {"text": "x" * 4096})),
                ("3.6 KB `config.group.set`", request("config.group.set", group_patch())),
            ):
                results[title] = call_stages(session, text)
            results["a tick event"] = event_stages(session)
            done.set()

        asyncio.get_running_loop().call_soon(measure)
        await done.wait()
    return results


def profile(backend: str) -> dict[str, dict[str, float]]:
    """µs by title and stage."""
    return anyio.run(_profile, backend, backend_options={"use_uvloop": True})


def tables(results: dict[str, dict[str, float]]) -> str:
    """Markdown: a table of calls' stages, one of an event's."""
    calls = {title: stages for title, stages in results.items() if "whole" in stages}
    events = {title: stages for title, stages in results.items() if title not in calls}
    return "\n\n".join(_table(group) for group in (calls, events) if group)


def _table(results: dict[str, dict[str, float]]) -> str:
    stages = next(iter(results.values()))
    rows = [["µs", *results], ["---"] * (len(results) + 1)]
    rows += [[stage, *(f"{column[stage]:.2f}" for column in results.values())] for stage in stages]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    print(tables(profile(sys.argv[1] if len(sys.argv) > 1 else "simulator")))
