"""Worlds: a whole server as it starts, from one readable TOML file.

    world = World.load("my-broker.toml")     # or World.demo(), World.from_toml(text)
    server = Server(world, seed=7)

A world says who the broker is, what is traded, in which groups, by whom, and where prices start; it holds no state. A
mistake raises :class:`WorldError` with one line for each field, named by its path in the file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, ValidationError

from mt4sim.market.feeds.specs import FeedSpec, FeedTerms, Spec
from mt4sim.market.quotes import Quotes
from mt4sim.market.sessions import Calendar
from mt4sim.market.symbols import WEEK_DAYS, Symbol
from mt4sim.world.specs import (
    MOST_SECURITIES,
    GroupSpec,
    HistorySpec,
    HolidaySpec,
    ManagerSpec,
    SecurityName,
    SecuritySpec,
    ServerSpec,
    SessionSpec,
    Start,
    SymbolName,
    SymbolSpec,
    UserSpec,
    Windows,
)
from mt4sim.world.toml_text import write_toml
from mt_remote.errors import ConfigurationError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupSecurity,
    ConManager,
    ConManagerSecurity,
    Draft,
    Patch,
    UserRecord,
)
from mt_remote.records.declare import Unit

VERSION = 1
DEFAULT_START = 1589457600
"""2020-05-14 12:00:00, a Thursday."""
ALL = "*"
_WITH_RECORD: dict[str, type[Spec]] = {"groups": GroupSpec, "managers": ManagerSpec, "users": UserSpec}
_KEYS = {"groups": "group", "managers": "login", "users": "login"}


class WorldError(ConfigurationError):
    """A world file is wrong. ``problems`` has a line for each field, with its path in the file."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ManagerSeed:
    """A manager account to begin with."""

    record: ConManager
    password: str


@dataclass(frozen=True, slots=True)
class UserSeed:
    """An account to begin with: its record (passwords inside) and what is booked on it at the start."""

    draft: Draft[UserRecord]
    deposit: float
    credit: float
    credit_expiration: int


@dataclass(frozen=True, slots=True)
class StartingPrice:
    """A symbol's first quote, in points."""

    symbol: str
    bid: int
    ask: int


class World(Spec):
    """A server as it starts."""

    version: Literal[1]
    start: Start = DEFAULT_START  # Unix seconds in the server's zone
    starting_prices_are_ticks: bool = True
    server: ServerSpec = ServerSpec()
    history: HistorySpec = HistorySpec()
    sessions: dict[str, SessionSpec] = Field(default_factory=dict)
    securities: Annotated[dict[SecurityName, SecuritySpec], Field(max_length=MOST_SECURITIES)] = Field(
        default_factory=dict
    )
    symbols: dict[SymbolName, SymbolSpec] = Field(default_factory=dict)
    groups: dict[str, GroupSpec] = Field(default_factory=dict)
    managers: dict[int, ManagerSpec] = Field(default_factory=dict)
    users: dict[int, UserSpec] = Field(default_factory=dict)
    holidays: list[HolidaySpec] = Field(default_factory=list)
    no_clients: dict[Literal[WEEK_DAYS], Windows] = Field(default_factory=dict)  # type: ignore[valid-type]
    feed: FeedSpec = FeedSpec()

    @classmethod
    def demo(cls) -> Self:
        """The packaged demo broker."""
        return cls.from_toml(demo_toml(), source="demo.toml")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a world file. Raises :class:`WorldError`."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise WorldError(str(path), [error.strerror or type(error).__name__]) from error
        except UnicodeDecodeError as error:
            raise WorldError(str(path), [f"not UTF-8 text: {error.reason} at byte {error.start}"]) from error
        return cls.from_toml(text, source=str(path))

    @classmethod
    def from_toml(cls, text: str, *, source: str = "world") -> Self:
        """Reads a world from text. ``source`` is named in errors."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise WorldError(source, [str(error)]) from error
        return cls.from_document(document, source=source)

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, source: str = "world") -> Self:
        """Reads a world from what a TOML parser gave."""
        # By way of JSON: there, as in TOML, an enum is its number and an array stands for a tuple.
        text = json.dumps(_nested(document), default=_plain)
        try:
            world = cls.model_validate_json(text)
        except ValidationError as error:
            raise WorldError(source, [_problem(one["loc"], one["msg"]) for one in error.errors()]) from error
        problems = list(_inconsistencies(world))
        if problems:
            raise WorldError(source, problems)
        return world

    def to_document(self) -> dict[str, object]:
        """The world in the layout of a file: what it states, nothing else."""
        stated = self.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        return _flat({"version": VERSION, **stated})

    def to_toml(self) -> str:
        """The world as a file's text; :meth:`from_toml` makes an equal world of it."""
        return write_toml(self.to_document())

    # What a server is made of.

    def make_common(self) -> ConCommon:
        """The server's common configuration."""
        return self.server.build()

    @property
    def security_names(self) -> list[str]:
        """The securities, in the file's order."""
        return list(self.securities)

    def make_symbols(self) -> dict[str, Symbol]:
        """The symbols by name, in the file's order."""
        return {
            name: spec.build(name, self.securities[spec.security], self.sessions) for name, spec in self.symbols.items()
        }

    def make_groups(self) -> dict[str, ConGroup]:
        """The groups by name, in the file's order, each with every security of the server."""
        return {name: self._group(name) for name in self.groups}

    def make_managers(self) -> dict[int, ManagerSeed]:
        """The manager accounts by login."""
        return {login: self._manager(login) for login in self.managers}

    def make_users(self) -> dict[int, UserSeed]:
        """The accounts by login."""
        return {
            login: UserSeed(Draft(UserRecord, spec.record), spec.deposit, spec.credit, spec.credit_expiration)
            for login, spec in self.users.items()
        }

    def make_calendar(self) -> Calendar:
        """Holidays, and the hours at which clients may connect."""
        hours = [
            [
                not any(
                    opens < 60 * (hour + 1) and closes > 60 * hour for opens, closes in self.no_clients.get(day, ())
                )
                for hour in range(24)
            ]
            for day in WEEK_DAYS
        ]
        return Calendar((spec.build() for spec in self.holidays), hours)

    def starting_prices(self) -> list[StartingPrice]:
        """The first quotes of the symbols that have one, in the file's order."""
        symbols = self.make_symbols()
        return [
            StartingPrice(name, symbols[name].to_points(spec.bid), symbols[name].to_points(spec.ask))
            for name, spec in self.symbols.items()
            if spec.bid is not None and spec.ask is not None
        ]

    def open_market(self, quotes: Quotes) -> None:
        """Gives every symbol its starting price, at the quotes' present time."""
        for price in self.starting_prices():
            quotes.open_with(price.symbol, price.bid, price.ask, as_tick=self.starting_prices_are_ticks)

    def feed_terms(self) -> dict[str, FeedTerms]:
        """How the random feed moves each symbol."""
        return {name: spec.terms(self.securities[spec.security]) for name, spec in self.symbols.items()}

    def _lineage(self, name: str) -> list[str]:
        """The group and those it is like, itself last. Empty when they are like each other in a circle."""
        names = [name]
        while (parent := self.groups[names[0]].like) is not None:
            if parent in names or parent not in self.groups:
                return []
            names.insert(0, parent)
        return names

    def _group(self, name: str) -> ConGroup:
        group = ConGroup(group=name, securities={security: ConGroupSecurity() for security in self.securities})
        for ancestor in self._lineage(name):
            fields = {**self.groups[ancestor].record, "group": name}
            group = Patch(ConGroup, self._for_all(fields)).applied_to(group)
        return group

    def _manager(self, login: int) -> ManagerSeed:
        spec = self.managers[login]
        record = ConManager(login=login, securities={name: ConManagerSecurity() for name in self.securities})
        if spec.all_rights:
            for right in _rights():
                setattr(record, right, True)
        password = spec.password
        if not password and login in self.users:
            password = cast(str, self.users[login].record["password"])
        return ManagerSeed(Patch(ConManager, self._for_all(spec.record)).applied_to(record), password)

    def _for_all(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields with the security ``*`` spelled out."""
        table = fields.get("securities", {})
        if ALL not in table:
            return dict(fields)
        spelled = {name: {**table[ALL], **table.get(name, {})} for name in self.securities}
        own = {name: table[name] for name in table if name not in (ALL, *spelled)}
        return {**fields, "securities": {**spelled, **own}}


def demo_toml() -> str:
    """The text of the packaged demo world: a start for one's own."""
    return resources.files("mt4sim.world").joinpath("demo.toml").read_text(encoding="utf-8")


def _rights() -> list[str]:
    """The manager record's flags but the one that is no right."""
    return [name for name, wire in ConManager.wires.items() if wire.unit is Unit.FLAG and name != "ip_filter"]


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a world")


def _own_fields(kind: type[Spec]) -> set[str]:
    return set(kind.model_fields) - {"record"}


def _nested(document: Mapping[str, object]) -> dict[str, object]:
    """The file's layout with the records' fields put into ``record``, and each record's key into it."""
    made = dict(document)
    server = made.get("server")
    if isinstance(server, dict):
        made["server"] = _split(server, ServerSpec, {})
    for name, kind in _WITH_RECORD.items():
        table = made.get(name)
        if isinstance(table, dict):
            made[name] = {
                key: _split(row, kind, {_KEYS[name]: key if name == "groups" else _login(key)})
                if isinstance(row, dict)
                else row
                for key, row in table.items()
            }
    return made


def _split(row: Mapping[str, object], kind: type[Spec], key: Mapping[str, object]) -> dict[str, object]:
    own = _own_fields(kind)
    return {
        **{name: value for name, value in row.items() if name in own},
        "record": {**{name: value for name, value in row.items() if name not in own}, **key},
    }


def _login(text: str) -> object:
    return int(text) if text.isdecimal() else text


def _flat(document: dict[str, Any]) -> dict[str, object]:
    """The inverse of :func:`_nested`."""
    made = dict(document)
    if "server" in made:
        made["server"] = {**made["server"], **made["server"].get("record", {})}
        made["server"].pop("record", None)
    for name, key in _KEYS.items():
        for row_key, row in made.get(name, {}).items():
            flat = {**row, **row["record"]}
            del flat["record"], flat[key]
            made[name] = {**made[name], row_key: flat}
    return made


def _problem(path: tuple[int | str, ...], message: str) -> str:
    shown = ".".join(str(part) for part in path if part not in ("record", "[key]"))
    return f"{shown}: {message[:1].lower()}{message[1:]}"


def _inconsistencies(world: World) -> Iterator[str]:
    """What no single field shows to be wrong."""
    for name, spec in world.symbols.items():
        yield from _symbol_problems(world, name, spec)
    for group, group_spec in world.groups.items():
        yield from _group_problems(world, group, group_spec)
    for login, manager in world.managers.items():
        if not 0 < login < 2**31:
            yield f"managers.{login}: a login is from 1 to {2**31 - 1}"
        yield from _unknown_securities(world, f"managers.{login}", manager.record)
        if not manager.password and login not in world.users:
            yield f"managers.{login}.password: needed, as there is no user {login} whose password would count"
    for login, user in world.users.items():
        if not 0 < login < 2**31:
            yield f"users.{login}: a login is from 1 to {2**31 - 1}"
        if user.record["group"] not in world.groups:
            yield f"users.{login}.group: there is no group '{user.record['group']}'"
        if user.credit and user.credit_expiration <= world.start:
            yield f"users.{login}.credit_expiration: must lie after the world's start"
    known = {"All", *world.symbols, *world.securities}
    for place, holiday in enumerate(world.holidays):
        if holiday.symbol not in known:
            yield f"holidays.{place}.symbol: '{holiday.symbol}' is neither All nor a symbol nor a security"


def _symbol_problems(world: World, name: str, spec: SymbolSpec) -> Iterator[str]:
    where = f"symbols.{name}"
    security = world.securities.get(spec.security)
    if security is None:
        yield f"{where}.security: there is no security '{spec.security}'"
        return
    sessions = spec.combined(security).get("sessions")
    if sessions is not None and sessions not in world.sessions:
        yield f"{where}.sessions: there are no sessions '{sessions}'"
        return
    symbol = spec.build(name, security, world.sessions)
    if not symbol.currency:
        yield f"{where}.currency: needed"
    if symbol.expiration and symbol.expiration <= symbol.starting:
        yield f"{where}.expiration: must lie after starting"
    if (spec.bid is None) != (spec.ask is None):
        yield f"{where}: a starting price needs bid and ask, or none of them"
    for field, price in (("bid", spec.bid), ("ask", spec.ask)):
        if price is not None and not symbol.on_grid(price):
            yield f"{where}.{field}: {price} is not a price of {symbol.digits} digits and tick size {symbol.tick_size}"
    if spec.bid is not None and spec.ask is not None and spec.ask < spec.bid:
        yield f"{where}.ask: below the bid"


def _group_problems(world: World, name: str, spec: GroupSpec) -> Iterator[str]:
    where = f"groups.{name}"
    if spec.like is not None and spec.like not in world.groups:
        yield f"{where}.like: there is no group '{spec.like}'"
    elif not world._lineage(name):
        yield f"{where}.like: groups may not be like each other in a circle"
    yield from _unknown_securities(world, where, spec.record)
    for symbol in spec.record.get("symbols", {}):
        if symbol not in world.symbols:
            yield f"{where}.symbols.{symbol}: there is no symbol of that name"


def _unknown_securities(world: World, where: str, fields: Mapping[str, Any]) -> Iterator[str]:
    for security in fields.get("securities", {}):
        if security != ALL and security not in world.securities:
            known = ", ".join(world.securities) or "none"
            yield f"{where}.securities.{security}: there is no security of that name (there are {known})"
