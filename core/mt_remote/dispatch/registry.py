"""All functions together: one validator reads a request's JSON in a single pass and picks the function by name.

What is no valid request is explained in words (:class:`RequestFailed`), which takes another pass: nobody waits for it
but who sent it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic_core import SchemaValidator, core_schema, from_json, to_json
from pydantic_core import ValidationError as CoreValidationError

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.problems import problems_of
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
_LONGEST_NEAR = 100
"""Characters of an unknown name up to which others that look like it are searched for."""


class Registry:
    """All functions by name, and the validator over all of them."""

    def __init__(self, functions: Iterable[Function], code_page: str) -> None:
        self.functions = {function.name: function for function in functions}
        self._contexts = {dialect: {"code_page": code_page, "dialect": dialect} for dialect in DIALECTS}
        schema = _request_schema(self.functions)
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
        if function.takes_body:
            return ParsedCall(id_, function, {}, data, request.get("key"))
        if len(data) > function.required:  # null is what was left out
            data = {name: value for name, value in data.items() if value is not None}
        return ParsedCall(id_, function, data, None, request.get("key"))

    def _without_data(self, function: Function, id_: int | str) -> Any:
        """``"data": null`` is no data."""
        try:
            return function.adapter.validate_python({}, strict=True, context=self._contexts["2"])
        except CoreValidationError as error:
            raise RequestFailed(_encode_id(id_), _invalid(function.name, error)) from None

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
        return RequestFailed(_encode_id(id_), self._explain_request(request, error))

    def _explain_request(self, request: dict[str, object], error: CoreValidationError) -> RequestError:
        name = request.get("name")
        if not isinstance(name, str):
            return InvalidRequest("A request needs a name: the function's, a text")
        if name not in self.functions:
            shown = name if len(name) <= 60 else name[:60] + "…"
            near = " or ".join(repr(other) for other in self.near(name))
            return UnknownFunction(f"Unknown function {shown!r}" + (f"; did you mean {near}?" if near else ""))
        return _invalid(name, error)


class RequestFailed(MtRemoteError):
    """A message that is no valid request: ``id`` to answer under (JSON text) and the error."""

    def __init__(self, id_: bytes, error: RequestError) -> None:
        super().__init__(str(error))
        self.id = id_
        self.error = error


def _invalid(name: str, error: CoreValidationError) -> InvalidData:
    problems = problems_of(error, skip=(name,))
    text = "; ".join(str(problem) for problem in problems[:10])
    return InvalidData(f"Invalid data for {name}: {text}", details=problems)


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
