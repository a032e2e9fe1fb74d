"""The rooms of a connection: each method is one function of the protocol, called at the other gateway."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from typing_extensions import TypedDict

from forwarding_backend.link import Link
from forwarding_backend.wire import Unreadable, fields_of, nothing, reader, users
from mt_remote.backend import CommonConfig, Dealing, External, Groups, Managers, Market, Orders, Trades, Users
from mt_remote.errors import InvalidData
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    Tick,
    TradeCommand,
    TradeRecord,
    UserRecord,
)


class _Login(TypedDict):
    login: int


class _Order(TypedDict):
    order: int


_COMMON = reader(ConCommon)
_GROUP = reader(ConGroup)
_GROUPS = reader(list[ConGroup])
_MANAGER = reader(ConManager)
_LOGIN = reader(_Login)
_TICKS = reader(list[Tick])
_ORDER = reader(_Order)
_TRADE = reader(TradeRecord)
_TRADES = reader(list[TradeRecord])

LONGEST_COMMAND = 750_000
"""Bytes of an external command: as base64 they are the million that the protocol takes."""


class _Room:
    def __init__(self, link: Link) -> None:
        self._link = link


class ForwardCommon(_Room, CommonConfig):
    async def get(self) -> ConCommon:
        return await self._link.call("config.common.get", None, _COMMON)

    async def set(self, patch: Patch[ConCommon]) -> None:
        await self._link.call("config.common.set", fields_of(patch), nothing)


class ForwardGroups(_Room, Groups):
    async def add(self, draft: Draft[ConGroup]) -> None:
        await self._link.call("config.group.add", fields_of(draft), nothing)

    async def set(self, patch: Patch[ConGroup]) -> None:
        await self._link.call("config.group.set", fields_of(patch), nothing)

    async def get(self, group: str) -> ConGroup:
        return await self._link.call("config.group.get", {"group": group}, _GROUP)

    async def get_all(self) -> list[ConGroup]:
        return await self._link.call("config.groups.get.all", None, _GROUPS)

    async def delete(self, group: str) -> None:
        await self._link.call("config.group.del", {"group": group}, nothing)


class ForwardManagers(_Room, Managers):
    async def set(self, patch: Patch[ConManager]) -> None:
        await self._link.call("config.manager.set", fields_of(patch), nothing)

    async def get(self, login: int) -> ConManager:
        return await self._link.call("config.manager.get", {"login": login}, _MANAGER)

    async def delete(self, login: int) -> None:
        await self._link.call("config.manager.del", {"login": login}, nothing)


class ForwardUsers(_Room, Users):
    async def add(self, draft: Draft[UserRecord]) -> int:
        return (await self._link.call("user.add", fields_of(draft), _LOGIN))["login"]

    async def set(self, patch: Patch[UserRecord]) -> None:
        await self._link.call("user.set", fields_of(patch), nothing)

    async def get(self, logins: Sequence[int]) -> list[UserRecord]:
        return await self._link.call("users.get", {"logins": list(logins)}, users)

    async def get_all(self) -> list[UserRecord]:
        return await self._link.call("users.get.all", None, users)

    async def delete(self, logins: Sequence[int]) -> None:
        await self._link.call("users.del", {"logins": list(logins)}, nothing)


class ForwardMarket(_Room, Market):
    """The other gateway has no function that tells what a session shows, so that is kept here."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._shown: dict[str, None] = {}

    async def show(self, symbol: str) -> None:
        await self._link.call("symbol.show", {"symbol": symbol}, nothing)
        self._shown[symbol] = None

    async def hide(self, symbol: str) -> None:
        await self._link.call("symbol.hide", {"symbol": symbol}, nothing)
        self._shown.pop(symbol, None)

    def shown(self) -> Sequence[str]:
        return list(self._shown)

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        await self._link.call("tick.add", {"symbol": symbol, "bid": bid, "ask": ask}, nothing)

    async def last_ticks(self, symbol: str) -> list[Tick]:
        return await self._link.call("ticks.get", {"symbol": symbol}, _TICKS)


class ForwardOrders(_Room, Orders):
    async def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        *,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> int:
        order = {"login": login, "symbol": symbol, "command": command, "volume": volume, "price": price}
        more = {"sl": sl, "tp": tp, "expiration": expiration, "comment": comment}
        return (await self._link.call("order.open", order | more, _ORDER))["order"]

    async def modify(
        self,
        order: int,
        *,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        changes = {"price": price, "sl": sl, "tp": tp, "expiration": expiration, "comment": comment}
        stated = {name: value for name, value in changes.items() if value is not None}
        await self._link.call("order.modify", {"order": order, **stated}, nothing)

    async def close(self, order: int, volume: float, price: float) -> None:
        await self._link.call("order.close", {"order": order, "volume": volume, "price": price}, nothing)

    async def close_by(self, order: int, order_by: int) -> None:
        await self._link.call("order.close_by", {"order": order, "order_by": order_by}, nothing)

    async def close_all(self, login: int, symbol: str) -> None:
        await self._link.call("order.close_all", {"login": login, "symbol": symbol}, nothing)

    async def cancel(self, order: int, command: TradeCommand) -> None:
        await self._link.call("order.cancel", {"order": order, "command": command}, nothing)

    async def activate(self, order: int, price: float) -> None:
        await self._link.call("order.activate", {"order": order, "price": price}, nothing)

    async def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        record = {"login": login, "command": command, "amount": amount, "expiration": expiration, "comment": comment}
        return (await self._link.call("order.balance", record, _ORDER))["order"]


class ForwardTrades(_Room, Trades):
    async def get(self, order: int) -> TradeRecord:
        return await self._link.call("trade.get", {"order": order}, _TRADE)

    async def get_all(self) -> list[TradeRecord]:
        return await self._link.call("trades.get", None, _TRADES)

    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        return await self._link.call("trades.get.by_login", {"login": login, "group": group}, _TRADES)

    async def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        return await self._link.call("trades.history", {"login": login, "from": start, "to": end}, _TRADES)


class ForwardDealing(_Room, Dealing):
    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        answer = {"request_id": request_id, "bid": bid, "ask": ask, "mode": mode}
        await self._link.call("request.confirm", answer, nothing)

    async def requote(self, request_id: int, bid: float, ask: float) -> None:
        await self._link.call("request.requote", {"request_id": request_id, "bid": bid, "ask": ask}, nothing)

    async def reject(self, request_id: int) -> None:
        await self._link.call("request.reject", {"request_id": request_id}, nothing)

    async def reset(self, request_id: int) -> None:
        await self._link.call("request.reset", {"request_id": request_id}, nothing)


class ForwardExternal(_Room, External):
    async def command(self, data: bytes) -> bytes:
        """Raises ``InvalidData`` for more than can be forwarded."""
        if len(data) > LONGEST_COMMAND:
            raise InvalidData.of("command", f"at most {LONGEST_COMMAND} bytes can be forwarded to another gateway")
        command = {"command": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
        return await self._link.call("external.command", command, _bytes)


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise Unreadable(f"base64: {error}") from None
