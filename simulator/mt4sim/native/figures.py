"""Figures that the library computes or keeps: margins, summaries, exposure, who is online, bars, ticks, day reports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from mt4sim.bars import Bar, Period
from mt4sim.masks import allows
from mt4sim.money import to_money
from mt4sim.native.handle_base import ERROR, OK, listing, pumped, request
from mt4sim.native.native_values import integers_at, put, put_integer, struct_at
from mt4sim.native.pumping import PumpingPart
from mt4sim.symbols import Symbol
from mt4sim.trading.margin import MarginLevel
from mt4sim.trading.orders import Order
from mt4sim.trading.rollover import DailyReport
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import TradeCommand, TradeRecord
from mt_remote.records.enums import TRADE_COMMAND_NUMBERS
from mt_remote_plugins.manager.abi import structure

_LOTS_TO_UNITS = 100
_BUYS = [TRADE_COMMAND_NUMBERS[each] for each in (TradeCommand.BUY, TradeCommand.BUY_LIMIT, TradeCommand.BUY_STOP)]


class FiguresPart(PumpingPart):
    """``Margin*``, ``Summary*``, ``Exposure*``, ``Online*``, ``Chart*``, ``Ticks*``, ``*Reports*``, ``Trade*Check``."""

    # Margins (Semantics 2.8)

    @request
    def margin_level_request(self, login: int, level: int) -> int:
        put(level, self._margin(self.manager.margin_level(login)))
        return OK

    @pumped
    def margin_level_get(self, login: int, group: int, margin: int) -> int:
        put(margin, self._margin(self.manager.margin_level(login)))
        return OK

    @listing(pumped=True)
    def margins_get(self, total: int) -> int | None:
        return self.rows(lambda: map(self._margin, self.manager.margin_levels()), total)

    def _margin(self, level: MarginLevel) -> bytes:
        """``balance`` has the credit in it, as the library's has."""
        group = self.host.server.groups[level.group]
        made: Any = structure("MarginLevel")(
            login=level.login, group=self._fixed(level.group, 16), leverage=level.leverage,
            balance=to_money(level.balance + level.credit), equity=to_money(level.equity), volume=level.volume,
            margin=to_money(level.margin), margin_free=to_money(level.free), margin_level=level.level,
            margin_type=int(group.margin_type), level_type=int(level.level_type),
        )  # fmt: skip
        return bytes(made)

    # What clients hold, by symbol and by currency

    @listing(pumped=True)
    def summary_get_all(self, total: int) -> int | None:
        return self.rows(lambda: [self._summary(symbol) for symbol in self.host.server.symbols.values()], total)

    @pumped
    def summary_get(self, symbol: int, info: int) -> int:
        self.manager.need("riskman")
        put(info, self._summary(self.manager.symbol(self.text(symbol))))
        return OK

    @pumped
    def summary_get_by_count(self, symbol: int, info: int) -> int:
        self.manager.need("riskman")
        known = list(self.host.server.symbols.values())
        if not 0 <= symbol < len(known):
            return ERROR
        put(info, self._summary(known[symbol]))
        return OK

    def summary_currency(self, currency: int, most: int) -> int:
        """The currency that summaries are in. Assumed: that of the first group."""
        groups = list(self.host.server.groups.values())
        text = self.host.marshal.page.encode(groups[0].currency if groups else "USD", max(most, 1), "currency")
        put(currency, text + b"\0")
        return OK

    def _held(self) -> list[Order]:
        """Positions of the accounts that the manager sees."""
        server = self.host.server
        seen = {account.login for account in server.accounts.all() if self.manager.sees_group(account.group)}
        return [order for order in server.trading.open_orders() if order.cmd.is_market and order.login in seen]

    def _summary(self, symbol: Symbol) -> bytes:
        """Lots and average prices of both sides, and what clients would gain. Assumed: nothing is covered here."""
        self.manager.need("riskman")
        held = [order for order in self._held() if order.symbol == symbol.name]
        buys, sells = [o for o in held if o.is_buy], [o for o in held if not o.is_buy]
        trading = self.host.server.trading
        place = list(self.host.server.symbols).index(symbol.name)
        made: Any = structure("SymbolSummary")(
            symbol=self._fixed(symbol.name, 12), count=place, digits=symbol.digits,
            type=self.host.server.securities.index(symbol.security), orders=len(held),
            buylots=sum(o.volume for o in buys), selllots=sum(o.volume for o in sells),
            buyprice=_average(symbol, buys), sellprice=_average(symbol, sells),
            profit=round(sum(trading.record(o).profit for o in held), 2),
        )  # fmt: skip
        return bytes(made)

    @listing(pumped=True)
    def exposure_get(self, total: int) -> int | None:
        return self.rows(lambda: [_exposure(name, amount) for name, amount in sorted(self._exposures().items())], total)

    @pumped
    def exposure_value_get(self, currency: int, info: int) -> int:
        name = self.text(currency)
        put(info, _exposure(name, self._exposures().get(name, 0.0)))
        return OK

    def _exposures(self) -> dict[str, float]:
        """What clients are long (or short, below zero) of each currency: base amounts against their price in the
        quote currency."""
        self.manager.need("riskman")
        amounts: dict[str, float] = {}
        for order in self._held():
            symbol = self.host.server.symbols[order.symbol]
            base = order.volume / _LOTS_TO_UNITS * symbol.contract_size * (1 if order.is_buy else -1)
            amounts[symbol.currency] = amounts.get(symbol.currency, 0.0) + base
            paid = base * symbol.to_price(order.open_price)
            amounts[symbol.quote] = amounts.get(symbol.quote, 0.0) - paid
        return amounts

    # Terminals

    @listing()
    def online_request(self, total: int) -> int | None:
        return self.rows(self._online_rows, total)

    @listing(pumped=True)
    def online_get(self, total: int) -> int | None:
        return self.rows(self._online_rows, total)

    @pumped
    def online_record_get(self, login: int, user: int) -> int:
        logins = self.manager.online()
        if login not in logins:
            return ERROR
        put(user, self._online_row(login, logins.index(login) + 1))
        return OK

    def _online_rows(self) -> list[bytes]:
        return [self._online_row(login, place) for place, login in enumerate(self.manager.online(), 1)]

    def _online_row(self, login: int, counter: int) -> bytes:
        account = self.host.server.accounts.get(login)
        address = int.from_bytes(ipaddress.IPv4Address(account.last_ip).packed, "little")
        made: Any = structure("OnlineRecord")(
            counter=counter, login=login, ip=address, group=self._fixed(account.group, 16)
        )
        return bytes(made)

    # Prices

    @listing()
    def chart_request(self, chart: int, timesign: int, total: int) -> int | None:
        """Bars of one symbol and period. A range in ``start`` and ``end``; mode LAST counts bars back from the end."""
        asked: Any = structure("ChartInfo").from_buffer_copy(struct_at("ChartInfo", chart))
        put_integer(timesign, self.host.server.now)

        def read() -> Iterable[bytes]:
            symbol = self.manager.symbol(self.host.marshal.page.decode(bytes(asked.symbol)))
            try:
                period = Period(asked.period)
            except ValueError:
                raise InvalidData.of("period", f"there is no period of {asked.period} minutes") from None
            end = asked.end or self.host.server.now
            bars = self.host.server.quotes.bars.between(symbol.name, period, asked.start, end)
            return map(_rate, bars)

        return self.rows(read, total)

    @listing()
    def ticks_request(self, request: int, total: int) -> int | None:
        """Ticks of a range of time, both ends included."""
        asked: Any = structure("TickRequest").from_buffer_copy(struct_at("TickRequest", request))

        def read() -> Iterable[bytes]:
            symbol = self.manager.symbol(self.host.marshal.page.decode(bytes(asked.symbol)))
            start, end = getattr(asked, "from"), asked.to
            found = self.host.server.quotes.history.between(symbol.name, start, end)
            kind: Any = structure("TickRecord")
            return [
                bytes(kind(ctm=each.time, bid=symbol.to_price(each.bid), ask=symbol.to_price(each.ask)))
                for each in found
            ]

        return self.rows(read, total)

    # Reports

    @listing()
    def daily_reports_request(self, request: int, logins: int, total: int) -> int | None:
        """Day-end reports of the accounts named, from and to both included."""
        asked: Any = structure("DailyGroupRequest").from_buffer_copy(struct_at("DailyGroupRequest", request))
        wanted = integers_at(logins, asked.total)
        start, end = getattr(asked, "from"), asked.to
        return self.rows(lambda: map(self._report, self.manager.daily_reports(wanted, start, end)), total)

    def _report(self, report: DailyReport) -> bytes:
        made: Any = structure("DailyReport")(
            login=report.login, ctm=report.time, group=self._fixed(report.group, 16),
            bank=self._fixed(self.host.server.groups[report.group].company if report.group in self.host.server.groups
                             else "", 64),
            **{name: to_money(getattr(report, name)) for name in (
                "balance_prev", "balance", "deposit", "credit", "profit_closed", "profit", "equity", "margin")},
            margin_free=to_money(report.free),
        )  # fmt: skip
        return bytes(made)

    @listing()
    def reports_request(self, request: int, logins: int, total: int) -> int | None:
        """Closed records of the accounts named, by login and ticket."""
        asked: Any = structure("ReportGroupRequest").from_buffer_copy(struct_at("ReportGroupRequest", request))
        wanted = sorted(set(integers_at(logins, asked.total)))
        start, end = getattr(asked, "from"), asked.to

        def read() -> list[TradeRecord]:
            return [record for login in wanted for record in self.manager.history(login, start, end)]

        return self.records(read, total)

    # An administrator's view

    @listing()
    def adm_users_request(self, group: int, total: int) -> int | None:
        """Accounts of a group, or of those that a mask fits; ``*`` for all."""
        return self.records(lambda: self._of_group(self.text(group)), total)

    def _of_group(self, mask: str) -> list[Any]:
        self.manager.need("admin")
        return [user for user in self.manager.users() if allows((mask or "*",), user.group)]

    @listing()
    def adm_trades_request(self, group: int, open_only: int, total: int) -> int | None:
        """Open records of a group's accounts, or all of them with the history."""

        def read() -> list[TradeRecord]:
            logins = {user.login for user in self._of_group(self.text(group))}
            found = [trade for trade in self.manager.trades() if trade.login in logins]
            if not open_only:
                found += [record for login in sorted(logins) for record in self.manager.history(login, 0, 2**31 - 1)]
            return sorted(found, key=lambda trade: trade.order)

        return self.records(read, total)

    @listing()
    def users_snapshot(self, total: int) -> int | None:
        """Every visible login."""
        return self.rows(lambda: [_int(user.login) for user in self.manager.users()], total)

    @listing()
    def trades_snapshot(self, total: int) -> int | None:
        """The ticket of every open record."""
        return self.rows(lambda: [_int(trade.order) for trade in self.manager.trades()], total)

    # Checks without a connection to the order itself

    @request
    def trade_check_stops(self, transaction: int, price: float) -> int:
        """0, or 130 when the stops are nearer to ``price`` than the symbol allows (Semantics 6.5)."""
        info: Any = structure("TradeTransInfo").from_buffer_copy(struct_at("TradeTransInfo", transaction))
        symbol = self.manager.symbol(self.words(bytes(info.symbol)))
        side = 1 if info.cmd in _BUYS else -1
        base = symbol.to_points(price)
        distances = [(base - symbol.to_points(info.sl)) * side] if info.sl else []
        distances += [(symbol.to_points(info.tp) - base) * side] if info.tp else []
        if any(distance < symbol.stops_level for distance in distances):
            return int(ReturnCode.TRADE_BAD_STOPS)
        return OK

    @listing(pumped=True)
    def trades_get_by_market(self, total: int) -> int | None:
        """What waits for a dealer to carry it out (Semantics 6.4)."""
        trading = self.host.server.trading
        return self.records(lambda: [trading.record(order) for order in trading.by_market()], total)

    @request
    def trade_clear_rollback(self, order: int) -> int:
        self.manager.need("trades")
        self.host.server.trading.clear_rollback(order)
        return OK

    # Rows

    def rows(self, read: Any, total: int | None) -> int | None:
        """An array of structs; no array when the server refuses."""
        try:
            with self.host.lock:
                found = list(read())
        except (ServerError, NotFound, InvalidData):
            found = []
        return self.array(found, total)

    def _fixed(self, text: str, size: int) -> bytes:
        return self.host.marshal.page.encode(text, size, "text").rstrip(b"\0")


def _average(symbol: Symbol, orders: list[Order]) -> float:
    volume = sum(order.volume for order in orders)
    if not volume:
        return 0.0
    return round(sum(order.volume * symbol.to_price(order.open_price) for order in orders) / volume, symbol.digits)


def _exposure(currency: str, amount: float) -> bytes:
    made: Any = structure("ExposureValue")(currency=currency.encode("ascii", "replace")[:3], clients=round(amount, 2))
    return bytes(made)


def _rate(bar: Bar) -> bytes:
    """A bar: the opening price in points, the others as distances from it."""
    made: Any = structure("RateInfo")(
        ctm=bar.time, open=bar.open, high=bar.high - bar.open, low=bar.low - bar.open, close=bar.close - bar.open,
        vol=float(bar.volume),
    )  # fmt: skip
    return bytes(made)


def _int(value: int) -> bytes:
    return value.to_bytes(4, "little", signed=True)
