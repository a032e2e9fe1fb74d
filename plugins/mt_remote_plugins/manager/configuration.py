"""Common configuration, groups and managers over the library.

Changes are read-modify-write on the native struct: what the record does not carry stays what the server has.
"""

from __future__ import annotations

from typing import TypeVar

from mt_remote.backend import CommonConfig, Groups, Managers
from mt_remote.errors import InvalidData, NotFound, ServerError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupSecurity,
    ConManager,
    ConManagerSecurity,
    Draft,
    Patch,
    Record,
)
from mt_remote_plugins.manager.library_calls import LibraryCalls, blank
from mt_remote_plugins.manager.refusals import Refusals

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


class LibraryGroups(Groups):
    def __init__(self, library: LibraryCalls) -> None:
        self._library = library
        self._refusals = Refusals(library)

    async def _rows(self, request: str = "CfgRequestGroup") -> dict[str, bytes]:
        """Native groups by name, in the server's order: a group is deleted by its place. Reading alone needs no
        administrator."""
        rows = await self._library.rows(request, 0)
        return {self._library.marshal.page.decode(row[:16]): row for row in self._library.split(ConGroup, rows)}

    async def _found(self, group: str, request: str = "CfgRequestGroup") -> bytes:
        row = (await self._rows(request)).get(group)
        if row is None:
            raise NotFound(f"Cannot find group '{group}'")
        return row

    async def add(self, draft: Draft[ConGroup]) -> None:
        if draft.key in await self._rows():
            raise InvalidData.of("group", f"a group '{draft.key}' exists already")
        named = filter(None, self._library.marshal.securities)
        empty = blank(ConGroup, securities={name: blank(ConGroupSecurity) for name in named})
        group = draft.applied_to(empty)
        await self._update(self._library.codec(ConGroup).encode(group), list(group.symbols))

    async def set(self, patch: Patch[ConGroup]) -> None:
        native = await self._found(patch.key)
        codec = self._library.codec(ConGroup)
        old = codec.decode(native)
        new = patch.applied_to(old)
        await self._update(codec.updated(native, old, new), [name for name in new.symbols if name not in old.symbols])

    async def _update(self, native: bytes, new_symbols: list[str]) -> None:
        try:
            await self._library.direct("CfgUpdateGroup", native)
        except ServerError as error:
            raise await self._refusals.of_terms(error, new_symbols) from None

    async def get(self, group: str) -> ConGroup:
        return self._library.codec(ConGroup).decode(await self._found(group, "GroupsRequest"))

    async def get_all(self) -> list[ConGroup]:
        return self._library.codec(ConGroup).decode_many(b"".join((await self._rows("GroupsRequest")).values()))

    async def delete(self, group: str) -> None:
        names = list(await self._rows())
        if group not in names:
            raise NotFound(f"Cannot find group '{group}'")
        try:
            await self._library.direct("CfgDeleteGroup", names.index(group))
        except ServerError as error:
            raise await self._refusals.of_deletion(error, group) from None


class LibraryManagers(Managers):
    def __init__(self, library: LibraryCalls) -> None:
        self._library = library

    async def _rows(self) -> dict[int, bytes]:
        rows = await self._library.rows("CfgRequestManager", 0)
        return {int.from_bytes(row[:4], "little", signed=True): row for row in self._library.split(ConManager, rows)}

    async def set(self, patch: Patch[ConManager]) -> None:
        native = (await self._rows()).get(patch.key)
        if native is None:
            named = filter(None, self._library.marshal.securities)
            empty = blank(ConManager, securities={name: blank(ConManagerSecurity) for name in named})
            data = self._library.codec(ConManager).encode(patch.applied_to(empty))
        else:
            data = changed(self._library, ConManager, native, patch)
        await self._library.direct("CfgUpdateManager", data)

    async def get(self, login: int) -> ConManager:
        row = (await self._rows()).get(login)
        if row is None:
            raise NotFound(f"Cannot find manager {login}")
        return self._library.codec(ConManager).decode(row)

    async def delete(self, login: int) -> None:
        logins = list(await self._rows())
        if login not in logins:
            raise NotFound(f"Cannot find manager {login}")
        await self._library.direct("CfgDeleteManager", logins.index(login))


def changed(library: LibraryCalls, kind: type[R], native: bytes, patch: Patch[R]) -> bytes:
    """The native struct with a patch in it and nothing else changed."""
    codec = library.codec(kind)
    old = codec.decode(native)
    return codec.updated(native, old, patch.applied_to(old))
