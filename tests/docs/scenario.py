"""One long conversation with the demo broker in which every function is called and every kind of event comes: the
examples of docs/protocol.md. Feed off, clock in our hands, so it is the same every time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.stories.conftest import open_desk

Json = dict[str, Any]

_PATIENCE = 10.0
_PENDING = {"login": 100, "symbol": "EURUSD", "command": "buy_limit", "volume": 0.1, "price": 1.05}
_POSITION = {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.1001}
_DEALT = {"login": 200, "symbol": "GBPUSD", "command": "buy", "volume": 0.01}


@dataclass
class Story:
    """What was said: the first successful exchange of each function, the first event of each kind."""

    exchanges: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)


class Speaker:
    """One session of the story."""

    def __init__(self, socket: ClientConnection, story: Story) -> None:
        self._socket = socket
        self._story = story
        self._id = 0
        self.heard: list[Json] = []

    async def _next(self) -> Json:
        async with asyncio.timeout(_PATIENCE):
            message: Json = json.loads(await self._socket.recv())
        if "event" in message:
            self._story.events.setdefault(message["event"], message)
            self.heard.append(message)
        return message

    async def say(self, name: str, data: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """Calls a function, which must succeed."""
        request: Json = {"id": self._id, "name": name}
        self._id += 1
        given = {**(data or {}), **more}
        if given:
            request["data"] = given
        await self._socket.send(json.dumps(request))
        answer = await self._next()
        while "event" in answer:
            answer = await self._next()
        assert answer["status"] == "OK", (request, answer)
        if "file" in given:
            request["data"] = {**given, "file": Path(given["file"]).name}
        self._story.exchanges.setdefault(name, (request, answer))
        return answer.get("result")

    async def hears(self, event: str) -> Any:
        """Data of the next event of a kind."""
        while True:
            for message in self.heard:
                if message["event"] == event:
                    self.heard.remove(message)
                    return message["data"]
            await self._next()


async def tell(folder: Path) -> Story:
    """The whole story; ``folder`` takes the snapshot."""
    story = Story()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(simulator={"folder": folder}))

        async def speaker() -> Speaker:
            socket = await stack.enter_async_context(connect(desk.url, max_size=None, proxy=None))
            return Speaker(socket, story)

        one, dealer = await speaker(), await speaker()
        await _session(one)
        await _configuration(one)
        await _users(one)
        await _market(one)
        await _orders(one)
        await _dealing(one, dealer)
        await _simulation(one)
        await one.say("disconnect")
    return story


async def _session(one: Speaker) -> None:
    await one.say("subscribe", event="connection")
    await one.say("connect", server="Demo", login=1, password="manager", reconnect_delay=1)
    await one.hears("connection")
    for event in ("group", "user", "trade"):
        await one.say("subscribe", event=event)


async def _configuration(one: Speaker) -> None:
    await one.say("config.common.get")
    await one.say("config.common.set", timeout=180, optimization_time_minutes="23:0")
    await one.say("config.group.add", group="test", enable=True, currency="EUR")
    await one.say("config.group.set", group="test", margin_call=50, securities={"Forex": {"trade": True}})
    await one.say("config.group.get", group="demoforex")
    await one.say("config.groups.get.all")
    await one.say("config.group.del", group="test")
    await one.say("config.manager.set", login=123, name="Manager1", groups=["mini*"])
    await one.say("config.manager.get", login=123)
    await one.say("config.managers.get.all")
    await one.say("config.manager.del", login=123)
    await one.say("config.symbol.add", symbol="EURNOK", security="Forex", digits=5, contract_size=100000.0)
    await one.say("config.symbol.set", symbol="EURNOK", spread=12)
    await one.say("config.symbol.get", symbol="EURNOK")
    await one.say("config.symbol.move", symbol="EURNOK", to=0)
    await one.say("config.symbols.get.all")
    await one.say("config.symbol.del", symbol="EURNOK")
    place = await one.say("config.holiday.add", month=12, day=25, description="Christmas")
    place = await one.say("config.holiday.set", place, to="12:0")
    await one.say("config.holidays.get.all")
    place = await one.say("config.holiday.move", place, to=0)
    await one.say("config.holiday.del", place)


async def _users(one: Speaker) -> None:
    await one.say("user.add", login=100, group="miniforex", name="User One", password="Pass1", enable=True)
    await one.say("user.add", login=200, group="demodealing", name="User Two", password="Pass1", enable=True)
    await one.say("user.set", login=100, leverage=200, city="Riga")
    await one.say("users.get", logins=[100])
    await one.say("users.get.all")


async def _market(one: Speaker) -> None:
    await one.say("symbol.show", symbol="EURUSD")
    await one.say("subscribe", event="tick")
    await one.say("tick.add", symbol="EURUSD", bid=1.1, ask=1.1001)
    await one.say("ticks.get", symbol="EURUSD")
    await one.say("symbol.hide", symbol="EURUSD")
    await one.say("unsubscribe", event="tick")


async def _orders(one: Speaker) -> None:
    await one.say("order.balance", login=100, command="balance", amount=1000.0, comment="Deposit")
    await one.say("order.balance", login=200, command="balance", amount=1000.0)
    ticket = (await one.say("order.open", _POSITION, comment="first"))["order"]
    await one.say("order.modify", order=ticket, sl=1.05, tp=1.2)
    await one.say("trade.get", order=ticket)
    await one.say("trades.get")
    await one.say("trades.get.by_login", login=100, group="miniforex")
    await one.say("order.close", order=ticket, volume=0.1, price=1.1)
    pending = (await one.say("order.open", _PENDING))["order"]
    await one.say("order.activate", order=pending, price=1.05)
    other = (await one.say("order.open", {**_POSITION, "command": "sell", "price": 1.1}))["order"]
    await one.say("order.close_by", order=pending, order_by=other)
    second = (await one.say("order.open", _PENDING))["order"]
    await one.say("order.cancel", order=second, command="buy_limit")
    for command, price in (("buy", 1.1001), ("sell", 1.1)):
        await one.say("order.open", {**_POSITION, "command": command, "price": price})
    await one.say("order.close_all", login=100, symbol="EURUSD")
    await one.say("trades.history", {"login": 100, "from": 0})
    await one.say("external.command", command="AQL/", encoding="base64")


async def _dealing(one: Speaker, dealer: Speaker) -> None:
    await dealer.say("connect", server="Demo", login=1, password="manager", reconnect_delay=0, version="2")
    await dealer.say("subscribe", event="trade_request")
    await one.say("tick.add", symbol="GBPUSD", bid=1.26748, ask=1.26753)

    async def asked(name: str, **more: Any) -> int:
        heard = await one.say(name, login=200, **more)
        await dealer.hears("trade_request")
        return int(heard["request_id"])

    deal = {key: value for key, value in _DEALT.items() if key != "login"}
    confirmed = await asked("simulator.trader.open", **deal)
    await dealer.say("request.confirm", request_id=confirmed, bid=1.2675, ask=1.26755, mode="normal")
    order = (await one.say("simulator.trader.request", login=200, request_id=confirmed))["order"]
    moved = await asked("simulator.trader.modify", order=order, sl=1.25)
    await dealer.say("request.confirm", request_id=moved, bid=1.2675, ask=1.26755)
    requoted = await asked("simulator.trader.close", order=order)
    await dealer.say("request.requote", request_id=requoted, bid=1.267, ask=1.2671)
    accepted = await asked("simulator.trader.accept", request_id=requoted)
    await dealer.say("request.confirm", request_id=accepted, bid=1.267, ask=1.2671)
    rejected = await asked("simulator.trader.open", **deal)
    await dealer.say("request.reject", request_id=rejected)
    withdrawn = await asked("simulator.trader.open", **deal)
    await dealer.say("request.reset", request_id=withdrawn)
    await one.say("simulator.trader.withdraw", login=200, request_id=withdrawn)


async def _simulation(one: Speaker) -> None:
    await one.say("tick.add", symbol="EURUSD", bid=1.1, ask=1.1001)
    pending = await one.say("simulator.trader.open", _PENDING)
    await one.say("simulator.trader.delete", login=100, order=pending["order"])
    deal = {"login": 100, "symbol": "EURUSD", "volume": 0.1}
    buy = (await one.say("simulator.trader.open", deal, command="buy"))["order"]
    sell = (await one.say("simulator.trader.open", deal, command="sell"))["order"]
    await one.say("simulator.trader.close_by", login=100, order=buy, order_by=sell)
    await one.say("simulator.trader.prices", login=100, symbol="EURUSD")
    await one.say("simulator.trader.log_out", login=100)
    await one.say("simulator.clock.get")
    await one.say("simulator.clock.advance", seconds=60)
    await one.say("simulator.tick", symbol="EURUSD", bid=1.0851, ask=1.0852)
    await one.say("simulator.feed", kind="random", rate=0.5)
    await one.say("simulator.feed", kind="off")
    await one.say("simulator.fault.down", down=True)
    await one.say("simulator.fault.down", down=False)
    await one.say("simulator.faults.set", seed=7, rules=[{"on": "ticks.get", "nth": 2, "do": "delay", "seconds": 5}])
    for name in ("simulator.faults.get", "simulator.faults.release", "simulator.faults.clear"):
        await one.say(name)
    file = "monday.json"
    await one.say("simulator.snapshot.save", file=file)
    await one.say("users.del", logins=[100])
    for name in ("simulator.snapshot.load", "simulator.reset", "simulator.fault.disconnect"):
        await one.say(name, {"file": file} if name.endswith("load") else None)
        while not await one.hears("connection"):  # down, and up again: reconnect_delay restores it
            pass
