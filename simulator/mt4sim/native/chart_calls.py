"""Charts and the history of ticks."""

from __future__ import annotations

from typing import Any

from mt4abi import number, structure
from mt4sim.market.bars import Bar, Period
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import TickEntry
from mt4sim.native.calls import Calls, listing, request
from mt4sim.native.connection import OK
from mt4sim.native.native_values import integer_at, put_integer, struct_at
from mt_remote.errors import InvalidData

_LATEST = 2**31 - 1


class ChartCalls(Calls):
    """``Chart*`` and ``TicksRequest``. Prices of bars are in points, all but the opening as shifts from it."""

    @listing()
    def chart_request(self, chart: int, timesign: int, total: int) -> int | None:
        put_integer(timesign, self.server.now)
        return self.rows(lambda: map(_rate, self._asked(chart)), total)

    def _asked(self, address: int) -> list[Bar]:
        """Assumed: ``IN`` wants bars from start to end, ``OUT`` the others, ``LAST`` those from start on; what the
        caller has already (its time sign) changes nothing."""
        info: Any = structure("ChartInfo").from_buffer_copy(struct_at("ChartInfo", address))
        symbol, period = self.manager.symbol(self.decoded_text(info.symbol)), _period(info.period)
        bars = self.server.quotes.bars
        if info.mode == number("CHART_RANGE_IN"):
            return bars.between(symbol.name, period, info.start, info.end)
        if info.mode == number("CHART_RANGE_LAST"):
            return bars.between(symbol.name, period, info.start, _LATEST)
        every = bars.between(symbol.name, period, 0, _LATEST)
        return [bar for bar in every if not info.start <= bar.time <= info.end]

    @request
    def chart_add(self, symbol: int, period: int, rates: int, count: int) -> int:
        """Bars of periods that have none yet. ``count`` becomes the number of bars taken; so it does below."""
        return self._write(symbol, period, rates, count, replace=False)

    @request
    def chart_update(self, symbol: int, period: int, rates: int, count: int) -> int:
        """Other figures for bars that are there."""
        return self._write(symbol, period, rates, count, replace=True)

    def _write(self, symbol: int, period: int, rates: int, count: int, *, replace: bool) -> int:
        name, length = self._writable(symbol, period)
        bars = [_bar(struct_at("RateInfo", rates, at)) for at in range(integer_at(count))]
        put_integer(count, self.server.quotes.bars.write(name, length, bars, replace=replace))
        return OK

    @request
    def chart_delete(self, symbol: int, period: int, rates: int, count: int) -> int:
        """Takes bars away by their times."""
        name, length = self._writable(symbol, period)
        times = [_bar(struct_at("RateInfo", rates, at)).time for at in range(integer_at(count))]
        put_integer(count, self.server.quotes.bars.delete(name, length, times))
        return OK

    def _writable(self, symbol: int, period: int) -> tuple[str, Period]:
        self.manager.need("admin")
        return self.manager.symbol(self.text(symbol)).name, _period(period)

    @listing()
    def ticks_request(self, asked: int, total: int) -> int | None:
        return self.rows(lambda: self._asked_ticks(asked), total)

    def _asked_ticks(self, address: int) -> list[bytes]:
        """The server keeps published ticks alone: raw ones can't be had."""
        info: Any = structure("TickRequest").from_buffer_copy(struct_at("TickRequest", address))
        symbol = self.manager.symbol(self.decoded_text(info.symbol))
        if not info.flags & number("TICK_FLAG_NORMAL"):
            return []
        found = self.server.quotes.history.between(symbol.name, getattr(info, "from"), info.to)
        return [_tick_record(symbol, entry) for entry in found]


def _period(value: int) -> Period:
    try:
        return Period(value)
    except ValueError:
        raise InvalidData.of("period", f"there is no period of {value} minutes") from None


def _rate(bar: Bar) -> bytes:
    made = structure("RateInfo")(
        ctm=bar.time,
        open=bar.open,
        high=bar.high - bar.open,
        low=bar.low - bar.open,
        close=bar.close - bar.open,
        vol=bar.volume,
    )
    return bytes(made)


def _bar(native: bytes) -> Bar:
    info: Any = structure("RateInfo").from_buffer_copy(native)
    opened = info.open
    return Bar(info.ctm, opened, opened + info.high, opened + info.low, opened + info.close, round(info.vol))


def _tick_record(symbol: Symbol, entry: TickEntry) -> bytes:
    made = structure("TickRecord")(
        ctm=entry.time,
        bid=symbol.to_price(entry.bid),
        ask=symbol.to_price(entry.ask),
        flags=number("TICK_FLAG_NORMAL"),
    )
    return bytes(made)
