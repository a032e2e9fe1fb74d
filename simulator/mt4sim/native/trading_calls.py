"""Transactions and trades by request, and the dealer's side."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from typing import Any

from mt4abi import Deal, Transaction, structure
from mt4sim.dealing import Dealer, DealRequest
from mt4sim.managers import ManagerSession
from mt4sim.native.configuring import AccountsPart
from mt4sim.native.handle_base import OK, listing, request
from mt4sim.native.host import Host
from mt4sim.native.native_values import integer_at, integers_at, put, put_integer, put_pointer, struct_at
from mt4sim.native.notifier import Notifier, plain_delivery
from mt4sim.native.order_calls import command_of
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import ConfirmMode, TradeRecord
from mt_remote.records.enums import CONFIRM_MODE_NUMBERS

_MODES = {number: mode for mode, number in CONFIRM_MODE_NUMBERS.items()}


class TradingPart(AccountsPart):
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

    def words(self, raw: bytes) -> str:
        """A struct's text."""
        return self.host.marshal.page.decode(raw)

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
        put_pointer(out, self.host.memory.hold(answer) if answer else 0)
        put_integer(out_size, len(answer))
        return OK


Carrier = Callable[[TradingPart, ManagerSession, Any], int | None]


def _open(part: TradingPart, manager: ManagerSession, info: Any) -> int:
    return manager.open(
        info.orderby, part.words(info.symbol), command_of(info.cmd), info.volume / 100, info.price,
        sl=info.sl, tp=info.tp, expiration=info.expiration, comment=part.words(info.comment),
    )  # fmt: skip


def _balance(part: TradingPart, manager: ManagerSession, info: Any) -> int:
    return manager.balance(
        info.orderby, command_of(info.cmd), info.price, expiration=info.expiration, comment=part.words(info.comment)
    )


def _modify(part: TradingPart, manager: ManagerSession, info: Any) -> None:
    manager.modify(
        info.order, price=info.price, sl=info.sl, tp=info.tp, expiration=info.expiration,
        comment=part.words(info.comment),
    )  # fmt: skip


_TRANSACTIONS: dict[int, Carrier] = {
    Transaction.OPEN: _open,
    Transaction.CLOSE: lambda part, manager, info: manager.close(info.order, info.volume / 100, info.price),
    Transaction.DELETE: lambda part, manager, info: manager.delete(info.order),
    Transaction.CLOSE_BY: lambda part, manager, info: manager.close_by(info.order, info.orderby),
    Transaction.CLOSE_ALL: lambda part, manager, info: manager.close_all(info.orderby, part.words(info.symbol)),
    Transaction.MODIFY: _modify,
    Transaction.ACTIVATE: lambda part, manager, info: manager.activate(info.order, info.price),
    Transaction.COMMENT: lambda part, manager, info: manager.comment(info.order, part.words(info.comment)),
    Transaction.BALANCE: _balance,
}


class DealingPart(TradingPart):
    """``Dealer*``: a handle that deals."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._dealer: Dealer | None = None
        self._offered: deque[DealRequest] = deque()

    @request
    def dealer_switch(self, function: int | None, window: int | None, message: int) -> int:
        if self._dealer is not None:
            raise ServerError(ReturnCode.ERROR, "the connection deals already")
        notifier = Notifier(plain_delivery(function, window, message))
        try:
            self._dealer = self.host.server.desk.join(self.manager, lambda deal: self._offer(deal, notifier))
        except ServerError:
            notifier.close()
            raise
        self.notifier = notifier
        notifier.put(Deal.START_DEALING)
        for _ in self._offered:
            notifier.put(Deal.REQUEST_NEW)
        return OK

    def _offer(self, deal: DealRequest, notifier: Notifier) -> None:
        with self.host.lock:
            self._offered.append(deal)
            if self.notifier is notifier:
                notifier.put(Deal.REQUEST_NEW)

    def stop_dealing(self) -> None:
        """The dealer goes; what he held goes to the next in line."""
        dealer, self._dealer = self._dealer, None
        self._offered.clear()
        if dealer is not None:
            self.host.server.desk.leave(dealer)

    @request
    def dealer_request_get(self, info: int) -> int:
        dealer = self._dealing()
        while self._offered:
            deal = self._offered.popleft()
            if deal.id in dealer.held:
                put(info, self.encoded(self.host.server.desk.record(deal)))
                return OK
        return int(ReturnCode.OK_NONE)

    def _dealing(self) -> Dealer:
        if self._dealer is None:
            raise ServerError(ReturnCode.ERROR, "the connection does not deal")
        return self._dealer

    @request
    def dealer_send(self, address: int, requote: int, mode: int) -> int:
        info: Any = structure("RequestInfo").from_buffer_copy(struct_at("RequestInfo", address))
        bid, ask = info.prices
        desk, dealer = self.host.server.desk, self._dealing()
        if requote:
            desk.requote(dealer, info.id, bid, ask)
        else:
            desk.confirm(dealer, info.id, bid, ask, _MODES.get(mode, ConfirmMode.NORMAL))
        return OK

    @request
    def dealer_reject(self, number: int) -> int:
        self.host.server.desk.reject(self._dealing(), number)
        return OK

    @request
    def dealer_reset(self, number: int) -> int:
        self.host.server.desk.reset(self._dealing(), number)
        return OK
