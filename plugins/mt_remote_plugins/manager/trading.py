"""Orders, trades, dealing and plugin commands over the library."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from mt4abi import Transaction, structure
from mt4abi.marshal.units import hundredths
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError, describe
from mt_remote.records import ConfirmMode, TradeCommand, TradeRecord
from mt_remote.records.enums import CONFIRM_MODE_NUMBERS, TRADE_COMMAND_NUMBERS
from mt_remote_plugins.dealing import Dealing
from mt_remote_plugins.external import ExternalBytes
from mt_remote_plugins.manager.engine.handle import Reply
from mt_remote_plugins.manager.engine.messages import Mode
from mt_remote_plugins.manager.library_calls import LibraryCalls, LibrarySession, OverLibrary, check
from mt_remote_plugins.manager.refusals import Refusals, named
from mt_remote_plugins.orders import NewTicket, Orders
from mt_remote_plugins.trades import Trades, end_of

_COMMENT_SIZE, _SYMBOL_SIZE = 32, 12


class LibraryOrders(OverLibrary, Orders):
    """Orders: a transaction each."""

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session)
        self._refusals = Refusals(self._library)

    async def _transact(self, kind: Transaction, **members: Any) -> int:
        """Carries a manager's transaction out; the record's ticket."""
        info: Any = structure("TradeTransInfo")(type=int(kind))
        for name, value in members.items():
            setattr(info, name, self._native(name, value))
        reply = await self._library.direct("TradeTransaction", bytes(info))
        return int(structure("TradeTransInfo").from_buffer_copy(reply.outs[0]).order)  # type: ignore[arg-type]

    def _native(self, name: str, value: Any) -> Any:
        if name == "comment":
            return self._library.marshal.text(value, _COMMENT_SIZE, name)
        if name == "symbol":
            return self._library.marshal.text(value, _SYMBOL_SIZE, name)
        if name == "volume":
            return hundredths(value, name)
        return TRADE_COMMAND_NUMBERS[value] if name == "cmd" else value

    async def _on(self, order: int, kind: Transaction, **members: Any) -> None:
        """A transaction on a record; a ticket that does not exist is named."""
        try:
            await self._transact(kind, order=order, **members)
        except ServerError as error:
            if error.return_code == ReturnCode.INVALID_DATA:
                await self._library.trade(order)
            raise named(error) from None

    async def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> NewTicket:
        try:
            ticket = await self._transact(
                Transaction.OPEN,
                orderby=login,
                symbol=symbol,
                cmd=command,
                volume=volume,
                price=price,
                sl=sl,
                tp=tp,
                expiration=expiration,
                comment=comment,
            )
        except ServerError as error:
            raise await self._refusals.of_order(error, login=login, symbol=symbol, price=price) from None
        return {"order": ticket}

    async def modify(
        self,
        order: int,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        now = await self._library.trade(order)  # the server replaces all of these at once
        await self._on(
            order,
            Transaction.MODIFY,
            cmd=now.cmd,
            symbol=now.symbol,
            volume=now.volume,
            price=now.open_price if price is None else price,
            sl=now.sl if sl is None else sl,
            tp=now.tp if tp is None else tp,
            expiration=now.expiration if expiration is None else expiration,
            comment=now.comment if comment is None else comment,
        )

    async def close(self, order: int, volume: float, price: float) -> None:
        await self._on(order, Transaction.CLOSE, volume=volume, price=price)

    async def close_by(self, order: int, order_by: int) -> None:
        try:
            await self._on(order, Transaction.CLOSE_BY, orderby=order_by)
        except ServerError as error:
            if error.return_code == ReturnCode.INVALID_DATA:
                await self._library.trade(order_by)
            raise

    async def close_all(self, login: int, symbol: str) -> None:
        try:
            await self._transact(Transaction.CLOSE_ALL, orderby=login, symbol=symbol)
        except ServerError as error:
            raise await self._refusals.of_order(error, login=login, symbol=symbol) from None

    async def cancel(self, order: int, command: TradeCommand) -> None:
        found = await self._library.trade(order)
        if found.cmd is not command or found.close_time:
            state = "closed" if found.close_time else found.cmd
            raise InvalidData.of("command", f"order {order} is no pending {command} order: it is {state}")
        await self._on(order, Transaction.DELETE, cmd=command)

    async def activate(self, order: int, price: float) -> None:
        await self._on(order, Transaction.ACTIVATE, price=price)

    async def balance(
        self, login: int, command: TradeCommand, amount: float, expiration: int = 0, comment: str = ""
    ) -> NewTicket:
        try:
            ticket = await self._transact(
                Transaction.BALANCE, orderby=login, cmd=command, price=amount, expiration=expiration, comment=comment
            )
        except ServerError as error:
            raise await self._refusals.of_balance(error, login, command, amount, expiration) from None
        return {"order": ticket}


class LibraryTrades(OverLibrary, Trades):
    """An empty list is asked about: the library says nothing of a login or a group that it does not know."""

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session)
        self._refusals = Refusals(self._library)

    async def get(self, order: int) -> TradeRecord:
        return await self._library.trade(order)

    async def get_all(self) -> list[TradeRecord]:
        return _by_ticket(await self._library.records(TradeRecord, "TradesRequest", 0))

    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        """By a request: the pumped list is up to a second behind."""
        found = [trade for trade in await self.get_all() if trade.login == login]
        if not found:
            await self._refusals.need_account(login)
            await self._refusals.need_group(group)
        return found

    async def history(self, login: int, from_: int = 0, to: int | None = None) -> list[TradeRecord]:
        end = end_of(from_, to, await self._library.server_time() if to is None else to)
        found = await self._library.records(TradeRecord, "TradesUserHistory", login, from_, end, 0)
        if not found:
            await self._refusals.need_account(login)
        return _by_ticket(found)


def _by_ticket(records: list[TradeRecord]) -> list[TradeRecord]:
    return sorted(records, key=lambda record: record.order)


class LibraryDealing(OverLibrary, Dealing):
    """Answers to requests that the manager holds."""

    async def _request(self, request_id: int) -> Any:
        if "trade_request" not in self._session.watched:
            await self._library.need("broker")
            raise ServerError(ReturnCode.INVALID_DATA, "Not dealing: subscribe to 'trade_request' first")
        native = self._library.held.get(request_id)
        if native is None:
            raise NotFound(f"Cannot find request {request_id}")
        return structure("RequestInfo").from_buffer_copy(native)

    async def _send(self, request_id: int, bid: float, ask: float, requote: bool, mode: int) -> None:
        request = await self._request(request_id)
        request.prices[:] = native_prices(bid, ask)
        await _answer(self._library, request_id, "DealerSend", bytes(request), int(requote), mode)

    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode = ConfirmMode.NORMAL) -> None:
        await self._send(request_id, bid, ask, False, CONFIRM_MODE_NUMBERS[mode])

    async def requote(self, request_id: int, bid: float, ask: float) -> None:
        await self._send(request_id, bid, ask, True, 0)

    async def reject(self, request_id: int) -> None:
        await self._request(request_id)
        await _answer(self._library, request_id, "DealerReject", request_id)

    async def reset(self, request_id: int) -> None:
        await self._request(request_id)
        await _answer(self._library, request_id, "DealerReset", request_id)


async def give_back(library: LibraryCalls) -> None:
    """Gives every request back that is still held; one that is over meanwhile is no error."""
    for request_id in list(library.held):
        with suppress(ServerError):
            await _answer(library, request_id, "DealerReset", request_id)
    library.held.clear()


async def _answer(library: LibraryCalls, request_id: int, key: str, *values: Any) -> None:
    reply: Reply = await library.calls.call(Mode.DEALING, "call", key, *values)
    check(reply.code)
    library.held.pop(request_id, None)


def native_prices(bid: float, ask: float) -> tuple[float, float]:
    """The order of a dealer's two prices in ``RequestInfo.prices``: as the library's header labels them."""
    return bid, ask


class LibraryExternal(OverLibrary, ExternalBytes):
    """Commands to the server's plugins."""

    async def send(self, data: bytes) -> bytes:
        code, answer = await self._library.calls.call(Mode.DIRECT, "external", data)
        if code == ReturnCode.ERROR:
            raise ServerError(code, f"No plugin of the server took the command ({describe(code)})")
        check(code)
        return bytes(answer)
