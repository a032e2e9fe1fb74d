# mypy: disable-error-code="empty-body"
"""The server's configuration (protocol, chapter 3, Configuration).

Every ``set`` changes only the fields that are present, inside nested maps too. What is regular is a table, a row each.
"""

from __future__ import annotations

from mt_remote.area import Area, Kind, call
from mt_remote.records import RIGHTS, ConCommon, ConGroup, ConHoliday, ConManager, ConSymbol, Patch
from mt_remote.table import KeyTable, PositionTable, Verb
from mt_remote.values import GroupName, Login, SymbolName


class Common(Area, namespace="config.common"):
    """The server's common configuration"""

    @call(rights=("admin",))
    async def get(self) -> ConCommon:
        """The server's common configuration."""

    @call(kind=Kind.CHANGE, rights=("admin",), example={"timeout": 180, "optimization_time_minutes": "23:0"})
    async def set(self, changes: Patch[ConCommon], /) -> None:
        """Changes the fields that are present."""


class Groups(
    KeyTable[ConGroup, GroupName],
    one="config.group",
    all="config.groups",
    native="Group",
    verbs=("add", "set", "get", "delete", "get_all"),
    filters=("group", "enable", "currency", "company"),
    say={
        "add": Verb(
            "Adds a group. A name that exists is an error; securities start with everything off.",
            {"group": "test", "enable": True, "currency": "EUR"},
        ),
        "set": Verb(
            "Changes the fields that are present; `symbols` entries that are null are removed.",
            {"group": "demoforex", "margin_call": 50},
        ),
        "get": Verb("One group.", {"group": "demoforex"}, rights=()),
        "delete": Verb("Deletes a group; refused while it has users.", {"group": "test"}),
        "get_all": Verb("All groups that this manager sees.", rights=()),
    },
):
    """Groups of accounts"""


class Managers(
    KeyTable[ConManager, Login],
    one="config.manager",
    all="config.managers",
    native="Manager",
    verbs=("set", "get", "delete", "get_all"),
    filters=("login", "name", *RIGHTS),
    say={
        "set": Verb(
            "Adds a manager, or changes the fields that are present.",
            {"login": 123, "name": "Manager1", "groups": ["mini*"]},
            errors=(),
        ),
        "get": Verb("One manager's rights, with every security of the server.", {"login": 1}),
        "delete": Verb("Deletes a manager.", {"login": 123}),
        "get_all": Verb("All managers and their rights."),
    },
):
    """Manager accounts and their rights"""


class Symbols(
    KeyTable[ConSymbol, SymbolName],
    one="config.symbol",
    all="config.symbols",
    native="Symbol",
    filters=("symbol", "security", "currency", "trade_mode"),
    say={
        "add": Verb(
            "Adds a symbol, at the end.",
            {"symbol": "EURNOK", "security": "Forex", "digits": 5, "contract_size": 100000.0},
        ),
        "set": Verb(example={"symbol": "EURUSD", "spread": 12}),
        "get": Verb("One symbol, as it is configured.", {"symbol": "EURUSD"}),
        "get_all": Verb("All symbols, as they are configured, in the server's order."),
        "delete": Verb("Deletes a symbol; refused while it has orders.", {"symbol": "EURNOK"}),
        "move": Verb(example={"symbol": "EURUSD", "to": 0}),
    },
):
    """Symbols: what is traded, and on which terms"""


class Holidays(
    PositionTable[ConHoliday],
    one="config.holiday",
    all="config.holidays",
    native="Holiday",
    filters=("year", "month", "day", "symbol", "enable"),
    say={
        "add": Verb(
            "Adds a holiday, at the end or at `position`.", {"month": 12, "day": 25, "description": "Christmas"}
        ),
        "set": Verb(example={"position": 0, "etag": "0123456789abcdef", "to": "12:0"}),
        "delete": Verb(example={"position": 0, "etag": "0123456789abcdef"}),
        "move": Verb(example={"position": 0, "etag": "0123456789abcdef", "to": 1}),
        "get_all": Verb("All holidays, in the server's order."),
    },
):
    """Days, or hours of them, without trading"""


TABLES = (Groups, Managers, Symbols, Holidays)
"""The configuration's tables."""
