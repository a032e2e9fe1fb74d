"""Pumping: notifications in the order in which things happened, and the getters that work meanwhile (Semantics 10)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

from mt4abi import Pump, Trans, number
from mt4sim.accounts import Account
from mt4sim.dealing import DealRequest
from mt4sim.events import Change, Happened
from mt4sim.managers import without_details
from mt4sim.native.handle_base import OK, listing, pumped, request
from mt4sim.native.host import Host
from mt4sim.native.native_values import put
from mt4sim.native.notifier import Item, Notifier, plain_delivery, pumping_delivery
from mt4sim.native.risk_calls import RiskPart
from mt4sim.native.symbols_native import symbol_info, tick_info
from mt4sim.native.trading_calls import DealingPart
from mt4sim.quotes import Quote
from mt4sim.symbols import Symbol
from mt4sim.trading.margin import MarginLevel
from mt4sim.trading.orders import Order
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import ConGroup, TradeRecord, UserRecord

TRANS = {
    Change.ADD: Trans.ADD,
    Change.DELETE: Trans.DELETE,
    Change.UPDATE: Trans.UPDATE,
    Change.CHANGE_GROUP: Trans.CHANGE_GRP,
}
_TABLES = (
    (Pump.UPDATE_SYMBOLS, ""), (Pump.UPDATE_GROUPS, ""), (Pump.UPDATE_USERS, ""), (Pump.UPDATE_ONLINE, "online"),
    (Pump.UPDATE_TRADES, "see_trades"), (Pump.UPDATE_REQUESTS, "broker"), (Pump.UPDATE_PLUGINS, "plugins"),
)  # fmt: skip
"""Tables announced at the start, with the right that each needs."""

_TICKS_KEPT = 256


class PumpingPart(DealingPart, RiskPart):
    """``PumpingSwitch*``, the market watch and the pump's cache."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._flags = 0
        self.shown: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._ticks: dict[str, deque[bytes]] = {}
        self._stop_listening = _nothing
        self._tellers = {"tick": self._tick, "trade": self._trade, "user": self._user, "group": self._group,
                         "online": self._online, "symbol": self._symbol, "activation": self._activation,
                         "margin_call": self._margin_call, "request": self._request}  # fmt: skip

    @request
    def pumping_switch_ex(self, function: int | None, flags: int, parameter: int | None) -> int:
        return self._start_pumping(pumping_delivery(function, parameter), flags)

    @request
    def pumping_switch(self, function: int | None, window: int | None, message: int, flags: int) -> int:
        """The older form, whose callback or window is told the code alone."""
        return self._start_pumping(plain_delivery(function, window, message), flags)

    def _start_pumping(self, deliver: Callable[[Item], None], flags: int) -> int:
        if self.notifier is not None:
            raise ServerError(ReturnCode.ERROR, "the connection deals")
        beat = (int(Pump.PING), 0, b"") if self.host.beat else None
        self.notifier = Notifier(deliver, idle=self.host.beat, beat=beat)
        self._flags = flags
        self.pumping = True
        self._put(Pump.START_PUMPING)
        for code, right in _TABLES:
            if not right or getattr(self.manager.rights, right):
                self._put(code)
        self._stop_listening = self.host.server.events.listen(self._hear)
        return OK

    def stop_pumping(self) -> None:
        """Nothing is heard any more."""
        self.pumping = False
        self._stop_listening()
        self._stop_listening = _nothing
        self._changed.clear()
        self._ticks.clear()

    def _put(self, code: Pump, change: Trans = Trans.ADD, data: bytes = b"") -> None:
        if self.notifier is not None:
            self.notifier.put(code, change, data)

    def _hear(self, happened: Happened) -> None:
        teller = self._tellers.get(happened.kind)
        if teller is None:
            return
        with self.host.lock:
            if self.session is not None and self.session.login in self.host.server.managers:
                teller(happened)

    def _tick(self, happened: Happened) -> None:
        if self._flags & number("CLIENT_FLAGS_HIDETICKS"):
            return
        symbol, quote = cast("tuple[Symbol, Quote]", happened.data)
        if symbol.name in self.shown:
            self._changed[symbol.name] = None
            self._ticks.setdefault(symbol.name, deque(maxlen=_TICKS_KEPT)).append(tick_info(symbol, quote))
            self._put(Pump.UPDATE_BIDASK)

    def _trade(self, happened: Happened) -> None:
        order = cast(Order, happened.data)
        account = self.host.server.accounts.find(order.login)
        if self.manager.rights.see_trades and (account is None or self.manager.sees_group(account.group)):
            self._put(Pump.UPDATE_TRADES, TRANS[happened.change], self.encoded(self._record(order)))

    def _record(self, order: Order) -> TradeRecord:
        return self.host.server.trading.record(order)

    def _user(self, happened: Happened) -> None:
        account = cast(Account, happened.data)
        hidden = self._flags & number("CLIENT_FLAGS_HIDEUSERS")
        if not hidden and self.manager.sees_group(account.group):
            self._put(Pump.UPDATE_USERS, TRANS[happened.change], self.encoded(self._seen(account)))

    def _seen(self, account: Account) -> UserRecord:
        record = self.host.server.accounts.record(account)
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
        self._put(Pump.UPDATE_SYMBOLS, TRANS[happened.change], self.con_symbol(symbol.name))

    def _activation(self, happened: Happened) -> None:
        """What the market reached and a dealer has to carry out."""
        order = cast(Order, happened.data)
        account = self.host.server.accounts.find(order.login)
        if self.manager.rights.see_trades and account is not None and self.manager.sees_group(account.group):
            self._put(Pump.UPDATE_ACTIVATION, TRANS[happened.change], self.encoded(self._record(order)))

    def _margin_call(self, happened: Happened) -> None:
        """Assumed: the right that it takes; without figures (the account's last position went) there is no data."""
        login, level = cast("tuple[int, MarginLevel | None]", happened.data)
        account = self.host.server.accounts.find(login)
        if self.manager.rights.riskman and account is not None and self.manager.sees_group(account.group):
            row = b"" if level is None else self.margin_row(level)
            self._put(Pump.UPDATE_MARGINCALL, TRANS[happened.change], row)

    def _request(self, happened: Happened) -> None:
        deal = cast(DealRequest, happened.data)
        if not self.manager.rights.broker or not self.manager.sees_group(deal.group):
            return
        if self.host.server.accounts.find(deal.request.login) is not None:
            row = self.encoded(self.host.server.desk.record(deal))
            self._put(Pump.UPDATE_REQUESTS, TRANS[happened.change], row)

    # The market watch

    def symbol_add(self, symbol: int) -> int:
        return self._watch(symbol, show=True)

    def symbol_hide(self, symbol: int) -> int:
        return self._watch(symbol, show=False)

    def _watch(self, symbol: int, *, show: bool) -> int:
        if self.session is None:
            return int(ReturnCode.NO_CONNECT)
        name = self.text(symbol)
        with self.host.lock:
            if name not in self.host.server.symbols:
                return int(ReturnCode.ERROR)
            if show:
                self.shown[name] = None
            else:
                self.shown.pop(name, None)
                self._changed.pop(name, None)
        return OK

    def _info(self, name: str) -> bytes:
        """What the market watch shows of a symbol: a starting price that is no tick is not shown."""
        server = self.host.server
        quote = server.quotes.last(name) if server.quotes.last_tick(name) is not None else None
        place = list(server.symbols).index(name)
        return symbol_info(server.symbols[name], quote, place, server.securities, visible=name in self.shown)

    @pumped
    def symbol_info_get(self, symbol: int, info: int) -> int:
        name = self.text(symbol)
        if name not in self.host.server.symbols:
            return int(ReturnCode.ERROR)
        put(info, self._info(name))
        return OK

    def symbol_info_updated(self, infos: int, most: int) -> int:
        """How many changed symbols were written: the newest state of each."""
        if not self.pumping:
            return 0
        with self.host.lock:
            names = list(self._changed)[: max(most, 0)]
            put(infos, b"".join(self._info(name) for name in names))
            for name in names:
                del self._changed[name]
        return len(names)

    @listing(pumped=True)
    def tick_info_last(self, symbol: int, total: int) -> int | None:
        with self.host.lock:
            queued = self._ticks.pop(self.text(symbol), deque())
        return self.array(list(queued), total)

    # The cache

    @listing(pumped=True)
    def groups_get(self, total: int) -> int | None:
        return self.records(self.manager.groups, total)

    @listing(pumped=True)
    def users_get(self, total: int) -> int | None:
        return self.records(self.manager.users, total)

    @listing(pumped=True)
    def trades_get(self, total: int) -> int | None:
        return self.records(self.manager.trades, total)

    @listing(pumped=True)
    def trades_get_by_login(self, login: int, group: int, total: int) -> int | None:
        name = self.text(group)
        return self.records(lambda: self.manager.trades_of(login, name), total)

    @listing(pumped=True)
    def trades_get_by_symbol(self, symbol: int, total: int) -> int | None:
        name = self.text(symbol)
        return self.records(lambda: [trade for trade in self.manager.trades() if trade.symbol == name], total)

    @pumped
    def group_record_get(self, name: int, group: int) -> int:
        put(group, self.encoded(self.manager.group(self.text(name))))
        return OK

    @pumped
    def user_record_get(self, login: int, user: int) -> int:
        found = self.manager.users_by([login])
        if not found:
            return int(ReturnCode.ERROR)
        put(user, self.encoded(found[0]))
        return OK

    @pumped
    def trade_record_get(self, order: int, trade: int) -> int:
        put(trade, self.encoded(self.manager.trade(order)))
        return OK


def _nothing() -> None:
    """Stands where nothing is to be stopped."""
