"""What a program looks at while it pumps: its market watch, and the pump's cache."""

from __future__ import annotations

from mt4sim.native.calls import Calls, listing, pumped
from mt4sim.native.connection import ERROR, NO_CONNECT, OK
from mt4sim.native.native_values import put
from mt4sim.native.symbol_structs import symbol_info


class CacheCalls(Calls):
    """``SymbolAdd``, ``SymbolHide``, ``SymbolInfo*``, ``TickInfoLast``, and the getters that work while pumping."""

    # The market watch

    def symbol_add(self, symbol: int) -> int:
        return self._watch(symbol, show=True)

    def symbol_hide(self, symbol: int) -> int:
        return self._watch(symbol, show=False)

    def _watch(self, symbol: int, *, show: bool) -> int:
        if self.connection.session is None:
            return NO_CONNECT
        name = self.text(symbol)
        with self.shared.lock:
            if name not in self.server.symbols:
                return ERROR
            watch = self.connection.watch
            (watch.show if show else watch.hide)(name)
        return OK

    def _info(self, name: str) -> bytes:
        """What the market watch shows of a symbol: a starting price that is no tick is not shown."""
        server = self.server
        quote = server.quotes.last(name) if server.quotes.last_tick(name) is not None else None
        place = list(server.symbols).index(name)
        visible = name in self.connection.watch.shown
        return symbol_info(server.symbols[name], quote, place, server.securities, visible=visible)

    @pumped
    def symbol_info_get(self, symbol: int, info: int) -> int:
        name = self.text(symbol)
        if name not in self.server.symbols:
            return ERROR
        put(info, self._info(name))
        return OK

    def symbol_info_updated(self, infos: int, most: int) -> int:
        """How many changed symbols were written: the newest state of each."""
        if not self.connection.pumping:
            return 0
        with self.shared.lock:
            names = self.connection.watch.take_changed(most)
            put(infos, b"".join(self._info(name) for name in names))
        return len(names)

    @listing(pumped=True)
    def tick_info_last(self, symbol: int, total: int) -> int | None:
        with self.shared.lock:
            queued = self.connection.watch.take_ticks(self.text(symbol))
        return self.array(queued, total)

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
            return ERROR
        put(user, self.encoded(found[0]))
        return OK

    @pumped
    def trade_record_get(self, order: int, trade: int) -> int:
        put(trade, self.encoded(self.manager.trade(order)))
        return OK
