"""What every peer serves: the functions that the benchmarks call, validated as the gateway validates them.

A peer hands a message to :meth:`Desk.handle` and sends what comes back. Ticks go to every subscriber as the peer's
library does it best.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from benchmarks.peers.schema import GroupPatch, Trade
from benchmarks.sample import trades

Text = Annotated[str, Field(max_length=255)]
Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Connect(TypedDict, total=False):
    server: Text
    login: int
    password: Text
    reconnect_delay: Annotated[int, Field(ge=0)]


class Symbol(TypedDict):
    symbol: Annotated[str, Field(max_length=12)]


class Tick(TypedDict):
    symbol: str
    time: int
    bid: float
    ask: float


class Prices(Symbol):
    bid: Price
    ask: Price


class Kind(TypedDict):
    event: Literal["tick"]


class Count(TypedDict):
    count: Annotated[int, Field(ge=0)]


class LongText(TypedDict):
    text: Annotated[str, Field(max_length=2**20)]


class _Request(TypedDict):
    id: int | str


class ConnectRequest(_Request):
    name: Literal["connect"]
    data: Connect


class ShowRequest(_Request):
    name: Literal["symbol.show"]
    data: Symbol


class SubscribeRequest(_Request):
    name: Literal["subscribe"]
    data: Kind


class TickAddRequest(_Request):
    name: Literal["tick.add"]
    data: Prices


class TicksGetRequest(_Request):
    name: Literal["ticks.get"]
    data: Symbol


class GroupSetRequest(_Request):
    name: Literal["config.group.set"]
    data: GroupPatch


class TradesRequest(_Request):
    name: Literal["bench.trades"]
    data: Count


class MeasureRequest(_Request):
    name: Literal["bench.measure"]
    data: LongText


Request = Annotated[
    ConnectRequest
    | ShowRequest
    | SubscribeRequest
    | TickAddRequest
    | TicksGetRequest
    | GroupSetRequest
    | TradesRequest
    | MeasureRequest,
    Field(discriminator="name"),
]
REQUEST: TypeAdapter[Any] = TypeAdapter(Request)
TICK: TypeAdapter[Tick] = TypeAdapter(Tick)
TICKS: TypeAdapter[list[Tick]] = TypeAdapter(list[Tick])
TRADES: TypeAdapter[list[Trade]] = TypeAdapter(list[Trade])


C = TypeVar("C")


@dataclass(slots=True)
class Desk(Generic[C]):
    """State and functions. ``send`` sends an event to one subscriber without waiting for it."""

    send: Callable[[C, bytes], object]
    subscribers: dict[C, int] = field(default_factory=dict)
    ticks: dict[str, Tick] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)

    def handle(self, client: C, message: bytes | str) -> bytes:
        """The answer to a message."""
        request = REQUEST.validate_json(message)
        name, data = request["name"], request["data"]
        result: bytes | None = None
        if name == "ticks.get":
            last = self.ticks.get(data["symbol"])
            result = TICKS.dump_json([last] if last else [])
        elif name == "tick.add":
            self.publish({"symbol": data["symbol"], "time": int(time.time()), "bid": data["bid"], "ask": data["ask"]})
        elif name == "config.group.set":
            self.group.update(data)
        elif name == "bench.trades":
            result = TRADES.dump_json(cast("list[Trade]", trades(data["count"])))
        elif name == "bench.measure":
            result = b"%d" % len(data["text"])
        elif name == "subscribe":
            self.subscribers[client] = 0
        if result is None:
            return b'{"id":%d,"status":"OK"}' % request["id"]
        return b'{"id":%d,"status":"OK","result":%b}' % (request["id"], result)

    def publish(self, tick: Tick) -> None:
        """Every subscriber gets the tick under its own number; the data is encoded once."""
        self.ticks[tick["symbol"]] = tick
        tail = b',"data":%b}' % TICK.dump_json(tick)
        for client, number in self.subscribers.items():
            self.subscribers[client] = number + 1
            self.send(client, b'{"event":"tick","event_id":%d%b' % (number, tail))

    def gone(self, client: C) -> None:
        """The client left."""
        self.subscribers.pop(client, None)
