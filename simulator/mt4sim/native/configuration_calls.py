"""What is set up of the server beside its tables: common settings, the hours of clients, a manager's own rights."""

from __future__ import annotations

from typing import Any

from mt4abi import structure
from mt4sim.native.calls import Calls, listing, request
from mt4sim.native.connection import NO_CONNECT, OK
from mt4sim.native.native_values import put, struct_at
from mt_remote.records import ConCommon, Patch


class ConfigurationCalls(Calls):
    """``Cfg*Common``, ``Cfg*Time``, and what every manager may know of it."""

    @request
    def cfg_request_common(self, common: int) -> int:
        put(common, self.encoded(self.manager.common()))
        return OK

    @request
    def cfg_update_common(self, common: int) -> int:
        record = self.shared.marshal.codec(ConCommon).decode(struct_at("ConCommon", common))
        self.manager.set_common(Patch.of(record))
        return OK

    def manager_common(self, common: int) -> int:
        with self.shared.lock:
            put(common, self.encoded(self.server.config.common()))
        return OK

    @request
    def cfg_request_time(self, time: int) -> int:
        self.manager.need("admin")
        made: Any = structure("ConTime")()
        for native, hours in zip(made.days, self.server.quotes.calendar.hours, strict=True):
            native[:] = [int(welcome) for welcome in hours]
        put(time, bytes(made))
        return OK

    @request
    def cfg_update_time(self, time: int) -> int:
        self.manager.need("admin")
        info: Any = structure("ConTime").from_buffer_copy(struct_at("ConTime", time))
        self.server.quotes.calendar.hours = [[bool(hour) for hour in day] for day in info.days]
        return OK

    @listing()
    def groups_request(self, total: int) -> int | None:
        """The groups that the manager sees, without the right that the configuration's table of them wants."""
        return self.records(self.manager.groups, total)

    # What every logged-in manager reads, pumping or not

    def manager_rights(self, rights: int) -> int:
        if self.connection.session is None:
            return NO_CONNECT
        return self.shared.attempt(lambda: put(rights, self.encoded(self.manager.rights)))

    def server_time(self) -> int:
        return self.server.now if self.connection.session is not None else 0
