"""What the library means by a refusal. It gives a number and no more; what was named wrongly is found out by asking,
after the fact, so that a call that succeeds costs nothing."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, cast

from mt_remote.errors import Busy, CallTimeout, ConnectionLost, InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import TradeCommand, UserRecord
from mt_remote_plugins.manager.library_calls import LibraryCalls, integers

_SYMBOL_SIZE = 12

_FIELDS = {
    ReturnCode.TRADE_BAD_PRICES: "price",
    ReturnCode.TRADE_BAD_STOPS: "sl",
    ReturnCode.TRADE_BAD_VOLUME: "volume",
}
"""Codes that can mean one field only."""


E = TypeVar("E", bound=Callable[..., Awaitable[ServerError]])


def _of_refusals(explain: E) -> E:
    """Explains what the server refused, and that alone: a loss says by itself all that is known. Where the library does
    not tell why, the refusal stays as it is."""

    @functools.wraps(explain)
    async def explained(self: Refusals, error: ServerError, *given: object, **named: object) -> ServerError:
        if isinstance(error, ConnectionLost):
            return error
        try:
            return await explain(self, error, *given, **named)
        except (Busy, CallTimeout, ConnectionLost):
            return error

    return cast(E, explained)


class Refusals:
    """Turns a refused call's code into an error that names the field, where one can be found."""

    def __init__(self, library: LibraryCalls) -> None:
        self._library = library

    async def need_symbol(self, symbol: str) -> None:
        """Raises :class:`NotFound` for a symbol that the server does not have."""
        name = self._library.marshal.text(symbol, _SYMBOL_SIZE, "symbol")
        reply = await self._library.ask("SymbolGet", name, b"")
        if reply.code in (ReturnCode.ERROR, ReturnCode.INVALID_DATA):
            raise NotFound(f"Cannot find symbol '{symbol}'")

    async def need_account(self, login: int) -> None:
        """Raises code 65 with the login's name for an account that the manager does not see."""
        if not await self._library.rows("UserRecordsRequest", integers([login]), 1):
            raise ServerError(ReturnCode.BAD_ACCOUNT_INFO, f"login: there is no account {login}", path="login")

    async def need_group(self, group: str) -> None:
        """Raises :class:`NotFound` for a group that the manager does not see."""
        rows = await self._library.rows("GroupsRequest", 0)
        size = self._library.group_size
        names = {self._library.marshal.page.decode(rows[at : at + 16]) for at in range(0, len(rows), size)}
        if group not in names:
            raise NotFound(f"Cannot find group '{group}'")

    @_of_refusals
    async def of_tick(self, error: ServerError, symbol: str, bid: float, ask: float) -> ServerError:
        """A price that was not taken."""
        if error.return_code in (ReturnCode.INVALID_DATA, ReturnCode.ERROR):
            await self.need_symbol(symbol)
            _need_above_zero(bid=bid, ask=ask)
        return error

    @_of_refusals
    async def of_order(self, error: ServerError, *, login: int = 0, symbol: str = "", **prices: float) -> ServerError:
        """A transaction that was refused."""
        if error.return_code == ReturnCode.BAD_ACCOUNT_INFO and login:
            await self.need_account(login)
        if error.return_code == ReturnCode.INVALID_DATA:
            if login:
                await self.need_account(login)
            if symbol:
                await self.need_symbol(symbol)
            _need_above_zero(**prices)
        return named(error)

    @_of_refusals
    async def of_balance(
        self, error: ServerError, login: int, command: TradeCommand, amount: float, expiration: int
    ) -> ServerError:
        """A balance or credit operation that was refused."""
        if error.return_code in (ReturnCode.BAD_ACCOUNT_INFO, ReturnCode.INVALID_DATA):
            await self.need_account(login)
        if error.return_code == ReturnCode.INVALID_DATA:
            if round(amount * 100) == 0:
                raise InvalidData.of("amount", "must be at least one cent")
            if command is TradeCommand.CREDIT and expiration <= await self._library.server_time():
                raise InvalidData.of("expiration", "credit needs one in the future")
        if error.return_code == ReturnCode.TRADE_NO_MONEY:
            return ServerError(error.return_code, f"amount: {error.message}", path="amount")
        return error

    @_of_refusals
    async def of_user(self, error: ServerError, login: int, group: str) -> ServerError:
        """An account that was not taken."""
        if error.return_code == ReturnCode.INVALID_DATA:
            if login and await self._library.rows("UserRecordsRequest", integers([login]), 1):
                raise InvalidData.of("login", f"the account {login} exists already")
            await self.of_group(group)
        return error

    @_of_refusals
    async def of_terms(self, error: ServerError, symbols: Iterable[str]) -> ServerError:
        """A group that was not taken, with terms for these symbols."""
        if error.return_code == ReturnCode.INVALID_DATA:
            for symbol in symbols:
                try:
                    await self.need_symbol(symbol)
                except NotFound:
                    raise InvalidData.of(f"symbols.{symbol}", "the server has no symbol of that name") from None
        return error

    @_of_refusals
    async def of_deletion(self, error: ServerError, group: str) -> ServerError:
        """A group that was not deleted: its users keep it."""
        if error.return_code == ReturnCode.ERROR:
            users = sum(user.group == group for user in await self._library.records(UserRecord, "UsersRequest", 0))
            if users:
                message = f"group: '{group}' has {users} users; move or delete them first"
                return ServerError(error.return_code, message, path="group")
        return error

    async def of_group(self, group: str) -> None:
        """Raises :class:`InvalidData` for a group that an account can't be in."""
        try:
            await self.need_group(group)
        except NotFound:
            raise InvalidData.of("group", f"there is no group '{group}'") from None


def named(error: ServerError) -> ServerError:
    """The error with the one field that its code can mean."""
    path = _FIELDS.get(ReturnCode(error.return_code)) if error.return_code in list(ReturnCode) else None
    return ServerError(error.return_code, f"{path}: {error.message}", path=path) if path else error


def _need_above_zero(**prices: float) -> None:
    for path, price in prices.items():
        if price <= 0:
            raise InvalidData.of(path, f"must be above 0, got {price:g}")
