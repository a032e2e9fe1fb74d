"""From a signature to validation, help and errors; and every wrong signature refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, cast

import pytest
from pydantic import AfterValidator, Field

from mt_remote.backend import Connection
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.registry import Registry, RequestFailed
from mt_remote.errors import InvalidData, PluginError, Problem, Refused, RequestError
from mt_remote.plugin import Declared, Kind, Namespace, Session
from mt_remote.records import ConGroup, Draft, Patch, Tick

# Signatures that are refused


def no_annotation(a: int, b) -> None: ...  # type: ignore[no-untyped-def]
def no_result(a: int): ...  # type: ignore[no-untyped-def]
def star(*numbers: int) -> None: ...
def double_star(**numbers: int) -> None: ...
def unknown_name(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def unknown_result() -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821
def not_data(a: object_of_mine) -> None: ...
def not_sent() -> object_of_mine: ...  # type: ignore[empty-body]
def two_sessions(one: Session, two: Session) -> None: ...
def two_connections(one: Connection, two: Connection) -> None: ...
def body_and_field(body: Patch[ConGroup], /, other: int) -> None: ...
def only_connection(mt: Connection, /) -> None: ...
def same_field(from_: int, from__: int) -> None: ...
def no_name(_: int) -> None: ...


class object_of_mine: ...  # noqa: N801


def declared(handler: Callable[..., Any], name: str = "own.function") -> Declared:
    return Declared(name, handler, Kind.READ)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (no_annotation, "parameter 'b' needs an annotation, e.g. 'b: int'"),
        (no_result, "the result needs an annotation ('-> None' where there is none)"),
        (star, "*numbers has no type; expected named parameters"),
        (double_star, "*numbers has no type; expected named parameters"),
        (unknown_name, "an annotation can't be resolved: name 'Nowhere' is not defined"),
        (unknown_result, "an annotation can't be resolved: name 'Nowhere' is not defined"),
        (not_data, "parameters can't be validated"),
        (not_sent, "the result can't be sent"),
        (two_sessions, "one parameter of type Session is enough, got one, two"),
        (two_connections, "one parameter of type Connection is enough, got one, two"),
        (body_and_field, "a positional-only parameter takes the whole data, so it must be the only one"),
        (only_connection, "only a parameter that takes the whole data may be positional-only"),
        (same_field, "parameters 'from_' and 'from__' are one field, 'from'"),
        (no_name, "parameter '_' leaves no name for a field"),
    ],
)
def test_a_wrong_signature_is_refused_by_name(handler: Callable[..., Any], words: str) -> None:
    with pytest.raises(PluginError) as caught:
        Function(declared(handler), "strange")
    message = str(caught.value)
    assert message.startswith("plugin 'strange', function 'own.function': ")
    assert words in message


@pytest.mark.parametrize("name", ["", "a..b", "Upper.case", "with space", "1st", "a-b", ".a", 'quo"te'])
def test_a_wrong_name_is_refused(name: str) -> None:
    def fine() -> None: ...

    with pytest.raises(PluginError, match="the name must be lower-case words joined by dots"):
        Function(declared(fine, name), "strange")


def test_names_nest_and_come_from_the_callable() -> None:
    own = Namespace("own.deep")

    @own.function()
    def from_() -> None: ...

    @own.function("get.all")
    def other() -> None: ...

    @Namespace("").function()
    def bare() -> None: ...

    assert [each.name for each in own.functions] == ["own.deep.from", "own.deep.get.all"]
    assert [Function(each, "p").name for each in own.functions] == ["own.deep.from", "own.deep.get.all"]


# Calling


class Linked:
    """A session as handlers see it, with a connection."""

    def __init__(self) -> None:
        self.mt = cast(Connection, object())
        self.connection = None

    def require_connection(self) -> Connection:
        return self.mt


calls: list[tuple[object, ...]] = []
own = Namespace("own")


@own.function()
def plain(number: int, from_: int = 7, note: Annotated[str, Field(max_length=3)] | None = None) -> int:
    """Says what it got.

    In two paragraphs.
    """
    calls.append((number, from_, note))
    return number


@own.function()
async def injected(session: Session, mt: Connection, name: str = "x") -> None:
    calls.append((session, mt, name))


@own.function(kind=Kind.CHANGE)
async def body(mt: Connection, changes: Patch[ConGroup], /) -> None:
    calls.append((mt, changes))


@own.function(kind=Kind.CHANGE)
async def body_first(new: Draft[ConGroup], /, session: Session, mt: Connection) -> None:
    calls.append((new, session, mt))


@own.function()
def listed(numbers: list[int], /) -> list[Tick]:
    return [Tick(symbol=str(number)) for number in numbers]


REGISTRY = Registry([Function(each, "tests") for each in own.functions], "cp1252")


def parse(name: str, **request: Any) -> ParsedCall:
    return REGISTRY.parse(json.dumps({"id": 1, "name": name, **request}).encode())


async def invoke(call: ParsedCall) -> tuple[object, Linked]:
    session = Linked()
    calls.clear()
    result = call.function.invoke(cast("Session", session), call.arguments, call.body)
    return (await result if call.function.is_async else result), session


@pytest.mark.anyio
async def test_fields_become_arguments_and_absent_ones_defaults() -> None:
    assert (await invoke(parse("own.plain", data={"number": 3, "from": 4, "note": "abc"})))[0] == 3
    assert calls == [(3, 4, "abc")]
    await invoke(parse("own.plain", data={"note": None, "from": None, "number": 3}))
    assert calls == [(3, 7, None)], "null is absence where there is a default"


@pytest.mark.anyio
async def test_connection_and_session_are_filled_in_wherever_they_stand() -> None:
    requests: list[dict[str, Any]] = [{}, {"data": None}, {"data": {}}]
    for data in requests:
        _, session = await invoke(parse("own.injected", **data))
        assert calls == [(session, session.mt, "x")]
    _, session = await invoke(parse("own.body", data={"group": "g", "copies": 1}))
    assert calls[0][0] is session.mt
    assert cast("Patch[ConGroup]", calls[0][1]).changes == {"group": "g", "copies": 1}
    _, session = await invoke(parse("own.body_first", data={"group": "g"}))
    assert isinstance(calls[0][0], Draft)
    assert calls[0][1:] == (session, session.mt)


@pytest.mark.anyio
async def test_a_body_may_be_any_json() -> None:
    call = parse("own.listed", data=[1, 2])
    result, _ = await invoke(call)
    assert json.loads(call.function.encode(result, "0"))[1]["symbol"] == "2"


def failed(message: bytes) -> tuple[bytes, RequestError]:
    with pytest.raises(RequestFailed) as caught:
        REGISTRY.parse(message)
    return caught.value.id, caught.value.error


@pytest.mark.parametrize(
    ("message", "id_", "code", "words"),
    [
        (b"", b"null", "invalid_request", "not JSON"),
        (b"{", b"null", "invalid_request", "not JSON"),
        (b"\xff", b"null", "invalid_request", "not JSON"),
        (b"[1]", b"null", "invalid_request", "a JSON object with id, name and data"),
        (b'"own.plain"', b"null", "invalid_request", "a JSON object with id, name and data"),
        (b"{}", b"null", "invalid_request", "needs an id"),
        (b'{"id":true,"name":"own.plain"}', b"null", "invalid_request", "needs an id"),
        (b'{"id":1.0,"name":"own.plain"}', b"null", "invalid_request", "needs an id"),
        (b'{"id":"' + b"i" * 257 + b'","name":"own.plain"}', b"null", "invalid_request", "at most 256 characters"),
        (b'{"id":7}', b"7", "invalid_request", "needs a name"),
        (b'{"id":"\\n","name":null}', b'"\\n"', "invalid_request", "needs a name"),
        (b'{"id":7,"name":"own.plane"}', b"7", "unknown_function", "did you mean 'own.plain'"),
        (b'{"id":7,"name":"zzz"}', b"7", "unknown_function", "Unknown function 'zzz'"),
        (b'{"id":7,"name":"own.plain"}', b"7", "invalid_data", "number: is required"),
        (b'{"id":7,"name":"own.plain","data":null}', b"7", "invalid_data", "number: is required"),
        (b'{"id":7,"name":"own.plain","data":[]}', b"7", "invalid_data", "data: must be an object"),
        (b'{"id":7,"name":"own.plain","data":{"number":1,"from_":2}}', b"7", "invalid_data", "from_: is not a field"),
        (b'{"id":7,"name":"own.plain","data":{"number":null}}', b"7", "invalid_data", "number: must be an integer"),
        (b'{"id":7,"name":"own.plain","data":{"number":1},"more":1}', b"7", "invalid_data", "more: is not a field"),
        (b'{"id":7,"name":"own.plain","data":{"number":1},"key":""}', b"7", "invalid_data", "key: must not be empty"),
        (b'{"id":7,"name":"own.listed","data":[1,"2",3.5]}', b"7", "invalid_data", "1: must be an integer; 2: must"),
        (b'{"id":7,"name":"own.listed"}', b"7", "invalid_data", "must be a list"),
        (b'{"id":7,"name":"own.body","data":{}}', b"7", "invalid_data", "group: is required"),
    ],
)
def test_what_is_wrong_with_a_request(message: bytes, id_: bytes, code: str, words: str) -> None:
    answered, error = failed(message)
    assert answered == id_
    assert error.wire_code == code
    assert words in error.message
    if code == "invalid_data":
        assert error.details


@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ("g" * 15, None),
        ("g" * 16, "at most 15 bytes in the server's code page"),
        ("é" * 15, None),
        ("é" * 16, "at most 15 bytes in the server's code page"),
        ("日", "character 1 does not exist in the server's code page cp1252"),
        ("a\0b", "must not contain a zero character"),
        ("a\\\\u0000", None),
    ],
)
@pytest.mark.parametrize("escaped", [False, True], ids=["in UTF-8", "with escapes"])
def test_text_obeys_one_rule_however_it_was_written(group: str, problem: str | None, *, escaped: bool) -> None:
    request = {"id": 7, "name": "own.body", "data": {"group": group}}
    message = json.dumps(request, ensure_ascii=escaped).encode()
    if problem is None:
        assert cast("Patch[ConGroup]", REGISTRY.parse(message).body).key == group
    else:
        assert failed(message)[1].details == (Problem("group", problem),)


def test_long_names_are_neither_compared_nor_repeated_whole() -> None:
    _, error = failed(b'{"id":7,"name":"' + b"own.plain" * 400_000 + b'"}')
    assert len(error.message) < 200


def test_all_that_is_wrong_is_said_at_once() -> None:
    _, error = failed(b'{"id":7,"name":"own.plain","data":{"number":"x","note":"long","other":1}}')
    assert [detail.path for detail in error.details] == ["number", "note", "other"]
    _, error = failed(json.dumps({"id": 1, "name": "own.listed", "data": ["x"] * 50}).encode())
    assert len(error.details) == 50
    assert len(error.message) < 1000


def test_help_and_schemas() -> None:
    function = REGISTRY["own.plain"]
    assert function.help == "Says what it got.\n\nIn two paragraphs."
    schema = cast("dict[str, Any]", function.parameters_schema)
    assert set(schema["properties"]) == {"number", "from", "note"}
    assert schema["required"] == ["number"]
    assert function.result_schema == {"type": "integer"}
    assert REGISTRY["own.body"].result_schema is None
    assert REGISTRY["own.injected"].needs_connection
    assert not function.needs_connection
    assert set(cast("dict[str, Any]", REGISTRY["own.injected"].parameters_schema)["properties"]) == {"name"}


def test_a_call_shows_no_arguments() -> None:
    assert repr(parse("own.plain", data={"number": 12345})) == "Call(own.plain, id=1)"


def test_what_utf8_cannot_carry_is_replaced_in_errors() -> None:
    """Names of files may have lone surrogates; an error that can't be sent would leave a call without an answer."""
    error = InvalidData.of("file", "can't read 'b\udce9'")
    assert error.message == "file: can't read 'b?'"
    assert error.details[0].problem == "can't read 'b?'"
    assert Refused("\ud800").message == "?"


# Validators of a plugin that break


def _inverse(value: int) -> int:
    if value == 7:
        raise Refused("no sevens")
    return 10 // value


def inverse(value: Annotated[int, AfterValidator(_inverse)] = 1) -> int:
    """One of them."""
    return value


@pytest.mark.parametrize(
    ("value", "code", "id_"), [(0, "internal_error", "4"), (7, "refused", '"x"'), (7, "refused", "true")]
)
def test_a_validator_that_breaks_answers_that_call(value: int, code: str, id_: str) -> None:
    registry = Registry([Function(declared(inverse, "own.inverse"), "own")], "cp1252")
    with pytest.raises(RequestFailed) as caught:
        registry.parse(b'{"id": %b, "name": "own.inverse", "data": {"value": %d}}' % (id_.encode(), value))
    expected = "null" if id_ == "true" else id_
    assert (caught.value.error.wire_code, caught.value.id.decode()) == (code, expected)
    if code == "internal_error":
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert "division" not in str(caught.value.error)
    assert registry.parse(b'{"id": 1, "name": "own.inverse", "data": {"value": 5}}').arguments == {"value": 2}
