"""All functions together: one validator reads a request's JSON in a single pass and picks the function by name.

What is no valid request is explained in words (:class:`RequestFailed`), which takes another pass: nobody waits for it
but who sent it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from pydantic_core import SchemaValidator, core_schema, from_json, to_json
from pydantic_core import ValidationError as CoreValidationError

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.json_bounds import BIG, keys_given, repeated_keys, too_much
from mt_remote.dispatch.problems import MOST_PROBLEMS, few_of, problems_of
from mt_remote.errors import (
    InternalError,
    InvalidData,
    InvalidRequest,
    MtRemoteError,
    RequestError,
    UnknownFunction,
)  # fmt: skip
from mt_remote.logs import Log
from mt_remote.records.accept import without_text_checks
from mt_remote.records.declare import DIALECTS

log = Log()

_LONGEST_ID = 256
"""Characters of an id that is a text."""
_BACKSLASH = ord("\\")
_COLON = ord(":")
_LONG_LIST = 1_000
_TOLD = 10
"""Problems that an error's message has; its details have more."""
_LONGEST_NEAR = 100
"""Characters of an unknown name up to which others that look like it are searched for."""


class Registry:
    """All functions by name, and the validator over all of them."""

    def __init__(self, functions: Iterable[Function], code_page: str) -> None:
        self.functions = {function.name: function for function in functions}
        self._contexts = {dialect: {"code_page": code_page, "dialect": dialect} for dialect in DIALECTS}
        schema = _failing_fast(_request_schema(self.functions))
        self._validate = SchemaValidator(schema).validate_json
        self._validate_plain = SchemaValidator(without_text_checks(schema)).validate_json

    def __getitem__(self, name: str) -> Function:
        return self.functions[name]

    def parse(self, message: bytes, dialect: str = "2") -> ParsedCall:
        """A request's JSON, validated. Raises :class:`RequestFailed` with the error and the id to answer."""
        # Plain is a message whose every text is ASCII without a zero character. A search for two bytes reads each
        # byte, one for a single byte, given as a number, is many times as fast: it goes first.
        plain = message.isascii() and (_BACKSLASH not in message or b"\\u" not in message)
        validate = self._validate_plain if plain else self._validate
        if len(message) > BIG and (problem := too_much(message)):
            raise RequestFailed(b"null", InvalidRequest(problem))
        try:
            request = validate(message, strict=True, context=self._contexts[dialect])
            function, data = self.functions[request["name"]], request["data"]
            if data is None:
                data = self._without_data(function, request["id"])
        except RequestFailed:
            raise
        except CoreValidationError as error:
            raise self._explain(message, error) from None
        except RequestError as error:  # raised by a plugin's own validator
            raise RequestFailed(_id_of(message), error) from error
        except Exception as error:
            log.exception("a plugin's validator failed")
            broken = InternalError("The data could not be checked inside the gateway; its log says why")
            raise RequestFailed(_id_of(message), broken) from error
        id_ = request["id"]
        id_ = b"%d" % id_ if type(id_) is int else to_json(id_)
        # Each key has its colon, and texts may have more: as many colons as there are keys now means that none was
        # repeated.
        if function.takes_body:
            keys = keys_given(request, data)
            if message.count(_COLON) != keys != message.translate(None, b" \t\r\n").count(b'":'):
                self._refuse_repeated(message, id_)
            return ParsedCall(id_, function, {}, data, request.get("key"))
        # Where nothing was given as data, its key may be absent; what else differs is looked at closely.
        if message.count(_COLON) != len(request) + len(data) or not data:
            self._refuse_repeated(message, id_)
        if len(data) > function.required:  # null is what was left out
            data = {name: value for name, value in data.items() if value is not None}
        return ParsedCall(id_, function, data, None, request.get("key"))

    def _without_data(self, function: Function, id_: int | str) -> Any:
        """``"data": null`` is no data."""
        try:
            return function.adapter.validate_python({}, strict=True, context=self._contexts["2"])
        except CoreValidationError as error:
            raise RequestFailed(_encode_id(id_), _invalid(function.name, error)) from None

    @staticmethod
    def _refuse_repeated(message: bytes, id_: bytes) -> None:
        """Which of two values counts would be anybody's guess, and a proxy's may differ from ours."""
        if repeated := repeated_keys(message):
            key, names_id = repeated
            problem = f"The request has the key {_shown(key)} more than once"
            raise RequestFailed(b"null" if names_id else id_, InvalidRequest(problem))

    def near(self, name: str) -> list[str]:
        """Names of functions that look like ``name``."""
        if len(name) > _LONGEST_NEAR:
            return []
        return difflib.get_close_matches(name, self.functions, n=3, cutoff=0.6)

    def _explain(self, message: bytes, error: CoreValidationError) -> RequestFailed:
        try:
            request = from_json(message)
        except ValueError as problem:
            return RequestFailed(b"null", InvalidRequest(f"The message is not JSON: {problem}"))
        if not isinstance(request, dict):
            return RequestFailed(b"null", InvalidRequest("A request is a JSON object with id, name and data"))
        id_ = request.get("id")
        if isinstance(id_, bool) or not isinstance(id_, int | str):
            return RequestFailed(b"null", InvalidRequest("A request needs an id: an integer or a text"))
        if isinstance(id_, str) and len(id_) > _LONGEST_ID:
            return RequestFailed(b"null", InvalidRequest(f"An id has at most {_LONGEST_ID} characters"))
        encoded = _encode_id(id_)
        try:
            self._refuse_repeated(message, encoded)
        except RequestFailed as repeated:
            return repeated
        name = request.get("name")
        if not isinstance(name, str):
            return RequestFailed(encoded, InvalidRequest("A request needs a name: the function's, a text"))
        if name not in self.functions:
            unknown = f"Unknown function {_shown(name)}"
            return RequestFailed(encoded, UnknownFunction(unknown), lambda: self._with_near(unknown, name))
        return RequestFailed(encoded, self._invalid(request, name, error))

    def _with_near(self, unknown: str, name: str) -> UnknownFunction:
        near = " or ".join(repr(other) for other in self.near(name))
        return UnknownFunction(f"{unknown}; did you mean {near}?" if near else unknown)

    def _invalid(self, request: dict[str, object], name: str, error: CoreValidationError) -> InvalidData:
        """Of very many problems only some are made: they are looked for in a part of the request."""
        count = error.error_count()
        if count > MOST_PROBLEMS:
            try:
                self._validate(to_json(few_of(request)), strict=True, context=self._contexts["2"])
            except CoreValidationError as few:
                error = few.with_traceback(None)  # which has this frame, which would have the error
            except Exception:  # noqa: BLE001, S110  a plugin's validator, which had its say about the whole already
                pass
        return _invalid(name, error, count)


class RequestFailed(MtRemoteError):
    """A message that is no valid request: ``id`` to answer under (JSON text) and the error. ``brief`` is the error as
    it is told for nothing; ``error`` may say more, which takes a while."""

    def __init__(self, id_: bytes, error: RequestError, fuller: Callable[[], RequestError] | None = None) -> None:
        super().__init__(str(error))
        self.id = id_
        self.brief = error
        self._fuller = fuller

    @cached_property
    def error(self) -> RequestError:
        return self.brief if self._fuller is None else self._fuller()


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")


def _invalid(name: str, error: CoreValidationError, count: int = 0) -> InvalidData:
    problems = problems_of(error, skip=(name,), count=count)
    text = "; ".join(str(problem) for problem in problems[:_TOLD])
    if len(problems) > _TOLD or count > len(problems):
        text += f"; and {max(count, len(problems)) - _TOLD:,} more"
    return InvalidData(f"Invalid data for {name}: {text}", details=problems)


def _failing_fast(schema: Any) -> Any:
    """A core schema in which long lists end at the first element that is wrong: an error for each of 100,000 takes as
    long as thousands of calls."""
    if isinstance(schema, dict):
        made = {key: _failing_fast(value) for key, value in schema.items()}
        is_long = made.get("type") == "list" and made.get("max_length", 0) > _LONG_LIST
        return made | {"fail_fast": True} if is_long else made
    return [_failing_fast(item) for item in schema] if isinstance(schema, list) else schema


def _id_of(message: bytes) -> bytes:
    """The id of a message that is a request but for its data, as JSON."""
    id_ = from_json(message).get("id")
    too_long = isinstance(id_, str) and len(id_) > _LONGEST_ID
    if isinstance(id_, bool) or not isinstance(id_, int | str) or too_long:
        return b"null"
    return _encode_id(id_)


def _encode_id(id_: int | str) -> bytes:
    return b"%d" % id_ if isinstance(id_, int) else to_json(id_)


def _request_schema(functions: Mapping[str, Function]) -> core_schema.CoreSchema:
    """The schema of whole requests, tagged by ``name``."""
    identity = core_schema.union_schema(
        [core_schema.int_schema(strict=True), core_schema.str_schema(strict=True, max_length=_LONGEST_ID)],
        mode="left_to_right",
    )
    choices: dict[str, core_schema.CoreSchema] = {}
    definitions: dict[str, core_schema.CoreSchema] = {}
    for name, function in functions.items():
        data = function.adapter.core_schema
        if data["type"] == "definitions":
            definitions.update({cast(str, d.get("ref")): d for d in data["definitions"]})
            data = data["schema"]
        choices[name] = core_schema.typed_dict_schema(
            {
                "id": core_schema.typed_dict_field(identity),
                "name": core_schema.typed_dict_field(core_schema.str_schema()),
                "data": core_schema.typed_dict_field(
                    core_schema.with_default_schema(
                        core_schema.nullable_schema(data), default_factory=dict, validate_default=True
                    )
                ),
                "key": core_schema.typed_dict_field(
                    core_schema.str_schema(min_length=1, max_length=128), required=False
                ),
            },
            extra_behavior="forbid",
        )
    schema: core_schema.CoreSchema = core_schema.tagged_union_schema(choices, discriminator="name", strict=True)
    if definitions:
        schema = core_schema.definitions_schema(schema, list(definitions.values()))
    return schema
