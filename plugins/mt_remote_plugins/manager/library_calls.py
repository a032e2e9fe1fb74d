"""What all areas of a connection share: calls of the library's functions in terms of records."""

from __future__ import annotations

import struct
from collections.abc import Sequence, Set
from typing import Any, Protocol, TypeVar

from anyio import to_thread

from mt4abi import table
from mt4abi.marshal import Codec, Marshal
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import ConManager, Record, TradeRecord
from mt_remote_plugins.manager.call_queues import CallQueues
from mt_remote_plugins.manager.engine.handle import Reply, Value
from mt_remote_plugins.manager.engine.messages import Credentials, Mode

R = TypeVar("R", bound=Record)

_SUCCESS = (ReturnCode.OK, ReturnCode.OK_NONE)
_ROWS_ON_THE_LOOP = 1000

_RIGHTS = {"TradesRequest": "see_trades", "TradeRecordsRequest": "see_trades", "TradesUserHistory": "reports"}


def right_for(key: str) -> str:
    """The right that a list needs, ``""`` for none. The library answers a manager without it with no list and no
    reason."""
    return "admin" if key.startswith("CfgRequest") else _RIGHTS.get(key, "")


class LibrarySession(Protocol):
    """What areas are made with: a connection's library, and the kinds of events that it watches."""

    @property
    def library(self) -> LibraryCalls:
        """Its calls of the library."""

    @property
    def watched(self) -> Set[str]:
        """Kinds of events."""


class OverLibrary:
    """Base of the areas over the library."""

    def __init__(self, session: LibrarySession) -> None:
        self._session = session
        self._library = session.library


class LibraryCalls:
    """One session's library, as its areas use it."""

    def __init__(self, calls: CallQueues, credentials: Credentials, code_page: str) -> None:
        self.calls = calls
        self.credentials = credentials
        self.marshal = Marshal(code_page)
        self.rights = blank(ConManager)
        self.held: dict[int, bytes] = {}
        """Requests that the dealer holds, natively."""
        self.shown: dict[str, None] = {}
        """Symbols that are shown; also after a loss."""

    def learn(self, rights: bytes, securities: bytes) -> None:
        """Takes in what the direct handle learned at login."""
        size = table().layouts["ConSymbolGroup"].size
        name = table().layouts["ConSymbolGroup"].members["name"].size
        names = [self.marshal.page.decode(securities[at : at + name]) for at in range(0, len(securities), size)]
        while names and not names[-1]:
            names.pop()
        self.marshal.securities = tuple(names)
        self.rights = self.marshal.codec(ConManager).decode(rights)

    def codec(self, kind: type[R]) -> Codec[R]:
        """The codec of a record kind."""
        return self.marshal.codec(kind)

    def security_names(self) -> list[str]:
        """The server's securities that have a name, in its order."""
        return [name for name in self.marshal.securities if name]

    @property
    def group_size(self) -> int:
        """Bytes of a native group."""
        return table().layouts["ConGroup"].size

    async def ask(self, key: str, *values: Value) -> Reply:
        """A call on the direct handle, whatever its code."""
        reply: Reply = await self.calls.call(Mode.DIRECT, "call", key, *values)
        return reply

    async def direct(self, key: str, *values: Value) -> Reply:
        """A call on the direct handle that must succeed."""
        reply = await self.ask(key, *values)
        check(reply.code)
        return reply

    async def server_time(self) -> int:
        """The server's clock: Unix seconds in its zone."""
        time = (await self.ask("ServerTime")).code
        if not time:  # the library knows the time only while pumping
            time = (await self.pumping("call", "ServerTime")).code
        return int(time)

    async def pumping(self, operation: str, *arguments: Any) -> Any:
        """An operation of the pumping handle, started when it is not."""
        await self.calls.call(Mode.PUMPING, "start", self.credentials)
        return await self.calls.call(Mode.PUMPING, operation, *arguments)

    async def rows(self, key: str, *values: Value) -> bytes:
        """The array that a request returns, as it is."""
        reply = await self.direct(key, *values)
        right = right_for(key)
        if not reply.rows and right:
            await self.need(right)
        return reply.rows

    async def learn_rights(self) -> ConManager:
        """The manager's own record as the server has it now; as it was last known where the library does not say."""
        reply = await self.ask("ManagerRights", b"")
        if not reply.code:
            self.rights = self.codec(ConManager).decode(bytes(reply.outs[0]))  # type: ignore[arg-type]
        return self.rights

    async def need(self, right: str) -> None:
        """Raises code 7 when the manager does not have ``right`` now."""
        await self.learn_rights()
        if not getattr(self.rights, right):
            raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, f"Not enough rights: the manager has no {right!r}")

    async def records(self, kind: type[R], key: str, *values: Value) -> list[R]:
        """The records that a request returns."""
        return await self.decoded(kind, await self.rows(key, *values))

    async def decoded(self, kind: type[R], rows: bytes) -> list[R]:
        """Records of an array; a long one is read on a thread, so that the loop goes on."""
        codec = self.codec(kind)
        if len(rows) // codec.size <= _ROWS_ON_THE_LOOP:
            return codec.decode_many(rows)
        return await to_thread.run_sync(codec.decode_many, rows)

    def split(self, kind: type[Record], rows: bytes) -> list[bytes]:
        """The structs of an array."""
        size = self.codec(kind).size
        return [rows[at : at + size] for at in range(0, len(rows), size)]

    async def trades(self, orders: Sequence[int]) -> list[TradeRecord]:
        """Records by ticket, open or closed; unknown ones are left out."""
        rows = await self.rows("TradeRecordsRequest", integers(orders), len(orders))
        return [record for record in self.codec(TradeRecord).decode_many(rows) if record.order]

    async def trade(self, order: int) -> TradeRecord:
        """One record. Raises :class:`~mt_remote.errors.NotFound`."""
        for record in await self.trades([order]):
            if record.order == order:
                return record
        raise NotFound(f"Cannot find order {order}")


def blank(kind: type[R], **fields: object) -> R:
    """A new record, its defaults changed where ``fields`` say so."""
    record = kind()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def check(code: int) -> None:
    """Raises the error of a code that is not success."""
    if code not in _SUCCESS:
        raise ServerError(code)


def integers(numbers: Sequence[int]) -> bytes:
    """An array of native ints."""
    return struct.pack(f"<{len(numbers)}i", *numbers)
