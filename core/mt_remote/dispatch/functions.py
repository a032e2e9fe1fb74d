"""Functions: from a typed Python callable to validation, answers, JSON schema and help.

A function's signature is its contract (see :mod:`mt_remote.plugin`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Annotated, Any, Optional, Required, cast, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaSerializer

from mt_remote.area import Area, Declared, Kind
from mt_remote.backend import Connection
from mt_remote.dispatch.paging import Page, Paging
from mt_remote.errors import NotOffered, PluginError, ReturnCode, ServerError
from mt_remote.interfaces import Session
from mt_remote.records.accept import typed_dict
from mt_remote.records.declare import DIALECTS, building_for

_SLICE = 64 * 1024
"""Bytes of a long list that are encoded at once: less than 1 ms, some 3 where the elements have to be made first."""
_SLICES_AT_ONCE = 24
_MOST_AT_ONCE = 1000
_NAME_RULE = "lower-case words joined by dots, e.g. 'report.daily.get'"


class Function:
    """One callable of the protocol, ready to serve."""

    def __init__(self, declared: Declared, plugin: str, *, offered: bool = True) -> None:
        """``offered`` says whether the backend in use has it; one that is not answers ``not_offered``."""
        self.name = declared.name
        self.kind: Kind = declared.kind
        self.changes_state = declared.kind.changes_state
        self.changes_server = declared.kind in (Kind.CHANGE, Kind.TRADE)
        self.handler = declared.handler
        self.area = declared.area
        self._method = declared.method
        self.rights = declared.rights
        self.offered = offered
        self.plugin = plugin
        self.example = declared.example
        self.errors = declared.errors
        self.help = declared.help
        self._handler_is_async = inspect.iscoroutinefunction(declared.handler)
        self._parameters, self.result = _signature(declared, plugin)
        self._session = self._injected("Session")
        self._connection = self._injected("Connection")
        self._areas = {p.parameter.name: cast("type[Area]", p.hint) for p in self._parameters if p.role == "Area"}
        self._check_rights()
        self._needed = frozenset(declared.rights)
        self._check = declared.check
        self._is_open = offered and declared.check is None and not declared.rights
        data = [p for p in self._parameters if p.role == "data"]
        bodies = [p for p in data if p.is_positional]
        self.takes_body = bool(bodies)
        self._check_body(data, bodies)
        # By place: positional parameters beside the body of a plugin's function, the keys of a table's verb.
        self._places = [None if p.role == "data" else p.parameter.name for p in self._parameters if p.is_positional]
        if self._places and not bodies:
            raise self._wrong("only a parameter that takes the whole data may be positional-only")
        self._verb_of_table = [p.field for p in data] if declared.names and not bodies else None
        self.is_async = self._handler_is_async or declared.listing is not None
        self.paging = self._paging(declared)
        self.paged_by = frozenset(self.paging.fields if self.paging is not None else ())
        self.required = sum(not p.optional for p in data)
        self._input = self._input_hint(data)
        try:
            self.adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, self._input))
        except (PydanticUserError, TypeError, NameError) as error:
            raise self._wrong(f"parameters can't be validated: {error}") from error
        self._is_usual = self._handler_is_async and not bodies and self._session is None and self._takes_one_first()
        self.is_list = get_origin(self.result) is list
        self.at_once = _SLICE // 400
        self._serializers: dict[str, SchemaSerializer] = {}
        if self.result is not None:
            self._serializer(DIALECTS[-1])  # a result that can't be sent shows at the start; the rest waits for use

    @property
    def needs_connection(self) -> bool:
        """Works only after ``connect``."""
        return self._connection is not None or self.area is not None or bool(self._areas)

    def invoke(self, session: Session, arguments: dict[str, Any], body: object) -> Any:
        """Calls the handler with what it asks for. Raises what a session without a connection has to say, and what a
        manager without the right has to hear."""
        if self._is_open:
            return self._invoke(session, arguments, body)
        if not self.offered:
            raise NotOffered(self.name)
        if self._check is not None:
            self._check(**arguments)
        if self._needed:
            connection = session.connection or session.require_connection()
            held = connection.rights
            if held is not None and self._needed.isdisjoint(held):
                return self._invoke_once_sure(connection, session, arguments, body)
        return self._invoke(session, arguments, body)

    async def _invoke_once_sure(
        self, connection: Connection, session: Session, arguments: dict[str, Any], body: object
    ) -> Any:
        """The right was missing when it was last looked at: it may have been given since."""
        held = await connection.learn_rights()
        if held is not None and self._needed.isdisjoint(held):
            missing = " or ".join(repr(right) for right in self.rights)
            raise ServerError(
                ReturnCode.NOT_ENOUGH_RIGHTS, f"Not enough rights: manager {connection.login} has no {missing}"
            )
        return await self._invoke(session, arguments, body)

    def _invoke(self, session: Session, arguments: dict[str, Any], body: object) -> Any:
        # In all ways the call's own arguments stay what the client sent: plugins look at them afterwards.
        if self._is_usual and (len(arguments) == self.required or self.paged_by.isdisjoint(arguments)):
            connection = session.connection or session.require_connection()
            if self.area is None:
                return self.handler(connection, **arguments)
            return getattr(connection[self.area], self._method)(**arguments)
        given = dict(arguments)
        if self.paging is None:
            return self._call(session, given, body)
        asked = self.paging.take(given)
        answer = partial(self._answer, partial(self._call, session, given, body))
        return answer() if asked is None else self.paging.page(session, asked, arguments, answer)

    def _call(self, session: Session, given: dict[str, Any], body: object) -> Any:
        """Calls the handler, which may be the area's method on the session's connection."""
        handler = self.handler
        if self.area is not None:
            handler = getattr(session.require_connection()[self.area], self._method)
        if self._areas:
            connection = session.require_connection()
            given.update((name, connection[area]) for name, area in self._areas.items())
        if self._connection is not None:
            given[self._connection] = session.require_connection()
        if self._session is not None:
            given[self._session] = session
        if self._verb_of_table is not None:
            return handler(*[given[name] for name in self._verb_of_table])
        if not self._places:
            return handler(**given)
        return handler(*[body if name is None else given.pop(name) for name in self._places], **given)

    async def _answer(self, call: Callable[[], Any]) -> Any:
        """What the handler of a list answers, ``async`` or not."""
        result = call()
        return await result if self._handler_is_async else result

    def _check_rights(self) -> None:
        if self.rights and not (self._handler_is_async and self.needs_connection):
            raise self._wrong("a function that needs rights must be 'async' and work on a connection")

    def _paging(self, declared: Declared) -> Paging | None:
        if declared.listing is None:
            return None
        if self.takes_body:
            raise self._wrong("a function that takes the whole data can't have a listing: its fields have no place")
        try:
            paging = Paging(declared.listing, self.result)
        except TypeError as error:
            raise self._wrong(f"listing: {error}") from error
        names = {p.wire_name for p in self._parameters if p.role == "data"}
        if taken := names & set(paging.fields):
            raise self._wrong(f"listing: {sorted(taken)[0]!r} is a parameter already")
        if declared.listing.along and declared.listing.along not in [p.parameter.name for p in self._parameters]:
            raise self._wrong(f"listing: there is no parameter {declared.listing.along!r}")
        return paging

    def _takes_one_first(self) -> bool:
        """Whether the method is an area's and takes all by name, or the connection can be given by place and the rest
        by name: the usual signatures."""
        if self._areas or self._verb_of_table is not None:
            return False
        if self.area is not None:
            return True
        first = self._parameters[0] if self._parameters else None
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return first is not None and first.role == "Connection" and first.parameter.kind is kind

    def _wrong(self, problem: str) -> PluginError:
        return PluginError(f"plugin {self.plugin!r}, function {self.name!r}: {problem}")

    def _injected(self, role: str) -> str | None:
        found = [p.parameter.name for p in self._parameters if p.role == role]
        if len(found) > 1:
            raise self._wrong(f"one parameter of type {role} is enough, got {', '.join(found)}")
        return found[0] if found else None

    def _check_body(self, data: list[_Parameter], bodies: list[_Parameter]) -> None:
        if bodies and len(data) > 1:
            raise self._wrong("a positional-only parameter takes the whole data, so it must be the only one")

    def _check_fields(self, data: list[_Parameter]) -> None:
        names: dict[str, str] = {}
        for parameter in data:
            name, field = parameter.parameter.name, parameter.wire_name
            if not field:
                raise self._wrong(f"parameter {name!r} leaves no name for a field")
            if names.setdefault(field, name) != name:
                raise self._wrong(f"parameters {names[field]!r} and {name!r} are one field, {field!r}")

    def _input_hint(self, data: list[_Parameter]) -> object:
        if self.takes_body:
            return data[0].hint
        self._check_fields(data)
        fields: dict[str, Any] = {
            p.field: Annotated[Optional[p.hint], Field(alias=p.wire_name)]  # noqa: UP045
            if p.optional
            else Required[Annotated[p.hint, Field(alias=p.wire_name)]]
            for p in data
        }
        if self.paging is not None:
            fields |= self.paging.fields
        return typed_dict("Data", fields, f"data of {self.name}")

    def _serializer(self, dialect: str) -> SchemaSerializer:
        with building_for(dialect):
            try:
                adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, self.result))
            except (PydanticUserError, TypeError, NameError) as error:
                raise self._wrong(f"the result can't be sent: {error}") from error
        self._serializers[dialect] = adapter.serializer
        return adapter.serializer

    def encode(self, result: object, dialect: str) -> bytes:
        """A result as JSON, in a dialect's shape; behind that of a page what stands beside it in the answer."""
        serializer = self._serializers.get(dialect) or self._serializer(dialect)
        if self.is_list and type(result) is not list:
            if not isinstance(result, Page):
                return serializer.to_json(list(cast("Iterable[Any]", result)))
            elements = [element for part in result.slices(result.__len__) for element in part]
            return serializer.to_json(elements) + result.beside
        return serializer.to_json(result)

    def is_long(self, result: object) -> bool:
        """Whether a list, the result of a function that answers one, is too long to be encoded at once: 1.5 MiB or so.
        Of what is no plain list, every element may still have to be made, which takes longer than encoding it."""
        if type(result) is list:
            return len(result) > self.at_once * _SLICES_AT_ONCE
        return isinstance(result, Page | Sequence) and len(result) > self.at_once

    def learn(self, elements: int, size: int) -> None:
        """So many elements made so many bytes: the next slice is as long as experience says."""
        self.at_once = max(1, min(_MOST_AT_ONCE, _SLICE * elements // size))

    @cached_property
    def parameters_schema(self) -> Mapping[str, object]:
        """JSON schema of ``data``."""
        return self.adapter.json_schema()

    @cached_property
    def result_schema(self) -> Mapping[str, object] | None:
        """JSON schema of ``result`` in dialect 2, ``None`` where a function returns nothing."""
        if self.result is None:
            return None
        with building_for("2"):
            return TypeAdapter(cast(Any, self.result)).json_schema(mode="serialization")


class _Parameter:
    """One parameter of a handler: its role and, for data, its hint and its names on the wire and in
    :attr:`Call.arguments`."""

    def __init__(self, parameter: inspect.Parameter, hint: object, wire_name: str = "") -> None:
        self.parameter = parameter
        self.hint = hint
        self.role = _role(hint)
        self.field = wire_name or parameter.name
        self.wire_name = wire_name or parameter.name.rstrip("_")
        self.optional = parameter.default is not inspect.Parameter.empty
        self.is_positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY


def _role(hint: object) -> str:
    if hint is Connection:
        return "Connection"
    if isinstance(hint, type) and issubclass(hint, Area):
        return "Area"
    return "Session" if hint is Session else "data"


def _signature(declared: Declared, plugin: str) -> tuple[list[_Parameter], object]:
    where = f"plugin {plugin!r}, function {declared.name!r}"
    if not all(part.isidentifier() and part == part.lower() for part in declared.name.split(".")):
        raise PluginError(f"{where}: the name must be {_NAME_RULE}")
    signature = inspect.signature(declared.handler)
    hints = dict(declared.hints)
    try:
        hints = hints or get_type_hints(declared.handler, localns=_ANNOTATION_NAMES, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise PluginError(f"{where}: an annotation can't be resolved: {error}") from error
    if "return" not in hints:
        raise PluginError(f"{where}: the result needs an annotation ('-> None' where there is none)")
    parameters = []
    own = list(signature.parameters.values())
    for parameter in own[1:] if declared.area is not None else own:  # a method's first is the area itself
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise PluginError(f"{where}: *{parameter.name} has no type; expected named parameters")
        if parameter.name not in hints:
            raise PluginError(
                f"{where}: parameter {parameter.name!r} needs an annotation, e.g. '{parameter.name}: int'"
            )
        parameters.append(_Parameter(parameter, hints[parameter.name], declared.names.get(parameter.name, "")))
    result = hints["return"]
    if get_origin(result) is Sequence:  # what the handler gives; what is sent is a list
        result = list.__class_getitem__(get_args(result))
    return parameters, None if result is type(None) else result


_ANNOTATION_NAMES: dict[str, object] = {"Session": Session, "Connection": Connection}
"""Names that plugins may import for type checkers only."""
