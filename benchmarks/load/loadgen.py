"""The load generator for machines without a C compiler: same flags, same modes, same checks as loadgen.c.

It is slower than most servers under test, so latencies and rates are its own as much as theirs; CPU time per operation
of the server is what it still measures well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MODES = ("calls", "fanout", "feed", "idle")
_EVENT = re.compile(rb'\{"event":"tick","event_id":(\d+),')
_ANSWER = re.compile(rb'\{"id":(\d+),"status":"OK"')
_HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class Wrong(Exception):
    """What a server did is not what the protocol says."""


def frame(opcode: int, payload: bytes) -> bytes:
    """A masked frame."""
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | opcode, 0x80 | length])
    elif length < 65536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + length.to_bytes(8, "big")
    mask = random.randbytes(4)
    key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")


@dataclass(slots=True)
class State:
    """What all connections share."""

    options: argparse.Namespace
    outstanding: int = 0
    events_missing: int = 0
    operations: int = 0
    ticks: int = 0
    received: int = 0
    sending: bool = False
    samples: list[float] = field(default_factory=list)
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    def fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self.progress.set()

    async def drained(self) -> None:
        """Waits until nothing is outstanding."""
        while self.outstanding or self.events_missing:
            self.progress.clear()
            await asyncio.wait_for(self.progress.wait(), 20)
            if self.failure:
                raise self.failure
        if self.failure:
            raise self.failure


class Connection(asyncio.Protocol):
    """One session."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.input = bytearray()
        self.message = bytearray()
        self.output: list[bytes] = []
        self.sent: dict[int, float] = {}
        self.next_id = 0
        self.next_event = 0
        self.answered: Callable[[Connection, float], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        options = self.state.options
        transport.write(_HANDSHAKE.format(host=options.host, port=options.port).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.state.fail(Wrong("the server hung up"))
        if not self.opened.done():
            self.opened.set_exception(Wrong("the server hung up during the handshake"))

    def data_received(self, data: bytes) -> None:
        self.state.received += len(data)
        self.input += data
        try:
            if not self.opened.done():
                self._take_handshake()
            if self.opened.done():
                self._take_frames()
        except Wrong as error:
            self.state.fail(error)
        self.flush()

    def _take_handshake(self) -> None:
        head, end, rest = bytes(self.input).partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 101") or _ACCEPT not in head:
            self.opened.set_exception(Wrong(f"the handshake was refused: {head.decode(errors='replace')}"))
            return
        self.input[:] = rest
        self.opened.set_result(None)

    def _take_frames(self) -> None:
        data, at = bytes(self.input), 0
        while len(data) - at >= 2:
            length, head = data[at + 1], 2
            if length & 128:
                raise Wrong("a masked frame from the server")
            if length > 125:
                head = 4 if length == 126 else 10
                if len(data) - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            if len(data) - at - head < length:
                break
            self._take_frame(data[at], data[at + head : at + head + length])
            at += head + length
        del self.input[:at]

    def _take_frame(self, first: int, payload: bytes) -> None:
        opcode = first & 15
        if opcode == 9:
            self.output.append(frame(10, payload))
        elif opcode == 8:
            raise Wrong(f"the server closed: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
        elif opcode <= 1:
            self.message += payload
            if first & 0x80:
                message, self.message = bytes(self.message), bytearray()
                self._take_message(message)

    def _take_message(self, message: bytes) -> None:
        state = self.state
        event = _EVENT.match(message)
        if event:
            if int(event[1]) != self.next_event:
                raise Wrong(f"event_id {int(event[1])}, expected {self.next_event}")
            if not state.events_missing or state.options.symbol.encode() not in message:
                raise Wrong(f"an event that nobody asked for: {message!r}")
            self.next_event += 1
            state.events_missing -= 1
        else:
            self._take_answer(message)
        if not state.outstanding and not state.events_missing:
            state.progress.set()

    def _take_answer(self, message: bytes) -> None:
        options = self.state.options
        answer = _ANSWER.match(message)
        if answer is None:
            raise Wrong(f"an answer that is not OK: {message[:400].decode(errors='replace')}")
        sent = self.sent.pop(int(answer[1]), None)
        if sent is None:
            raise Wrong(f"an answer to request {int(answer[1])}, which is not outstanding")
        self.state.outstanding -= 1
        if self.answered is None:
            return
        if options.expect and options.expect.encode() not in message:
            raise Wrong(f"{options.expect} is not in {message[:400]!r}")
        if len(message) < options.min_bytes:
            raise Wrong(f"an answer of {len(message)} bytes, expected {options.min_bytes}")
        self.answered(self, time.monotonic() - sent)

    def request(self, text: str) -> None:
        """Queues a request, given without its id."""
        self.output.append(frame(1, f'{{"id":{self.next_id},{text}}}'.encode()))
        self.sent[self.next_id] = time.monotonic()
        self.next_id += 1
        self.state.outstanding += 1

    def tick(self) -> None:
        """Queues a tick."""
        point = self.state.ticks % 1000
        self.state.ticks += 1
        symbol = self.state.options.symbol
        data = f'{{"symbol":"{symbol}","bid":1.1{point:04},"ask":1.1{point + 2:04}}}'
        self.request(f'"name":"tick.add","data":{data}')

    def flush(self) -> None:
        """Writes what is queued."""
        if self.output:
            self.transport.write(b"".join(self.output))
            self.output.clear()


class Load:
    """The modes."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.state = State(options)
        self.connections: list[Connection] = []

    async def open_until(self, wanted: int, subscribers: int) -> None:
        loop = asyncio.get_running_loop()
        while len(self.connections) < wanted:
            _, connection = await loop.create_connection(
                lambda: Connection(self.state), self.options.host, self.options.port
            )
            await connection.opened
            self.connections.append(connection)
            subscribes = len(self.connections) <= subscribers
            for text in self.options.setup + (self.options.subscribe if subscribes else []):
                connection.request(text)
            connection.flush()
            await self.state.drained()

    def _call_again(self, connection: Connection, latency: float) -> None:
        self.state.operations += 1
        self.state.samples.append(latency)
        if self.state.sending:
            connection.request(self.options.call)

    async def calls(self, seconds: float) -> None:
        self.state.sending = True
        for connection in self.connections:
            connection.answered = self._call_again
            for _ in range(self.options.depth):
                connection.request(self.options.call)
            connection.flush()
        await asyncio.sleep(seconds)
        self.state.sending = False
        await self.state.drained()

    async def fanout(self, seconds: float) -> None:
        end, publisher = time.monotonic() + seconds, self.connections[-1]
        while (start := time.monotonic()) < end:
            for _ in range(self.options.burst):
                publisher.tick()
            self.state.events_missing = self.options.connections * self.options.burst
            self.state.operations += self.state.events_missing
            publisher.flush()
            await self.state.drained()
            self.state.samples.append(time.monotonic() - start)

    async def feed(self, seconds: float) -> None:
        end, caller = time.monotonic() + seconds, self.connections[-1]
        answered = asyncio.Event()

        def sample(connection: Connection, latency: float) -> None:
            self.state.samples.append(latency)
            answered.set()

        caller.answered = sample
        feeding = asyncio.ensure_future(self._feed(end))
        while time.monotonic() < end:
            answered.clear()
            caller.request(self.options.call)
            caller.flush()
            await asyncio.wait_for(answered.wait(), 20)
            await asyncio.sleep(random.uniform(0.0002, 0.0018))
        await feeding
        await self.state.drained()

    async def _feed(self, end: float) -> None:
        publisher, start, sent = self.connections[-2], time.monotonic(), 0
        while (now := time.monotonic()) < end:
            while sent < (now - start) * self.options.rate and len(publisher.sent) < 255:
                publisher.tick()
                sent += 1
                self.state.events_missing += self.options.connections
                self.state.operations += self.options.connections
            publisher.flush()
            await asyncio.sleep(0.001)

    async def run(self) -> None:
        options, state = self.options, self.state
        idle = options.mode == "idle"
        extra = {"fanout": 1, "feed": 2}.get(options.mode, 0)
        first = (options.connections + 9) // 10 if idle else options.connections + extra
        await self.open_until(first, options.connections if extra else 0)
        run = {"calls": self.calls, "fanout": self.fanout, "feed": self.feed}.get(options.mode)
        if run and options.warmup > 0:
            await run(options.warmup)
        state.operations = state.ticks = state.received = 0
        state.samples.clear()
        print("ready", flush=True)
        if not await asyncio.to_thread(sys.stdin.readline):
            raise Wrong("nobody said go")
        start = time.monotonic()
        if run:
            await run(options.seconds)
        else:
            await self.open_until(options.connections, 0)
            state.operations = len(self.connections) - first
        self.report(time.monotonic() - start)
        if idle:
            await asyncio.to_thread(sys.stdin.readline)
        for connection in self.connections:
            connection.transport.write(frame(8, b"\x03\xe8"))
        await asyncio.sleep(0)

    def report(self, seconds: float) -> None:
        samples = sorted(sample * 1e6 for sample in self.state.samples) or [0.0]
        parts = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
        result = {
            "mode": self.options.mode, "generator": "python", "operations": self.state.operations, "seconds": seconds,
            "samples": len(self.state.samples), "ticks": self.state.ticks, "bytes_received": self.state.received,
            "latency_us": {name: round(samples[int(part * (len(samples) - 1))], 1) for name, part in parts.items()},
        }  # fmt: skip
        print(json.dumps(result), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="loadgen", description=__doc__)
    parser.add_argument("--mode", choices=MODES, default="calls")
    for flag, kind, default in (
        ("host", str, "127.0.0.1"), ("port", int, None), ("connections", int, 1), ("depth", int, 1), ("burst", int, 1),
        ("rate", int, 1000), ("seconds", float, 1.0), ("warmup", float, 0.2), ("call", str, None),
        ("expect", str, None), ("min-bytes", int, 0), ("symbol", str, "EURUSD"),
    ):  # fmt: skip
        parser.add_argument(f"--{flag}", type=kind, default=default, required=flag == "port")
    parser.add_argument("--setup", action="append", default=[])
    parser.add_argument("--subscribe", action="append", default=[])
    try:
        asyncio.run(Load(parser.parse_args()).run())
    except (Wrong, OSError, TimeoutError) as error:
        print(f"loadgen: {error or repr(error)}", file=sys.stderr, flush=True)
        os._exit(1)  # a thread may still wait for the input


if __name__ == "__main__":
    main()
