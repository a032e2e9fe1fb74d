"""Pumping: notifications in the order in which things happened (Semantics 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mt4abi import Pump, Trans, number
from mt4sim.desk.managers import without_details
from mt4sim.desk.symbol_records import symbol_record
from mt4sim.events import Change, Happened
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.native.calls import Calls, request
from mt4sim.native.connection import OK, Connection
from mt4sim.native.notifier import Item, Notifier, plain_delivery, pumping_delivery
from mt4sim.native.risk_calls import margin_row
from mt4sim.native.symbol_structs import native_symbol, tick_info
from mt4sim.state.accounts import Account
from mt4sim.state.figures import MarginLevel
from mt4sim.state.orders import Order
from mt4sim.state.requests import DealRequest
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import ConGroup, TradeRecord, UserRecord

TRANS = {
    Change.ADD: Trans.ADD,
    Change.DELETE: Trans.DELETE,
    Change.UPDATE: Trans.UPDATE,
    Change.CHANGE_GROUP: Trans.CHANGE_GRP,
}
_TABLES = (
    (Pump.UPDATE_SYMBOLS, ""),
    (Pump.UPDATE_GROUPS, ""),
    (Pump.UPDATE_USERS, ""),
    (Pump.UPDATE_ONLINE, "online"),
    (Pump.UPDATE_TRADES, "see_trades"),
    (Pump.UPDATE_REQUESTS, "broker"),
    (Pump.UPDATE_PLUGINS, "plugins"),
)
"""Tables announced at the start, with the right that each needs."""


class PumpingCalls(Calls):
    """``PumpingSwitch*``: from then on the program is told what happens."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._flags = 0
        self._stop_listening = _nothing
        self._tellers = {
            "tick": self._tick,
            "trade": self._trade,
            "user": self._user,
            "group": self._group,
            "online": self._online,
            "symbol": self._symbol,
            "activation": self._activation,
            "margin_call": self._margin_call,
            "request": self._request,
        }

    @request
    def pumping_switch_ex(self, function: int | None, flags: int, parameter: int | None) -> int:
        return self._start_pumping(pumping_delivery(function, parameter), flags)

    @request
    def pumping_switch(self, function: int | None, window: int | None, message: int, flags: int) -> int:
        """The older form, whose callback or window is told the code alone."""
        return self._start_pumping(plain_delivery(function, window, message), flags)

    def _start_pumping(self, deliver: Callable[[Item], None], flags: int) -> int:
        connection, beat = self.connection, self.shared.beat
        if connection.notifier is not None:
            raise ServerError(ReturnCode.ERROR, "the connection deals")
        connection.notifier = Notifier(deliver, idle=beat, beat=(int(Pump.PING), 0, b"") if beat else None)
        self._flags = flags
        connection.pumping = True
        self._put(Pump.START_PUMPING)
        for code, right in _TABLES:
            if not right or getattr(self.manager.rights, right):
                self._put(code)
        self._stop_listening = self.server.events.listen(self._hear)
        return OK

    def ended(self) -> None:
        """Nothing is heard any more."""
        self.connection.pumping = False
        self._stop_listening()
        self._stop_listening = _nothing
        self.connection.watch.forget()

    def _put(self, code: Pump, change: Trans = Trans.ADD, data: bytes = b"") -> None:
        if self.connection.notifier is not None:
            self.connection.notifier.put(code, change, data)

    def _hear(self, happened: Happened) -> None:
        teller = self._tellers.get(happened.kind)
        if teller is None:
            return
        with self.shared.lock:
            session = self.connection.session
            if session is not None and session.login in self.server.managers:
                teller(happened)

    def _tick(self, happened: Happened) -> None:
        if self._flags & number("CLIENT_FLAGS_HIDETICKS"):
            return
        symbol, quote = cast("tuple[Symbol, Quote]", happened.data)
        if symbol.name in self.connection.watch.shown:
            self.connection.watch.tick(symbol.name, tick_info(symbol, quote))
            self._put(Pump.UPDATE_BIDASK)

    def _trade(self, happened: Happened) -> None:
        order = cast(Order, happened.data)
        account = self.server.accounts.find(order.login)
        if self.manager.rights.see_trades and (account is None or self.manager.sees_group(account.group)):
            self._put(Pump.UPDATE_TRADES, TRANS[happened.change], self.encoded(self._record(order)))

    def _record(self, order: Order) -> TradeRecord:
        return self.server.record(order)

    def _user(self, happened: Happened) -> None:
        account = cast(Account, happened.data)
        hidden = self._flags & number("CLIENT_FLAGS_HIDEUSERS")
        if not hidden and self.manager.sees_group(account.group):
            self._put(Pump.UPDATE_USERS, TRANS[happened.change], self.encoded(self._seen(account)))

    def _seen(self, account: Account) -> UserRecord:
        record = account.record()
        return record if self.manager.rights.user_details else without_details(record)

    def _group(self, happened: Happened) -> None:
        group = cast(ConGroup, happened.data)
        if self.manager.sees_group(group.group):
            self._put(Pump.UPDATE_GROUPS, TRANS[happened.change], self.encoded(group))

    def _online(self, happened: Happened) -> None:
        if self.manager.rights.online and not self._flags & number("CLIENT_FLAGS_HIDEONLINE"):
            login = cast(int, happened.data)
            self._put(Pump.UPDATE_ONLINE, TRANS[happened.change], login.to_bytes(4, "little", signed=True))

    def _symbol(self, happened: Happened) -> None:
        symbol = cast(Symbol, happened.data)
        deleted = symbol.name not in self.server.symbols
        row = self.encoded(symbol_record(symbol)) if deleted else native_symbol(symbol.name, self.shared)
        self._put(Pump.UPDATE_SYMBOLS, TRANS[happened.change], row)

    def _activation(self, happened: Happened) -> None:
        """What the market reached and a dealer has to carry out."""
        order = cast(Order, happened.data)
        account = self.server.accounts.find(order.login)
        if self.manager.rights.see_trades and account is not None and self.manager.sees_group(account.group):
            self._put(Pump.UPDATE_ACTIVATION, TRANS[happened.change], self.encoded(self._record(order)))

    def _margin_call(self, happened: Happened) -> None:
        """Assumed: the right that it takes; without figures (the account's last position went) there is no data."""
        login, level = cast("tuple[int, MarginLevel | None]", happened.data)
        account = self.server.accounts.find(login)
        if self.manager.rights.riskman and account is not None and self.manager.sees_group(account.group):
            row = b""
            if level is not None:
                row = margin_row(level, self.server.groups[level.group], self.encoded_text(level.group, 16))
            self._put(Pump.UPDATE_MARGINCALL, TRANS[happened.change], row)

    def _request(self, happened: Happened) -> None:
        deal = cast(DealRequest, happened.data)
        if not self.manager.rights.broker or not self.manager.sees_group(deal.group):
            return
        if self.server.accounts.find(deal.request.login) is not None:
            row = self.encoded(self.server.desk.record(deal))
            self._put(Pump.UPDATE_REQUESTS, TRANS[happened.change], row)


def _nothing() -> None:
    """Stands where nothing is to be stopped."""
