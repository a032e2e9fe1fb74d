"""A short day at the broker, told to whatever listens at a URL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mt_remote_tools.recording import Recording, proxy, read
from mt_remote_tools.recording.compare import Result, compare
from mt_remote_tools.recording.player import LogIn, Player, Terms
from mt_remote_tools.recording.redact import Secrets
from mt_remote_tools.recording.tape import FileTape
from tests.stories.client import manager
from tests.stories.conftest import open_desk

PASSWORD = "Trader-1-Pass"
TERMS = Terms(patience=10.0, events_within=0.2)


async def tell(url: str) -> None:
    """An account, its trades, a dealer's answer, an error, in two sessions."""
    async with manager(url, dialect="2") as one, manager(url, dialect="1.00") as dealer:
        for event in ("trade", "tick", "user"):
            await one.call("subscribe", event=event)
        await one.call("symbol.show", symbol="EURUSD")
        fields = {"group": "demodealing", "name": "Anna", "password": PASSWORD, "enable": True, "leverage": 100}
        login = (await one.call("user.add", login=0, **fields))["login"]
        await one.call("order.balance", login=login, command="balance", amount=10_000.0)
        await one.call("tick.add", symbol="EURUSD", bid=1.08, ask=1.0801)
        order = {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.3, "price": 1.0801}
        ticket = (await one.call("order.open", **order))["order"]
        await one.call("order.close", order=ticket, volume=0.1, price=1.081)
        await one.call("order.modify", order=ticket + 1, sl=1.05)
        await dealer.call("subscribe", event="trade_request")
        await one.call("simulator.trader.open", login=login, symbol="EURUSD", command="sell", volume=0.1)
        request = await dealer.event("trade_request")
        await dealer.call("request.confirm", request_id=request["id"], bid=1.08, ask=1.0801, mode="normal")
        await one.call("trades.history", login=login)
        await one.call("trades.get")
        assert str(ticket + 100) in (await one.fails("trade.get", order=ticket + 100)).message
        await one.fails("config.group.get", group=PASSWORD)
        await one.settled()


async def recorded(path: Path, **desk: object) -> Recording:
    """The story, recorded between a client and a fresh gateway."""
    async with open_desk(**desk) as opened:  # type: ignore[arg-type]
        with FileTape(path, opened.url) as tape:
            async with proxy.recording(opened.url, tape) as running:
                await tell(running.url)
                await running.until_ended(2)
    return read(path)


async def replayed(recording: Recording, url: str, *ignore: str, login: LogIn | None = None) -> Result:
    """The recording against another gateway."""
    terms = replace(TERMS, log_in=login or LogIn())
    played = await Player(recording, url, secrets=Secrets(log_in="manager"), terms=terms).play()
    return compare(recording, played, ignore)
