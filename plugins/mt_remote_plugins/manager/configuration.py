"""The server's configuration over the library: what is common, and the tables, each a row of what it has for itself.

Changes are read-modify-write on the native struct: what the record does not carry stays what the server has.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from mt_remote.area import Area
from mt_remote.errors import ServerError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupSecurity,
    ConManager,
    ConManagerSecurity,
    Patch,
    Record,
)
from mt_remote.table import KeyTable, Table
from mt_remote_plugins.config import TABLES, Common, Groups, Managers
from mt_remote_plugins.manager.library_calls import LibraryCalls, LibrarySession, OverLibrary, blank
from mt_remote_plugins.manager.refusals import Refusals
from mt_remote_plugins.manager.tables import KeyRows, PositionRows

R = TypeVar("R", bound=Record)


class LibraryCommon(OverLibrary, Common):
    """The common settings."""

    async def _native(self) -> bytes:
        reply = await self._library.direct("CfgRequestCommon", b"")
        return bytes(reply.outs[0])  # type: ignore[arg-type]

    async def get(self) -> ConCommon:
        return self._library.codec(ConCommon).decode(await self._native())

    async def set(self, changes: Patch[ConCommon], /) -> None:
        native = await self._native()
        await self._library.direct("CfgUpdateCommon", changed(self._library, ConCommon, native, changes))


class LibraryGroups(KeyRows[ConGroup, str], Groups):
    """Groups. Reading alone needs no administrator."""

    read = "GroupsRequest"

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session.library, ConGroup, Groups.native)
        self._refusals = Refusals(session.library)

    def blank(self) -> ConGroup:
        """A group has every security of the server."""
        return blank(ConGroup, securities={name: blank(ConGroupSecurity) for name in self.library.security_names()})

    async def refusal(self, error: ServerError, old: ConGroup | None, new: ConGroup) -> ServerError:
        known = old.symbols if old else {}
        return await self._refusals.of_terms(error, [name for name in new.symbols if name not in known])

    async def refusal_to_delete(self, error: ServerError, key: str) -> ServerError:
        return await self._refusals.of_deletion(error, key)


class LibraryManagers(KeyRows[ConManager, int], Managers):
    """Manager accounts."""

    set_adds = True

    def __init__(self, session: LibrarySession) -> None:
        super().__init__(session.library, ConManager, Managers.native)

    def blank(self) -> ConManager:
        """A manager has every security of the server."""
        return blank(ConManager, securities={name: blank(ConManagerSecurity) for name in self.library.security_names()})


def regular(table: type[Table[Any]]) -> type[Table[Any]]:
    """The implementation of a table that has no rules of its own: its row says all."""
    rows: type[Any] = KeyRows if issubclass(table, KeyTable) else PositionRows

    def begin(self: Any, session: LibrarySession) -> None:
        rows.__init__(self, session.library, table.record, table.native)

    return cast("type[Table[Any]]", type(f"Library{table.__name__}", (rows, table), {"__init__": begin}))


_OWN: tuple[type[Table[Any]], ...] = (LibraryGroups, LibraryManagers)

CONFIGURATION: tuple[type[Area], ...] = (
    LibraryCommon,
    *_OWN,
    *(regular(table) for table in TABLES if table not in [own.declared for own in _OWN]),
)
"""The configuration over the library."""


def changed(library: LibraryCalls, kind: type[R], native: bytes, patch: Patch[R]) -> bytes:
    """The native struct with a patch in it and nothing else changed."""
    codec = library.codec(kind)
    old = codec.decode(native)
    return codec.updated(native, old, patch.applied_to(old))
