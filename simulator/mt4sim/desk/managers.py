"""A manager's session: everything that a manager can do, with his rights, masks and the documented codes
(Semantics 9.4, 9.9 and the table of rights).

The one door for the gateway and for the simulated Manager library. Calls are in domain terms (lots, prices, account
currency); what they return is the caller's own. Invisible users are left out of lists, and operations on them answer
7; so does a call whose right is missing. A call that raises has changed nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mt4sim.clock import DAY_SECONDS
from mt4sim.desk.accounts import Accounts
from mt4sim.desk.configuration import Configuration
from mt4sim.desk.dealing import Desk
from mt4sim.desk.masks import unrestricted
from mt4sim.desk.rights import need, rights_of, sees_group
from mt4sim.desk.tables import STORES, Store
from mt4sim.market.symbols import Symbol, symbol_named
from mt4sim.market.ticks import Quote
from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt4sim.state.figures import DailyReport, MarginLevel
from mt4sim.state.orders import NewOrder, Order, OrderChange
from mt4sim.state.requests import Dealer, DealRequest
from mt4sim.trading import Trading
from mt4sim.trading.reading import record, records
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
)

DETAILS = ("name", "address", "phone", "email", "id")
"""What a manager without ``user_details`` does not see."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What managers work with: the state, and those who carry out what they ask for."""

    state: State
    configuration: Configuration
    accounts: Accounts
    trading: Trading
    desk: Desk


def log_in(rooms: Rooms, login: int, password: str, address: str) -> ManagerSession:
    """Checks credentials: 65 for unknown logins, wrong passwords, traders and addresses outside the filter, 64 for a
    disabled account."""
    state = rooms.state
    manager = state.managers.get(login)
    if manager is None or not _password_fits(state, login, password):
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)
    account = state.accounts.find(login)
    if account is not None and not account.enable:
        raise ServerError(ReturnCode.ACCOUNT_DISABLED)
    if manager.ip_filter and not _address_fits(manager, address):
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)
    return ManagerSession(rooms, login)


def _password_fits(state: State, login: int, password: str) -> bool:
    """An account of the manager's login has the password that counts; else the manager's own."""
    account = state.accounts.find(login)
    if account is not None and account.password:
        return account.password == password
    expected = state.manager_passwords.get(login, "")
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
    """One manager, logged in. It decides what he may do and see; the rooms do it."""

    def __init__(self, rooms: Rooms, login: int) -> None:
        self.rooms = rooms
        self.login = login
        self.dealer: Dealer | None = None
        self._state = rooms.state
        self._engine = rooms.trading.engine
        self._transactions = rooms.trading.transactions

    # Rights and sight

    @property
    def rights(self) -> ConManager:
        """The manager's record as it is now: a right taken away counts at once."""
        return rights_of(self._state, self.login)

    @property
    def known_rights(self) -> ConManager | None:
        """The same; ``None`` when he was deleted. A change gives another object."""
        return self._state.managers.get(self.login)

    @property
    def now(self) -> int:
        """The server's clock."""
        return self._state.timeline.now

    def need(self, right: str) -> None:
        """Raises code 7 when the manager does not have ``right``."""
        need(self._state, self.login, right)

    def sees_group(self, name: str) -> bool:
        """Whether a group is in the manager's masks; a manager who was deleted sees none."""
        return sees_group(self._state, self.login, name)

    def sees_all(self) -> bool:
        """Whether nothing is hidden from the manager."""
        rights = self.rights
        return rights.user_details and unrestricted(tuple(rights.groups))

    def _visible_account(self, login: int) -> Account:
        """The account. Unknown logins answer 65, invisible ones 7. Assumed: the code 7 (Semantics 9.9)."""
        account = self._state.accounts.find(login)
        if account is None:
            raise ServerError(ReturnCode.BAD_ACCOUNT_INFO, f"login: there is no account {login}", path="login")
        if not self.sees_group(account.group):
            raise _invisible("login", login)
        return account

    def _visible_order(self, ticket: int) -> Order:
        """The order, open or closed. Raises :class:`~mt_remote.errors.NotFound`, or 7 for an invisible user's."""
        order = self._state.orders.find(ticket)
        account = self._state.accounts.find(order.login)
        if account is not None and not self.sees_group(account.group):
            raise _invisible("order", ticket)
        return order

    # Configuration

    def common(self) -> ConCommon:
        self.need("admin")
        return self.rooms.configuration.common()

    def set_common(self, patch: Patch[ConCommon]) -> None:
        self.need("admin")
        self.rooms.configuration.set_common(patch)

    def groups(self) -> list[ConGroup]:
        """The groups that the manager sees."""
        return [group for group in self.rooms.configuration.groups() if self.sees_group(group.group)]

    def group(self, name: str) -> ConGroup:
        group = self.rooms.configuration.group(name)
        if not self.sees_group(name):
            raise _invisible("group", name)
        return group

    def add_group(self, draft: Draft[ConGroup]) -> None:
        self.need("admin")
        self.rooms.configuration.add_group(draft)

    def set_group(self, patch: Patch[ConGroup]) -> None:
        self.need("admin")
        self.rooms.configuration.set_group(patch)

    def delete_group(self, name: str) -> None:
        self.need("admin")
        self.rooms.configuration.delete_group(name)

    def managers(self) -> list[ConManager]:
        self.need("admin")
        return self.rooms.configuration.managers()

    def manager(self, login: int) -> ConManager:
        self.need("admin")
        return self.rooms.configuration.manager(login)

    def set_manager(self, patch: Patch[ConManager]) -> None:
        self.need("admin")
        self.rooms.configuration.set_manager(patch)

    def delete_manager(self, login: int) -> None:
        self.need("admin")
        self.rooms.configuration.delete_manager(login)

    def table(self, native: str) -> Store[Any]:
        """Where a table of the configuration is kept, by its name in the Manager library's functions."""
        self.need("admin")
        return STORES[native](self._state, self.rooms.configuration)

    # Accounts

    def user_view(self, account: Account) -> UserRecord:
        """An account's record as this manager sees it."""
        shown = account.record()
        return shown if self.rights.user_details else without_details(shown)

    def users(self) -> list[UserRecord]:
        """All accounts that the manager sees, by login."""
        return [self.user_view(account) for account in self._state.accounts if self.sees_group(account.group)]

    def users_by(self, logins: Iterable[int]) -> list[UserRecord]:
        """Accounts in the order asked; unknown and invisible ones are left out."""
        found = (self._state.accounts.find(login) for login in logins)
        return [self.user_view(each) for each in found if each is not None and self.sees_group(each.group)]

    def add_user(self, draft: Draft[UserRecord]) -> int:
        """Adds an account; gives its login."""
        self.need("manager")
        if not self.sees_group(str(draft.get("group"))) and draft.get("group") in self._state.groups:
            raise _invisible("group", draft.get("group"))
        return self.rooms.accounts.add(draft).login

    def set_user(self, patch: Patch[UserRecord]) -> None:
        """Changes what the patch has; an empty password stays."""
        self.need("manager")
        self._known_account(patch.key)
        group = patch.get("group")
        if group is not None and group in self._state.groups and not self.sees_group(str(group)):
            raise _invisible("group", group)
        self.rooms.accounts.set(patch)

    def _known_account(self, login: int) -> Account:
        account = self._state.accounts.find(login)
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
            self.rooms.accounts.delete(login)

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
            self.rooms.accounts.set(patch)

    def check_password(self, login: int, password: str) -> None:
        """Raises 65 when it is neither the master nor the investor password."""
        self.need("manager")
        self._visible_account(login)
        self.rooms.accounts.check_password(login, password)

    def set_password(self, login: int, password: str, *, investor: bool = False) -> None:
        """Sets the master or the investor password."""
        self.need("manager")
        self._visible_account(login)
        self.rooms.accounts.set_password(login, password, investor=investor)

    # Prices

    def symbols(self) -> list[Symbol]:
        """All symbols, as configured."""
        return list(self._state.symbols.values())

    def symbol(self, name: str) -> Symbol:
        return symbol_named(self._state.symbols, name)

    def quote(self, name: str) -> Quote | None:
        """The last quote in points, unwidened by any group (Semantics 1.7)."""
        self.symbol(name)
        return self._state.quotes.last(name)

    def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        """Throws a price in."""
        self.need("market_watch")
        to_points = self.symbol(symbol).to_points
        self._state.quotes.tick(symbol, to_points(bid), to_points(ask))

    def last_ticks(self, symbol: str) -> list[Tick]:
        """The last tick, a list of one; empty when none came yet."""
        found = self.symbol(symbol)
        last = self._state.quotes.last_tick(symbol)
        if last is None:
            return []
        time, bid, ask, _ = last
        return [tick_record(found, time, bid, ask)]

    # Orders

    def open(self, login: int, order: NewOrder) -> int:
        """Opens a position or places a pending order on an account, as given; gives its ticket."""
        self.need("trades")
        self._visible_account(login)
        return self._transactions.open(login, order)

    def modify(self, ticket: int, change: OrderChange) -> None:
        """Changes what is not ``None``."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.modify(ticket, change)

    def close(self, ticket: int, volume: float, price: float) -> None:
        """Closes a position, in part when ``volume`` (lots) is smaller."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.close(ticket, volume, price)

    def close_by(self, ticket: int, other: int) -> None:
        """Closes two opposite positions against each other."""
        self.need("trades")
        self._visible_order(ticket)
        self._visible_order(other)
        self._transactions.close_by(ticket, other)

    def close_all(self, login: int, symbol: str) -> None:
        """Closes opposite positions against each other until one side is left."""
        self.need("trades")
        self._visible_account(login)
        self._transactions.close_all(login, symbol)

    def delete(self, ticket: int) -> None:
        """Deletes an open record of any type (native ``TT_BR_ORDER_DELETE``)."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.delete(ticket)

    def cancel(self, ticket: int, command: TradeCommand) -> None:
        """Deletes a pending order of that type."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.cancel(ticket, command)

    def activate(self, ticket: int, price: float) -> None:
        """Makes a pending order a position at ``price``."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.activate(ticket, price)

    def comment(self, ticket: int, comment: str) -> None:
        """Changes the comment alone."""
        self.need("trades")
        self._visible_order(ticket)
        self._transactions.comment(ticket, comment)

    def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        """A balance or credit operation of so much account currency; gives its ticket. Credit ends at ``expiration``,
        Unix seconds in the server's zone."""
        self.need("money")
        self._visible_account(login)
        return self._transactions.balance(login, command, amount, expiration=expiration, comment=comment)

    # Orders and history, read

    def trade(self, ticket: int) -> TradeRecord:
        """An order or balance record, open or closed."""
        self.need("see_trades")
        return record(self._engine, self._visible_order(ticket))

    def trades(self) -> Sequence[TradeRecord]:
        """All open orders and pendings that the manager sees, by ticket, as of now; many are made as they are read."""
        self.need("see_trades")
        orders = self._state.orders.all_open()
        # Masks are held against accounts, not orders: there may be a hundred orders to an account.
        if not unrestricted(tuple(self.rights.groups)):
            seen = {account.login for account in self._state.accounts if self.sees_group(account.group)}
            orders = [order for order in orders if order.login in seen]
        return records(self._engine, orders)

    def trades_of(self, login: int, group: str) -> list[TradeRecord]:
        """One account's open orders and pendings, by ticket.

        ``group`` must exist, but need not be the account's own: on real servers it only says whose prices value the
        trades. Assumed: they are valued at the account's own here.
        """
        self.need("see_trades")
        self._visible_account(login)
        self.group(group)
        return [record(self._engine, order) for order in self._state.orders.open_of(login)]

    def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        """Records closed from ``start`` to ``end``, both included; not further back than the manager's depth."""
        self.need("reports")
        self._visible_account(login)
        depth = self.rights.info_depth
        first = max(start, self._state.timeline.now - depth * DAY_SECONDS) if depth else start
        return [record(self._engine, order) for order in self._state.orders.history(login, first, end)]

    def online(self) -> list[int]:
        """Logins of the visible accounts whose terminals are logged in (natively ``OnlineRequest``)."""
        self.need("online")
        find = self._state.accounts.find
        seen = ((login, find(login)) for login in sorted(self._state.online))
        return [login for login, account in seen if account is not None and self.sees_group(account.group)]

    def daily_reports(self, logins: Iterable[int], start: int, end: int) -> list[DailyReport]:
        """Day-end reports of the range, both ends included, by login and time; unknown and invisible accounts are left
        out."""
        self.need("reports")
        found = (self._state.accounts.find(login) for login in sorted(set(logins)))
        visible = [account.login for account in found if account is not None and self.sees_group(account.group)]
        rollover = self.rooms.trading.rollover
        return [report for login in visible for report in rollover.daily_reports(login, start, end)]

    def margin_levels(self) -> list[MarginLevel]:
        """Figures of all visible accounts that have open orders, by login."""
        self.need("see_trades")
        accounts = map(self._state.accounts.get, self._state.orders.accounts_with_orders())
        return [self._engine.margin_level(each.login) for each in accounts if self.sees_group(each.group)]

    def margin_level(self, login: int) -> MarginLevel:
        """One account's balance, equity, margin and levels."""
        self._visible_account(login)
        return self._engine.margin_level(login)

    # Dealing

    def start_dealing(self, offer: Callable[[DealRequest], None]) -> None:
        """Begins to deal: ``offer`` is told of each request that is locked to this manager."""
        if self.dealer is None:
            self.dealer = self.rooms.desk.join(self, offer)

    def stop_dealing(self) -> None:
        """Ends it; what was held goes to the next in line."""
        if self.dealer is not None:
            self.rooms.desk.leave(self.dealer)
            self.dealer = None

    def _dealing(self) -> Dealer:
        self.need("broker")
        if self.dealer is None:
            raise ServerError(ReturnCode.INVALID_DATA, "Not dealing: subscribe to 'trade_request' first")
        return self.dealer

    def confirm_request(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        """Confirms a held request at these prices."""
        self.rooms.desk.confirm(self._dealing(), request_id, bid, ask, mode)

    def requote_request(self, request_id: int, bid: float, ask: float) -> None:
        """Offers other prices."""
        self.rooms.desk.requote(self._dealing(), request_id, bid, ask)

    def reject_request(self, request_id: int) -> None:
        """Refuses a held request."""
        self.rooms.desk.reject(self._dealing(), request_id)

    def reset_request(self, request_id: int) -> None:
        """Gives a held request back; the next dealer in line gets it."""
        self.rooms.desk.reset(self._dealing(), request_id)

    # The server's plugins

    def external(self, data: bytes) -> bytes:
        """Sends a command to the server's plugins: the first that takes it answers. Assumed: no right is asked for."""
        for handler in self._state.externals:
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
