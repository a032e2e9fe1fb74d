"""Accounts, symbols and prices over the library."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from mt4abi import number, structure, table
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import Draft, Patch, Tick, UserRecord
from mt_remote_plugins.manager.configuration import changed
from mt_remote_plugins.manager.engine.handle import Reply
from mt_remote_plugins.manager.library_calls import LibraryCalls, LibrarySession, OverLibrary, check, integers
from mt_remote_plugins.manager.refusals import Refusals
from mt_remote_plugins.market import Market
from mt_remote_plugins.users import NewLogin, Users

_SYMBOL_SIZE = 12


class LibraryUsers(OverLibrary, Users):
    """Accounts."""

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session)
        self._refusals = Refusals(self._library)

    async def _natives(self, logins: Sequence[int]) -> dict[int, bytes]:
        if not logins:
            return {}
        rows = await self._library.rows("UserRecordsRequest", integers(logins), len(logins))
        found = {}
        for row in self._library.split(UserRecord, rows):
            found[int.from_bytes(row[:4], "little", signed=True)] = row
        return found

    async def add(self, new: Draft[UserRecord], /) -> NewLogin:
        user = new.build()
        try:
            reply = await self._library.direct("UserRecordNew", self._library.codec(UserRecord).encode(user))
        except ServerError as error:
            raise await self._refusals.of_user(error, user.login, user.group) from None
        return {"login": int.from_bytes(bytes(reply.outs[0])[:4], "little", signed=True)}  # type: ignore[arg-type]

    async def set(self, changes: Patch[UserRecord], /) -> None:
        native = (await self._natives([changes.key])).get(changes.key)
        if native is None:
            raise NotFound(f"Cannot find user {changes.key}")
        native = self._library.codec(UserRecord).cleared(native)
        try:
            await self._library.direct("UserRecordUpdate", changed(self._library, UserRecord, native, changes))
        except ServerError as error:
            raise await self._refusals.of_user(error, 0, str(changes.get("group", ""))) from None

    async def get(self, logins: list[int]) -> list[UserRecord]:
        found = await self._natives(list(dict.fromkeys(logins)))
        rows = [found[login] for login in logins if login in found]
        return await self._library.decoded(UserRecord, b"".join(rows))

    async def get_all(self) -> list[UserRecord]:
        return await self._library.records(UserRecord, "UsersRequest", 0)

    async def delete(self, logins: list[int]) -> None:
        found = await self._natives(logins)
        for login in logins:
            if login not in found:
                raise NotFound(f"Cannot find user {login}")
        unique = list(found)
        if unique:
            command = structure("GroupCommandInfo")(len=len(unique), command=number("GROUP_DELETE"))
            await self._library.direct("UsersGroupOp", bytes(command), integers(unique))


class LibraryMarket(OverLibrary, Market):
    """Prices."""

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session)
        self._refusals = Refusals(self._library)

    def _name(self, symbol: str) -> bytes:
        return self._library.marshal.text(symbol, _SYMBOL_SIZE, "symbol")

    async def show(self, symbol: str) -> None:
        _known(await self._library.pumping("show", self._name(symbol)), symbol)
        self._library.shown[symbol] = None

    async def hide(self, symbol: str) -> None:
        _known(await self._library.pumping("hide", self._name(symbol)), symbol)
        self._library.shown.pop(symbol, None)

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        try:
            await self._library.direct("SymbolSendTick", self._name(symbol), bid, ask)
        except ServerError as error:
            raise await self._refusals.of_tick(error, symbol, bid, ask) from None

    async def last_ticks(self, symbol: str) -> list[Tick]:
        reply: Reply = await self._library.pumping("call", "SymbolInfoGet", self._name(symbol), b"")
        _known(reply.code, symbol)
        ticks = read_ticks(self._library, bytes(reply.outs[0]))  # type: ignore[arg-type]
        return [tick for tick in ticks if tick.time]


def _known(code: int, symbol: str) -> None:
    if code in (ReturnCode.ERROR, ReturnCode.INVALID_DATA):
        raise NotFound(f"Cannot find symbol '{symbol}'")
    check(code)


def read_ticks(library: LibraryCalls, rows: bytes) -> list[Tick]:
    """Ticks of an array of ``SymbolInfo``: read as an array like any other."""
    found = list(_SYMBOL_INFO.iter_unpack(rows))
    names = library.marshal.page.decode_column(tuple([row[0] for row in found]))
    return [
        Tick(symbol=symbol, time=time, bid=bid, ask=ask)
        for symbol, (_, time, bid, ask) in zip(names, found, strict=True)
    ]


def _symbol_info() -> struct.Struct:
    layout = table().layouts["SymbolInfo"]
    text, at = "<", 0
    for name, code in (("symbol", "12s"), ("lasttime", "i"), ("bid", "d"), ("ask", "d")):
        member = layout.members[name]
        text += f"{member.offset - at}x{code}"
        at = member.offset + member.size
    return struct.Struct(f"{text}{layout.size - at}x")


_SYMBOL_INFO = _symbol_info()
