"""What stands in messages, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from forwarding_backend.calls import Call
from forwarding_backend.errors import error_of
from forwarding_backend.wire import Unreadable, fields_of, nothing, reader, request_text, user
from pydantic import TypeAdapter

from mt_remote.errors import (
    Busy,
    CallTimeout,
    ConnectionLost,
    InternalError,
    InvalidData,
    NotFound,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
)
from mt_remote.records import ConGroup, Draft, Patch, Record, Tick, UserRecord


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not_found", NotFound),
        ("invalid_data", InvalidData),
        ("busy", Busy),
        ("internal_error", InternalError),
        ("already_subscribed", SessionStateError),
        ("desk_closed", RequestError),
        ("trade_no_money", ServerError),
        ("no_connection", ConnectionLost),
    ],
)
def test_an_error_stays_what_it_was(code: str, kind: type[RequestError]) -> None:
    details = [{"path": "volume", "problem": "too much"}, {"path": "price", "problem": "too little"}]
    error = error_of({"id": 1, "status": "ERROR", "code": code, "message": "So it is", "details": details})
    assert isinstance(error, kind)
    assert (error.wire_code, error.message) == (code, "So it is")
    assert [(found.path, found.problem) for found in error.details] == [
        ("volume", "too much"),
        ("price", "too little"),
    ]


def test_every_code_of_an_mt4_server_is_known() -> None:
    refusals = [code for code in ReturnCode if code not in (ReturnCode.OK, ReturnCode.OK_NONE)]
    for code in refusals:
        assert error_of({"code": code.code, "message": code.text}).wire_code == code.code


@pytest.mark.parametrize("outcome", ["not_done", "unknown"])
def test_the_outcome_of_a_call_that_took_too_long_is_passed_on(outcome: str) -> None:
    error = error_of({"code": "timeout", "message": "too long", "outcome": outcome})
    assert isinstance(error, CallTimeout)
    assert error.outcome == outcome


def test_a_session_there_that_is_not_connected_any_more_is_a_lost_connection() -> None:
    assert error_of({"code": "not_connected", "message": "call 'connect'"}).wire_code == "no_connection"


def wire(record: Record) -> dict[str, Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(type(record))
    fields: dict[str, Any] = adapter.dump_python(record, mode="json")
    return fields


def test_fields_that_are_not_known_here_are_left_out() -> None:
    tick = Tick(symbol="EURUSD", time=5, bid=1.1, ask=1.2)
    assert reader(Tick)({**wire(tick), "spread": 3}) == tick


def test_an_account_that_was_read_is_a_whole_record() -> None:
    record = UserRecord(login=5, name="Ann")
    assert user(wire(record)).to_dict() == record.to_dict()


@pytest.mark.parametrize("value", [None, {}, {"symbol": "EURUSD", "time": "noon", "bid": 1, "ask": 2}, "EURUSD"])
def test_what_is_no_record_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        reader(Tick)(value)


def test_changes_go_out_as_they_came_in() -> None:
    data = {
        "group": "vip",
        "news": 2,
        "rights": ["email"],
        "securities": {"Forex": {"trade": True, "trade_rights": ["deny-close-by"], "commission_type": 1}},
        "symbols": {"EURUSD": {"swap_long": 1.7976931348623157e308}, "USDJPY": None},
        "news_languages": ["en-US"],
    }
    adapter: TypeAdapter[Patch[ConGroup]] = TypeAdapter(Patch[ConGroup])
    assert fields_of(adapter.validate_json(json.dumps(data))) == data


def test_passwords_of_a_new_account_go_out() -> None:
    fields = fields_of(Draft(UserRecord, {"group": "demo", "name": "Ann", "password": "Secret1"}))
    assert fields == {"group": "demo", "name": "Ann", "password": "Secret1"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_has_not_is_refused(value: object) -> None:
    with pytest.raises(InvalidData, match=r"tick\.add"):
        request_text(1, "tick.add", {"bid": value})


def test_an_answer_that_cannot_be_read_does_not_hide_that_the_call_was_carried_out() -> None:
    call = Call("order.close", "", nothing)
    call.read({"id": 1, "status": "OK", "result": 5})
    with pytest.raises(RequestError, match=r"order\.close was carried out, but its answer can't be read") as failed:
        call.outcome()
    assert failed.value.wire_code == "unreadable_answer"


def test_a_call_is_sent_or_withdrawn_never_both() -> None:
    sent, withdrawn = Call("a", "", nothing), Call("b", "", nothing)
    assert (sent.begin(), sent.withdraw()) == (True, False)
    assert (withdrawn.withdraw(), withdrawn.begin()) == (True, False)
