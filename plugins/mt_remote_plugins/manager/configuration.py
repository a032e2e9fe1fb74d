"""The server's configuration over the library: what is common, and the tables, each a row of what it has for itself.

Changes are read-modify-write on the native struct: what the record does not carry stays what the server has.
"""

from __future__ import annotations

from typing import TypeVar

from mt_remote.backend import CommonConfig, Groups, Managers
from mt_remote.errors import ServerError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupSecurity,
    ConHoliday,
    ConManager,
    ConManagerSecurity,
    ConSymbol,
    Patch,
    Record,
)
from mt_remote_plugins.manager.library_calls import LibraryCalls, blank
from mt_remote_plugins.manager.refusals import Refusals
from mt_remote_plugins.manager.tables import KeyRows, PositionRows

R = TypeVar("R", bound=Record)


class LibraryCommon(CommonConfig):
    def __init__(self, library: LibraryCalls) -> None:
        self._library = library

    async def _native(self) -> bytes:
        reply = await self._library.direct("CfgRequestCommon", b"")
        return bytes(reply.outs[0])  # type: ignore[arg-type]

    async def get(self) -> ConCommon:
        return self._library.codec(ConCommon).decode(await self._native())

    async def set(self, patch: Patch[ConCommon]) -> None:
        native = await self._native()
        await self._library.direct("CfgUpdateCommon", changed(self._library, ConCommon, native, patch))


class LibraryGroups(KeyRows[ConGroup, str], Groups):
    """Groups. Reading alone needs no administrator."""

    read = "GroupsRequest"

    def __init__(self, library: LibraryCalls) -> None:
        super().__init__(library, ConGroup, "Group")
        self._refusals = Refusals(library)

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

    def __init__(self, library: LibraryCalls) -> None:
        super().__init__(library, ConManager, "Manager")

    def blank(self) -> ConManager:
        """A manager has every security of the server."""
        return blank(ConManager, securities={name: blank(ConManagerSecurity) for name in self.library.security_names()})


class LibrarySymbols(KeyRows[ConSymbol, str]):
    """Symbols as they are configured. The server works their points and tick values out itself."""

    def __init__(self, library: LibraryCalls) -> None:
        super().__init__(library, ConSymbol, "Symbol")


class LibraryHolidays(PositionRows[ConHoliday]):
    """Holidays."""

    def __init__(self, library: LibraryCalls) -> None:
        super().__init__(library, ConHoliday, "Holiday")


def changed(library: LibraryCalls, kind: type[R], native: bytes, patch: Patch[R]) -> bytes:
    """The native struct with a patch in it and nothing else changed."""
    codec = library.codec(kind)
    old = codec.decode(native)
    return codec.updated(native, old, patch.applied_to(old))
