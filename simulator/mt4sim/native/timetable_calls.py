"""When clients may connect, holidays, and the terms of a symbol that a dealer changes."""

from __future__ import annotations

from typing import Any

from mt4abi import structure
from mt4sim.events import Change
from mt4sim.native.handle_base import OK, HandleBase, listing, request
from mt4sim.native.native_values import put, struct_at
from mt4sim.sessions import Holiday
from mt4sim.symbols import Execution
from mt_remote.errors import InvalidData


class TimetablePart(HandleBase):
    """``Cfg*Time``, ``Cfg*Holiday`` and ``SymbolChange``."""

    @request
    def cfg_request_time(self, time: int) -> int:
        self.manager.need("admin")
        made: Any = structure("ConTime")()
        for native, hours in zip(made.days, self.host.server.quotes.calendar.hours, strict=True):
            native[:] = [int(welcome) for welcome in hours]
        put(time, bytes(made))
        return OK

    @request
    def cfg_update_time(self, time: int) -> int:
        self.manager.need("admin")
        info: Any = structure("ConTime").from_buffer_copy(struct_at("ConTime", time))
        self.host.server.quotes.calendar.hours = [[bool(hour) for hour in day] for day in info.days]
        return OK

    # Holidays, by their place. Assumed: an update past the end adds one.

    @listing()
    def cfg_request_holiday(self, total: int) -> int | None:
        def read() -> list[bytes]:
            self.manager.need("admin")
            return [self._holiday(each) for each in self._holidays()]

        return self.rows(read, total)

    def _holidays(self) -> list[Holiday]:
        return list(self.host.server.quotes.calendar.holidays)

    def _holiday(self, holiday: Holiday) -> bytes:
        made: Any = structure("ConHoliday")(
            year=holiday.year, month=holiday.month, day=holiday.day, to=holiday.end, enable=int(holiday.enable),
            symbol=self.encoded_text(holiday.symbol, 32), description=self.encoded_text(holiday.description, 128),
        )  # fmt: skip
        setattr(made, "from", holiday.start)
        return bytes(made)

    @request
    def cfg_update_holiday(self, holiday: int, place: int) -> int:
        info: Any = structure("ConHoliday").from_buffer_copy(struct_at("ConHoliday", holiday))
        decode = self.host.marshal.page.decode
        if not (1 <= info.month <= 12 and 1 <= info.day <= 31):
            raise InvalidData.of("day", f"there is no day {info.day}.{info.month}.")
        made = Holiday(
            info.month, info.day, info.year, getattr(info, "from"), info.to, decode(info.symbol) or "All",
            decode(info.description), bool(info.enable),
        )  # fmt: skip
        rows = self._holidays()
        if 0 <= place < len(rows):
            rows[place] = made
        else:
            rows.append(made)
        return self._set_holidays(rows)

    @request
    def cfg_delete_holiday(self, place: int) -> int:
        rows = self._holidays()
        del rows[self._place(rows, place)]
        return self._set_holidays(rows)

    @request
    def cfg_shift_holiday(self, place: int, shift: int) -> int:
        """Moves one so many places down, up when negative."""
        rows = self._holidays()
        moved = rows.pop(self._place(rows, place))
        rows.insert(max(0, place + shift), moved)
        return self._set_holidays(rows)

    def _place(self, rows: list[Holiday], place: int) -> int:
        if not 0 <= place < len(rows):
            raise InvalidData.of("pos", f"there is no holiday {place}")
        return place

    def _set_holidays(self, rows: list[Holiday]) -> int:
        self.manager.need("admin")
        self.host.server.quotes.calendar.holidays = tuple(rows)
        return OK

    # A symbol's terms

    @request
    def symbol_change(self, properties: int) -> int:
        """What the market watch lets a dealer change; it counts from the next tick on."""
        self.manager.need("market_watch")
        info: Any = structure("SymbolProperties").from_buffer_copy(struct_at("SymbolProperties", properties))
        server = self.host.server
        symbol = self.manager.symbol(self.host.marshal.page.decode(info.symbol))
        if info.exemode not in list(Execution) or min(info.spread, info.stops_level, info.smoothing) < 0:
            raise InvalidData.of("prop", "a spread, a level or an execution mode that can't be")
        server.symbols[symbol.name] = changed = symbol.changed(
            background_color=info.color, spread=info.spread, spread_balance=info.spread_balance,
            stops_level=info.stops_level, filter_smoothing=info.smoothing, execution=Execution(info.exemode),
        )  # fmt: skip
        server.events.emit("symbol", Change.UPDATE, changed)
        return OK
