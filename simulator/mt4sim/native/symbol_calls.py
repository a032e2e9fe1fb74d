"""Symbols and securities as every manager reads them, and what a dealer changes of a symbol."""

from __future__ import annotations

from typing import Any

from mt4abi import structure
from mt4sim.events import Change
from mt4sim.market.symbols import Execution
from mt4sim.native.calls import Calls, request
from mt4sim.native.connection import ERROR, NO_CONNECT, OK
from mt4sim.native.native_values import put, struct_at
from mt4sim.native.symbol_structs import native_symbol, security_groups
from mt_remote.errors import InvalidData


class SymbolCalls(Calls):
    """``Symbols*``, ``SymbolGet``, ``SymbolChange`` and the securities."""

    @request
    def cfg_request_symbol_group(self, groups: int) -> int:
        self.manager.need("admin")
        return self._put_securities(groups)

    def symbols_groups_get(self, groups: int) -> int:
        return self._put_securities(groups) if self.connection.session is not None else NO_CONNECT

    def _put_securities(self, groups: int) -> int:
        put(groups, security_groups(self.server.securities, self.shared.marshal.page))
        return OK

    def symbols_refresh(self) -> int:
        return self.connection.logged_in()

    def symbols_get_all(self, total: int) -> int | None:
        if self.connection.session is None:
            return self.array([], total)
        return self.rows(lambda: [native_symbol(name, self.shared) for name in self.server.symbols], total)

    def symbol_get(self, symbol: int, native: int) -> int:
        if self.connection.session is None:
            return NO_CONNECT
        name = self.text(symbol)
        if name not in self.server.symbols:
            return ERROR
        return self.shared.attempt(lambda: put(native, native_symbol(name, self.shared)))

    @request
    def symbol_change(self, properties: int) -> int:
        """What the market watch lets a dealer change; it counts from the next tick on."""
        self.manager.need("market_watch")
        info: Any = structure("SymbolProperties").from_buffer_copy(struct_at("SymbolProperties", properties))
        symbol = self.manager.symbol(self.decoded_text(info.symbol))
        if info.exemode not in list(Execution) or min(info.spread, info.stops_level, info.smoothing) < 0:
            raise InvalidData.of("prop", "a spread, a level or an execution mode that can't be")
        self.server.symbols[symbol.name] = changed = symbol.changed(
            background_color=info.color,
            spread=info.spread,
            spread_balance=info.spread_balance,
            stops_level=info.stops_level,
            filter_smoothing=info.smoothing,
            execution=Execution(info.exemode),
        )
        self.server.events.emit("symbol", Change.UPDATE, changed)
        return OK
