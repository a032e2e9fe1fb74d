"""A manager's session: everything that a manager can do, with his rights, masks and the documented codes
(Semantics 9.4, 9.9 and the table of rights).

The one door for the gateway and for the simulated Manager library. Calls are in domain terms (lots, prices, account
currency); what they return is the caller's own. Invisible users are left out of lists, and operations on them answer
7; so does a call whose right is missing. A call that raises has changed nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mt4sim.masks import allows, unrestricted
from mt4sim.quotes import Quote
from mt4sim.symbols import Symbol
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    Tick,
    TradeCommand,
    TradeRecord,
    UserRecord,
)  # fmt: skip

if TYPE_CHECKING:
    from mt4sim.accounts import Account
    from mt4sim.dealing import Dealer, DealRequest
    from mt4sim.server import Server
    from mt4sim.trading.margin import MarginLevel
    from mt4sim.trading.orders import Order
    from mt4sim.trading.rollover import DailyReport

DETAILS = ("name", "address", "phone", "email", "id")
"""What a manager without ``user_details`` does not see."""

_DAY = 86_400


def log_in(server: Server, login: int, password: str, address: str) -> ManagerSession:
    """Checks credentials: 65 for unknown logins, wrong passwords, traders and addresses outside the filter, 64 for a
    disabled account."""
    manager = server.managers.get(login)
    if manager is None or not _password_fits(server, login, password):
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)
    account = server.accounts.find(login)
    if account is not None and not account.enable:
        raise ServerError(ReturnCode.ACCOUNT_DISABLED)
    if manager.ip_filter and not _address_fits(manager, address):
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)
    return ManagerSession(server, login)


def _password_fits(server: Server, login: int, password: str) -> bool:
    """An account of the manager's login has the password that counts; else the manager's own."""
    account = server.accounts.find(login)
    if account is not None and account.password:
        return account.password == password
    expected = server.manager_passwords.get(login, "")
    return bool(expected) and expected == password


def _address_fits(manager: ConManager, address: str) -> bool:
    """Assumed: an address outside the range can't log in (Semantics 9.9); IPv6 has none of the range."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else found
    first, last = ipaddress.IPv4Address(manager.ip_from), ipaddress.IPv4Address(manager.ip_to)
    return isinstance(mapped, ipaddress.IPv4Address) and first <= mapped <= last


class ManagerSession:
    """One manager, logged in."""

    def __init__(self, server: Server, login: int) -> None:
        self.server = server
        self.login = login
        self.dealer: Dealer | None = None

    # Rights and sight

    @property
    def rights(self) -> ConManager:
        """The manager's record as it is now: a right taken away counts at once."""
        manager = self.server.managers.get(self.login)
        if manager is None:
            raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, f"Manager {self.login} was deleted")
        return manager

    def need(self, right: str) -> None:
        """Raises code 7 when the manager does not have ``right``."""
        if not getattr(self.rights, right):
            raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, f"Not enough rights: manager {self.login} has no {right!r}")

    def sees_group(self, name: str) -> bool:
        """Whether a group is in the manager's masks; a manager who was deleted sees none."""
        manager = self.server.managers.get(self.login)
        return manager is not None and allows(tuple(manager.groups), name)

    def sees_all(self) -> bool:
        """Whether nothing is hidden from the manager."""
        rights = self.rights
        return rights.user_details and unrestricted(tuple(rights.groups))

    def _visible_account(self, login: int) -> Account:
        """The account. Unknown logins answer 65, invisible ones 7. Assumed: the code 7 (Semantics 9.9)."""
        account = self.server.accounts.find(login)
        if account is None:
            raise ServerError(ReturnCode.BAD_ACCOUNT_INFO, f"login: there is no account {login}", path="login")
        if not self.sees_group(account.group):
            raise _invisible("login", login)
        return account

    def _visible_order(self, ticket: int) -> Order:
        """The order, open or closed. Raises :class:`~mt_remote.errors.NotFound`, or 7 for an invisible user's."""
        order = self.server.trading.get(ticket)
        account = self.server.accounts.find(order.login)
        if account is not None and not self.sees_group(account.group):
            raise _invisible("order", ticket)
        return order

    # Configuration

    def common(self) -> ConCommon:
        self.need("admin")
        return self.server.config.common()

    def set_common(self, patch: Patch[ConCommon]) -> None:
        self.need("admin")
        self.server.config.set_common(patch)

    def groups(self) -> list[ConGroup]:
        """The groups that the manager sees."""
        return [group for group in self.server.config.groups() if self.sees_group(group.group)]

    def group(self, name: str) -> ConGroup:
        group = self.server.config.group(name)
        if not self.sees_group(name):
            raise _invisible("group", name)
        return group

    def add_group(self, draft: Draft[ConGroup]) -> None:
        self.need("admin")
        self.server.config.add_group(draft)

    def set_group(self, patch: Patch[ConGroup]) -> None:
        self.need("admin")
        self.server.config.set_group(patch)

    def delete_group(self, name: str) -> None:
        self.need("admin")
        self.server.config.delete_group(name)

    def managers(self) -> list[ConManager]:
        self.need("admin")
        return self.server.config.managers()

    def manager(self, login: int) -> ConManager:
        self.need("admin")
        return self.server.config.manager(login)

    def set_manager(self, patch: Patch[ConManager]) -> None:
        self.need("admin")
        self.server.config.set_manager(patch)

    def delete_manager(self, login: int) -> None:
        self.need("admin")
        self.server.config.delete_manager(login)

    # Accounts

    def user_view(self, account: Account) -> UserRecord:
        """An account's record as this manager sees it."""
        record = self.server.accounts.record(account)
        return record if self.rights.user_details else without_details(record)

    def users(self) -> list[UserRecord]:
        """All accounts that the manager sees, by login."""
        return [self.user_view(account) for account in self.server.accounts.all() if self.sees_group(account.group)]

    def users_by(self, logins: Iterable[int]) -> list[UserRecord]:
        """Accounts in the order asked; unknown and invisible ones are left out."""
        found = (self.server.accounts.find(login) for login in logins)
        return [self.user_view(each) for each in found if each is not None and self.sees_group(each.group)]

    def add_user(self, draft: Draft[UserRecord]) -> int:
        """Adds an account; gives its login."""
        self.need("manager")
        if not self.sees_group(str(draft.get("group"))) and draft.get("group") in self.server.groups:
            raise _invisible("group", draft.get("group"))
        return self.server.accounts.add(draft).login

    def set_user(self, patch: Patch[UserRecord]) -> None:
        """Changes what the patch has; an empty password stays."""
        self.need("manager")
        self._known_account(patch.key)
        group = patch.get("group")
        if group is not None and group in self.server.groups and not self.sees_group(str(group)):
            raise _invisible("group", group)
        self.server.accounts.set(patch)

    def _known_account(self, login: int) -> Account:
        account = self.server.accounts.find(login)
        if account is None:
            raise NotFound(f"Cannot find user {login}")
        if not self.sees_group(account.group):
            raise _invisible("login", login)
        return account

    def delete_users(self, logins: Sequence[int]) -> None:
        """Deletes accounts with their open orders and history; none when one can't be."""
        self.need("manager")
        for login in logins:
            self._known_account(login)
        for login in dict.fromkeys(logins):
            self.server.accounts.delete(login)

    def change_users(
        self,
        logins: Sequence[int],
        *,
        group: str | None = None,
        leverage: int | None = None,
        enable: bool | None = None,
    ) -> None:
        """Sets what is not ``None`` on all of these accounts (natively ``UsersGroupOp``); on none when one can't be."""
        wanted = {"group": group, "leverage": leverage, "enable": enable}
        changes = {name: value for name, value in wanted.items() if value is not None}
        patches = [Patch(UserRecord, {"login": login, **changes}) for login in dict.fromkeys(logins)]
        self.need("manager")
        for patch in patches:
            self._known_account(patch.key)
        if group is not None:
            self.group(group)
        for patch in patches:
            self.server.accounts.set(patch)

    def check_password(self, login: int, password: str) -> None:
        """Raises 65 when it is neither the master nor the investor password."""
        self.need("manager")
        self._visible_account(login)
        self.server.accounts.check_password(login, password)

    def set_password(self, login: int, password: str, *, investor: bool = False) -> None:
        """Sets the master or the investor password."""
        self.need("manager")
        self._visible_account(login)
        self.server.accounts.set_password(login, password, investor=investor)

    # Prices

    def symbols(self) -> list[Symbol]:
        """All symbols, as configured."""
        return list(self.server.symbols.values())

    def symbol(self, name: str) -> Symbol:
        return self.server.symbol(name)

    def quote(self, name: str) -> Quote | None:
        """The last quote in points, unwidened by any group (Semantics 1.7)."""
        self.server.symbol(name)
        return self.server.quotes.last(name)

    def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        """Throws a price in."""
        self.need("market_watch")
        self.server.tick(symbol, bid, ask)

    def last_ticks(self, symbol: str) -> list[Tick]:
        """The last tick, a list of one; empty when none came yet."""
        found = self.server.symbol(symbol)
        last = self.server.quotes.last_tick(symbol)
        if last is None:
            return []
        time, bid, ask, _ = last
        return [tick_record(found, time, bid, ask)]

    # Orders

    def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        *,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> int:
        """Opens a position or places a pending order, as given."""
        self.need("trades")
        self._visible_account(login)
        return self.server.trading.open(login, symbol, command, volume, price, sl=sl, tp=tp, expiration=expiration,
                                        comment=comment)  # fmt: skip

    def modify(
        self,
        ticket: int,
        *,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Changes what is not ``None``."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.modify(ticket, price=price, sl=sl, tp=tp, expiration=expiration, comment=comment)

    def close(self, ticket: int, volume: float, price: float) -> None:
        """Closes a position, in part when ``volume`` is smaller."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.close(ticket, volume, price)

    def close_by(self, ticket: int, other: int) -> None:
        """Closes two opposite positions against each other."""
        self.need("trades")
        self._visible_order(ticket)
        self._visible_order(other)
        self.server.trading.close_by(ticket, other)

    def close_all(self, login: int, symbol: str) -> None:
        """Closes opposite positions against each other until one side is left."""
        self.need("trades")
        self._visible_account(login)
        self.server.trading.close_all(login, symbol)

    def delete(self, ticket: int) -> None:
        """Deletes an open record of any type (native ``TT_BR_ORDER_DELETE``)."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.delete(ticket)

    def cancel(self, ticket: int, command: TradeCommand) -> None:
        """Deletes a pending order of that type."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.cancel(ticket, command)

    def activate(self, ticket: int, price: float) -> None:
        """Makes a pending order a position at ``price``."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.activate(ticket, price)

    def comment(self, ticket: int, comment: str) -> None:
        """Changes the comment alone."""
        self.need("trades")
        self._visible_order(ticket)
        self.server.trading.comment(ticket, comment)

    def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        """A balance or credit operation."""
        self.need("money")
        self._visible_account(login)
        return self.server.trading.balance(login, command, amount, expiration=expiration, comment=comment)

    # Orders and history, read

    def trade(self, ticket: int) -> TradeRecord:
        """An order or balance record, open or closed."""
        self.need("see_trades")
        return self.server.trading.record(self._visible_order(ticket))

    def trades(self) -> Sequence[TradeRecord]:
        """All open orders and pendings that the manager sees, by ticket, as of now; many are made as they are read."""
        self.need("see_trades")
        trading = self.server.trading
        orders = trading.open_orders()
        if not unrestricted(tuple(self.rights.groups)):
            seen = {account.login for account in self.server.accounts.all() if self.sees_group(account.group)}
            orders = [order for order in orders if order.login in seen]
        return trading.reading(orders)

    def trades_of(self, login: int, group: str) -> list[TradeRecord]:
        """One account's open orders and pendings, by ticket.

        ``group`` must exist, but need not be the account's own: on real servers it only says whose prices value the
        trades. Assumed: they are valued at the account's own here.
        """
        self.need("see_trades")
        self._visible_account(login)
        self.group(group)
        return [self.server.trading.record(order) for order in self.server.trading.open_orders(login)]

    def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        """Records closed from ``start`` to ``end``, both included; not further back than the manager's depth."""
        self.need("reports")
        self._visible_account(login)
        depth = self.rights.info_depth
        first = max(start, self.server.now - depth * _DAY) if depth else start
        return [self.server.trading.record(order) for order in self.server.trading.history(login, first, end)]

    def online(self) -> list[int]:
        """Logins of the visible accounts whose terminals are logged in (natively ``OnlineRequest``)."""
        self.need("online")
        find = self.server.accounts.find
        seen = ((login, find(login)) for login in sorted(self.server.online))
        return [login for login, account in seen if account is not None and self.sees_group(account.group)]

    def daily_reports(self, logins: Iterable[int], start: int, end: int) -> list[DailyReport]:
        """Day-end reports of the range, both ends included, by login and time; unknown and invisible accounts are left
        out."""
        self.need("reports")
        found = (self.server.accounts.find(login) for login in sorted(set(logins)))
        visible = [account.login for account in found if account is not None and self.sees_group(account.group)]
        return [report for login in visible for report in self.server.trading.daily_reports(login, start, end)]

    def margin_levels(self) -> list[MarginLevel]:
        """Figures of all visible accounts that have open orders, by login."""
        self.need("see_trades")
        logins = self.server.trading.engine.book.accounts_with_orders()
        accounts = (self.server.accounts.get(login) for login in logins)
        return [self.server.trading.margin_level(each.login) for each in accounts if self.sees_group(each.group)]

    def margin_level(self, login: int) -> MarginLevel:
        """One account's balance, equity, margin and levels."""
        self._visible_account(login)
        return self.server.trading.margin_level(login)

    # Dealing

    def start_dealing(self, offer: Callable[[DealRequest], None]) -> None:
        """Begins to deal: ``offer`` is told of each request that is locked to this manager."""
        if self.dealer is None:
            self.dealer = self.server.desk.join(self, offer)

    def stop_dealing(self) -> None:
        """Ends it; what was held goes to the next in line."""
        if self.dealer is not None:
            self.server.desk.leave(self.dealer)
            self.dealer = None

    def _dealing(self) -> Dealer:
        self.need("broker")
        if self.dealer is None:
            raise ServerError(ReturnCode.INVALID_DATA, "Not dealing: subscribe to 'trade_request' first")
        return self.dealer

    def confirm_request(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        """Confirms a held request at these prices."""
        self.server.desk.confirm(self._dealing(), request_id, bid, ask, mode)

    def requote_request(self, request_id: int, bid: float, ask: float) -> None:
        """Offers other prices."""
        self.server.desk.requote(self._dealing(), request_id, bid, ask)

    def reject_request(self, request_id: int) -> None:
        """Refuses a held request."""
        self.server.desk.reject(self._dealing(), request_id)

    def reset_request(self, request_id: int) -> None:
        """Gives a held request back; the next dealer in line gets it."""
        self.server.desk.reset(self._dealing(), request_id)

    # The server's plugins

    def external(self, data: bytes) -> bytes:
        """Sends a command to the server's plugins: the first that takes it answers. Assumed: no right is asked for."""
        for handler in self.server.externals:
            answer = handler(data)
            if answer is not None:
                return answer
        raise ServerError(ReturnCode.ERROR, "No plugin of the server took the command")


def _invisible(path: str, what: object) -> ServerError:
    problem = f"Not enough rights: {path} {what!r} is outside the manager's groups"
    return ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, problem, path=path)


def without_details(record: UserRecord) -> UserRecord:
    """A copy with what only ``user_details`` shows blanked."""
    blank = record.copy()
    for name in DETAILS:
        setattr(blank, name, "")
    return blank


def tick_record(symbol: Symbol, time: int, bid: int, ask: int) -> Tick:
    """A tick in points as a record."""
    return _tick(symbol.name, symbol.multiply, time, bid, ask)


@lru_cache(maxsize=1024)  # the last ticks of some symbols are what everybody asks for
def _tick(symbol: str, multiply: int, time: int, bid: int, ask: int) -> Tick:
    return Tick(symbol=symbol, time=time, bid=bid / multiply, ask=ask / multiply)
