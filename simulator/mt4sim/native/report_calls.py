"""Reports, synchronisation, who is online, and what administrators read across groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mt4abi import structure
from mt4abi.marshal.units import raw_of_address
from mt4sim.desk.masks import allows
from mt4sim.native.calls import Calls, listing, pumped, request
from mt4sim.native.connection import OK, Connection
from mt4sim.native.native_values import integers_at, put, put_integer, struct_at
from mt4sim.state.figures import DailyReport
from mt4sim.state.orders import Order
from mt_remote.errors import NotFound
from mt_remote.records import TradeRecord, UserRecord

_SYNC_BLOCK = 1000
"""Records that one reading of a synchronisation gives at most."""
_MONEY = ("balance_prev", "balance", "deposit", "credit", "profit_closed", "profit", "equity", "margin")


class ReportCalls(Calls):
    """``Reports*``, ``Daily*``, ``*Sync*``, ``*Snapshot``, ``Online*`` and ``Adm*Request``."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._syncing: dict[str, list[bytes]] = {}

    # Reports

    @listing()
    def reports_request(self, asked: int, logins: int, total: int) -> int | None:
        """Records closed in the range, by login and ticket."""
        info: Any = structure("ReportGroupRequest").from_buffer_copy(struct_at("ReportGroupRequest", asked))

        def read() -> Iterable[TradeRecord]:
            self.manager.need("reports")
            chosen = self._chosen(info, logins)
            return [trade for login in chosen for trade in self.manager.history(login, getattr(info, "from"), info.to)]

        return self.records(read, total)

    @listing()
    def daily_reports_request(self, asked: int, logins: int, total: int) -> int | None:
        info: Any = structure("DailyGroupRequest").from_buffer_copy(struct_at("DailyGroupRequest", asked))

        def read() -> Iterable[bytes]:
            chosen = self._chosen(info, logins)
            return map(self._daily, self.manager.daily_reports(chosen, getattr(info, "from"), info.to))

        return self.rows(read, total)

    def _chosen(self, info: Any, logins: int) -> list[int]:
        """The accounts that a report is asked of: those listed, or the group's. Assumed: the name may be a mask."""
        if info.total > 0:
            return sorted({user.login for user in self.manager.users_by(integers_at(logins, info.total))})
        return [user.login for user in self._users_of(self.decoded_text(info.name))]

    def _users_of(self, mask: str) -> list[UserRecord]:
        masks = tuple(mask.split(","))
        return [user for user in self.manager.users() if allows(masks, user.group)]

    def _daily(self, report: DailyReport) -> bytes:
        money = {name: getattr(report, name) / 100 for name in _MONEY}
        group = self.server.groups.get(report.group)  # it may be gone by now
        made = structure("DailyReport")(
            login=report.login,
            ctm=report.time,
            group=self.encoded_text(report.group, 16),
            bank=self.encoded_text(group.company if group else "", 64 * 2)[:63],
            margin_free=report.free / 100,
            **money,
        )
        return bytes(made)

    # Synchronisation: a start, then blocks until there is no array. Assumed: that a block is bounded, and its size.

    @request
    def users_sync_start(self, timestamp: int) -> int:
        return self._sync("users", lambda: (self.encoded(user) for user in self._users_since(timestamp)))

    def _users_since(self, timestamp: int) -> list[UserRecord]:
        accounts = self.server.accounts
        changed = {each.login for each in accounts.all() if max(each.timestamp, each.reg_date) >= timestamp}
        return [user for user in self.manager.users() if user.login in changed]

    @listing()
    def users_sync_read(self, total: int) -> int | None:
        return self._sync_block("users", total)

    @listing()
    def users_snapshot(self, total: int) -> int | None:
        return self.rows(lambda: (_integer(user.login) for user in self.manager.users()), total)

    @request
    def trades_sync_start(self, timestamp: int) -> int:
        self.manager.need("see_trades")
        record = self.server.record
        return self._sync(
            "trades",
            lambda: (
                self.encoded(record(order)) for order in self._orders(closed=True) if order.timestamp >= timestamp
            ),
        )

    @listing()
    def trades_sync_read(self, total: int) -> int | None:
        return self._sync_block("trades", total)

    @listing()
    def trades_snapshot(self, total: int) -> int | None:
        def read() -> Iterable[bytes]:
            self.manager.need("see_trades")
            return [_integer(order.ticket) for order in self._orders(closed=True)]

        return self.rows(read, total)

    @request
    def daily_sync_start(self, timestamp: int) -> int:
        logins = [user.login for user in self.manager.users()]
        reports = self.manager.daily_reports(logins, timestamp, self.server.now)
        return self._sync("daily", lambda: map(self._daily, reports))

    @listing()
    def daily_sync_read(self, total: int) -> int | None:
        return self._sync_block("daily", total)

    def _sync(self, what: str, read: Callable[[], Iterable[bytes]]) -> int:
        self._syncing[what] = list(read())
        return OK

    def _sync_block(self, what: str, total: int) -> int | None:
        rows = self._syncing.get(what, [])
        block, self._syncing[what] = rows[:_SYNC_BLOCK], rows[_SYNC_BLOCK:]
        return self.array(block, total)

    # Across groups

    @listing()
    def adm_users_request(self, group: int, total: int) -> int | None:
        mask = self.text(group)

        def read() -> Iterable[UserRecord]:
            self.manager.need("admin")
            return self._users_of(mask)

        return self.records(read, total)

    @listing()
    def adm_trades_request(self, group: int, open_only: int, total: int) -> int | None:
        mask = self.text(group)

        def read() -> Iterable[TradeRecord]:
            self.manager.need("admin")
            self.manager.need("trades")
            logins = {user.login for user in self._users_of(mask)}
            found = [order for order in self._orders(closed=not open_only) if order.login in logins]
            return map(self.server.record, found)

        return self.records(read, total)

    def _orders(self, *, closed: bool) -> list[Order]:
        """Orders of the accounts that the manager sees, by ticket."""
        book = self.server.state.orders
        every = {**book.open, **book.closed} if closed else book.open
        seen = {user.login for user in self.manager.users()}
        return [every[ticket] for ticket in sorted(every) if every[ticket].login in seen]

    # Who is there

    @listing()
    def online_request(self, total: int) -> int | None:
        return self.rows(self._online_rows, total)

    @listing(pumped=True)
    def online_get(self, total: int) -> int | None:
        return self.rows(self._online_rows, total)

    @pumped
    def online_record_get(self, login: int, record: int) -> int:
        if login not in self.manager.online():
            raise NotFound(f"{login} is not online")
        put(record, self._online_row(login))
        return OK

    def _online_rows(self) -> Iterable[bytes]:
        return map(self._online_row, self.manager.online())

    def _online_row(self, login: int) -> bytes:
        server = self.server
        account = server.accounts.get(login)
        made = structure("OnlineRecord")(
            counter=server.online[login],
            login=login,
            group=self.encoded_text(account.group, 16),
            ip=int.from_bytes(raw_of_address(account.last_ip, "ip"), "little"),
        )
        return bytes(made)

    # Messages: nobody sends any on this server, so every box is empty

    @listing()
    def mails_request(self, total: int) -> int | None:
        return self.array([], total)

    @listing(pumped=True)
    def news_get(self, total: int) -> int | None:
        return self.array([], total)

    def news_total(self) -> int:
        return 0

    @pumped
    def mail_last(self, path: int, length: int) -> int:
        put_integer(length, 0)
        return OK


def _integer(value: int) -> bytes:
    return value.to_bytes(4, "little", signed=True)
