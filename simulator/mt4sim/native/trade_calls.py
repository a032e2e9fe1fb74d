"""Transactions and trades by request, prices thrown in, and commands to the server's plugins."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from mt4abi import Transaction, structure
from mt4sim.desk.managers import ManagerSession
from mt4sim.native.calls import Calls, listing, request
from mt4sim.native.connection import OK
from mt4sim.native.native_values import integer_at, integers_at, put, put_integer, put_pointer, struct_at
from mt4sim.native.order_calls import command_of
from mt4sim.state.orders import NewOrder, OrderChange
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import TradeRecord


class TradeCalls(Calls):
    """``Trade*`` by request."""

    @request
    def trade_transaction(self, address: int) -> int:
        info: Any = structure("TradeTransInfo").from_buffer_copy(struct_at("TradeTransInfo", address))
        carry_out = _TRANSACTIONS.get(info.type)
        if carry_out is None:
            raise ServerError(ReturnCode.INVALID_DATA, f"{info.type} is no transaction of a manager")
        ticket = carry_out(self, self.manager, info)
        if ticket:
            info.order = ticket
            put(address, bytes(info))
        return OK

    @listing()
    def trades_request(self, total: int) -> int | None:
        return self.records(self.manager.trades, total)

    @listing()
    def trade_records_request(self, orders: int, total: int) -> int | None:
        asked = integers_at(orders, integer_at(total))
        return self.records(lambda: self._found(asked), total)

    def _found(self, tickets: list[int]) -> list[TradeRecord]:
        found = []
        for ticket in dict.fromkeys(tickets):
            try:
                found.append(self.manager.trade(ticket))
            except NotFound:
                continue
        return found

    @listing()
    def trades_user_history(self, login: int, start: int, end: int, total: int) -> int | None:
        return self.records(lambda: self.manager.history(login, start, end), total)

    @request
    def symbol_send_tick(self, symbol: int, bid: float, ask: float) -> int:
        self.manager.add_tick(self.text(symbol), bid, ask)
        return OK

    @request
    def external_command(self, data: int, size: int, out: int, out_size: int) -> int:
        answer = self.manager.external(ctypes.string_at(data, size) if data and size > 0 else b"")
        put_pointer(out, self.shared.memory.hold(answer) if answer else 0)
        put_integer(out_size, len(answer))
        return OK


Carrier = Callable[[TradeCalls, ManagerSession, Any], int | None]


def _open(room: TradeCalls, manager: ManagerSession, info: Any) -> int:
    order = NewOrder(
        room.decoded_text(info.symbol),
        command_of(info.cmd),
        info.volume / 100,
        info.price,
        sl=info.sl,
        tp=info.tp,
        expiration=info.expiration,
        comment=room.decoded_text(info.comment),
    )
    return manager.open(info.orderby, order)


def _balance(room: TradeCalls, manager: ManagerSession, info: Any) -> int:
    comment = room.decoded_text(info.comment)
    return manager.balance(info.orderby, command_of(info.cmd), info.price, expiration=info.expiration, comment=comment)


def _modify(room: TradeCalls, manager: ManagerSession, info: Any) -> None:
    comment = room.decoded_text(info.comment)
    change = OrderChange(price=info.price, sl=info.sl, tp=info.tp, expiration=info.expiration, comment=comment)
    manager.modify(info.order, change)


_TRANSACTIONS: dict[int, Carrier] = {
    Transaction.OPEN: _open,
    Transaction.CLOSE: lambda room, manager, info: manager.close(info.order, info.volume / 100, info.price),
    Transaction.DELETE: lambda room, manager, info: manager.delete(info.order),
    Transaction.CLOSE_BY: lambda room, manager, info: manager.close_by(info.order, info.orderby),
    Transaction.CLOSE_ALL: lambda room, manager, info: manager.close_all(info.orderby, room.decoded_text(info.symbol)),
    Transaction.MODIFY: _modify,
    Transaction.ACTIVATE: lambda room, manager, info: manager.activate(info.order, info.price),
    Transaction.COMMENT: lambda room, manager, info: manager.comment(info.order, room.decoded_text(info.comment)),
    Transaction.BALANCE: _balance,
}
