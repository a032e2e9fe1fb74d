"""What a program works out about orders, and what waits for a dealer."""

from __future__ import annotations

from typing import Any

from mt4abi import structure
from mt4sim.native.calls import Calls, listing, pumped, request
from mt4sim.native.connection import OK
from mt4sim.native.native_values import put, struct_at
from mt4sim.trading.clients import check_stops
from mt4sim.trading.profit import profit
from mt_remote.errors import InvalidData, ReturnCode
from mt_remote.records import TradeCommand
from mt_remote.records.enums import TRADE_COMMAND_NUMBERS

COMMANDS = {number: command for command, number in TRADE_COMMAND_NUMBERS.items()}


def command_of(number: int) -> TradeCommand:
    """A trade command by its native number. Raises :class:`~mt_remote.errors.InvalidData` for another."""
    command = COMMANDS.get(number)
    if command is None:
        raise InvalidData.of("cmd", f"there is no command {number}")
    return command


class OrderCalls(Calls):
    """``TradeCheckStops``, ``TradeCalcProfit``, activations and the requests that dealers see."""

    @request
    def trade_check_stops(self, trade: int, price: float) -> int:
        """0 or 130 (Semantics 6.1, 6.5). Assumed: ``price`` is the market's, on both sides."""
        info: Any = structure("TradeTransInfo").from_buffer_copy(struct_at("TradeTransInfo", trade))
        symbol = self.manager.symbol(self.decoded_text(info.symbol))
        asked, sl, tp = (symbol.to_points(each) for each in (info.price, info.sl, info.tp))
        market = symbol.to_points(price)
        check_stops(command_of(info.cmd), asked, sl, tp, market, market, symbol.stops_level)
        return OK

    def trade_calc_profit(self, trade: int) -> int:
        """Writes the profit between the record's two prices in the account's currency, pumping or not."""
        if self.connection.session is None:
            return int(ReturnCode.NO_CONNECT)
        return self.shared.attempt(lambda: self._calculate(trade))

    def _calculate(self, address: int) -> None:
        info: Any = structure("TradeRecord").from_buffer_copy(struct_at("TradeRecord", address))
        server, manager = self.server, self.manager
        symbol = manager.symbol(self.decoded_text(info.symbol))
        group = server.groups[manager.margin_level(info.login).group]
        command = command_of(info.cmd)
        info.profit = (
            profit(
                server.trading.engine.converter,
                symbol,
                group.currency or "USD",
                buy=command is TradeCommand.BUY,
                volume=info.volume if command.is_market else 0,
                opened=symbol.to_points(info.open_price),
                closed=symbol.to_points(info.close_price),
            )
            / 100
        )
        put(address, bytes(info))

    # Activations

    @listing(pumped=True)
    def trades_get_by_market(self, total: int) -> int | None:
        """Orders that wait for a dealer to carry out what the market reached."""
        tickets = [order.ticket for order in self.server.trading.triggers.marked()]
        return self.records(lambda: [trade for trade in self.manager.trades() if trade.order in tickets], total)

    @pumped
    def trade_clear_rollback(self, order: int) -> int:
        self.manager.need("broker")
        self.manager.trade(order)
        self.server.trading.triggers.clear(order)
        return OK

    # Requests

    @listing(pumped=True)
    def requests_get(self, total: int) -> int | None:
        return self.rows(self._requests, total)

    @pumped
    def request_info_get(self, place: int, info: int) -> int:
        rows = self._requests()
        if not 0 <= place < len(rows):
            raise InvalidData.of("pos", f"there is no request {place}")
        put(info, rows[place])
        return OK

    def _requests(self) -> list[bytes]:
        """Requests in the queue and in dealers' hands, of groups that the manager sees, by number."""
        self.manager.need("broker")
        desk = self.server.desk
        return [
            self.encoded(desk.record(deal))
            for _, deal in sorted(desk.requests.items())
            if not deal.ended and self.manager.sees_group(deal.group)
        ]
