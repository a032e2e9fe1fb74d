"""What goes out and what is let in: exact fields and JSON types per dialect, limits per field, secrets."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mt_remote.dispatch.problems import problems_of
from mt_remote.errors import Problem
from mt_remote.records import (
    DIALECTS,
    RECORDS,
    ConCommon,
    ConGroup,
    ConGroupMargin,
    ConGroupSecurity,
    ConHoliday,
    ConManager,
    ConManagerSecurity,
    ConSession,
    ConSessions,
    ConSymbol,
    Patch,
    Record,
    Tick,
    TradeReason,
    TradeRecord,
    TradeRequest,
    TradeTransaction,
    Unit,
    UserRecord,
    Wire,
    record,
)  # fmt: skip
from mt_remote.records.declare import building_for, field_names, integer

# The protocol's chapter 5, written again: i integer, n number, b bool, t text, l list, m map, r rights, 2 two numbers
FIELDS: dict[type[Record], str] = {
    ConCommon: """owner:t name:t adapters:t optimization_last_time:i server_version:i server_build:i last_order:i
        last_login:i lost_commission_login:i address:t port:i timeout:i type_of_demo:i time_of_demo_days:i
        daylight_correction:b timezone:i timesync_server:t feeder_timeout_seconds:i keep_emails_days:i
        keep_ticks_days:i statement_weekend:b end_of_day_hour:i end_of_day_minute:i optimization_time_minutes:t
        overmonth_last_month:i antiflood:b antiflood_max_connections:i bind_adresses:l web_adresses:l
        statement_mode:i liveupdate_mode:i last_activate_time:i stop_last_time:i monthly_state_mode:i
        rollovers_mode:i path_database:t path_history:t path_log:t overnight_last_day:i overnight_last_time:i
        overnight_prev_time:i stop_delay_seconds:i stop_reason:i account_url:t""",
    ConGroup: """group:t enable:b timeout_seconds:i otp_mode:i company:t signature:t support_page:t smtp_server:t
        smtp_login:t smtp_password:t support_email:t templates_path:t copies:i reports:b default_leverage:i
        default_deposit:n max_symbols:i currency:t credit:n margin_call:i margin_mode:i margin_stopout:i
        interest_rate:n use_swap:b news:i rights:l check_ie_prices:b max_positions:i close_reopen:b
        hedge_prohibited:b close_fifo:b hedge_large_leg:b margin_type:i archive_period:i archive_max_balance:i
        stopout_skip_hedged:b archive_pending_period:b news_languages:l securities:m symbols:m""",
    ConGroupSecurity: """show:b trade:b execution_mode:i commission_base:n commission_type:i commission_lots_mode:i
        commission_agent:n commission_agent_type:i spread_diff:i lot_min:n lot_max:n lot_step:n ie_deviation:i
        request_confirmation:b trade_rights:r ie_quick_mode:b auto_closeout_mode:i commission_tax:n
        commission_agent_mode:i free_margin_mode:i""",
    ConGroupMargin: "swap_long:n swap_short:n margin_pct:n",
    ConManager: """login:i name:t manager:b money:b online:b riskman:b broker:b admin:b logs:b reports:b trades:b
        market_watch:b email:b user_details:b see_trades:b news:b plugins:b server_reports:b techsupport:b market:b
        notifications:b ip_filter:b ip_from:t ip_to:t mailbox:t groups:l info_depth:i securities:m""",
    ConManagerSecurity: "enable:b minimum_lots:n maximum_lots:n",
    ConSymbol: """symbol:t description:t source:t currency:t security:t digits:i trade_mode:t color:i realtime:b
        starts:i expires:i sessions:m profit_mode:t filter:i filter_limit:n filter_smoothing:i log_quotes:b spread:i
        spread_balance:i execution_mode:t swap_enable:b swap_type:t swap_long:n swap_short:n swap_triple_day:i
        swap_open_price:b swap_variation_margin:b contract_size:n tick_value:n tick_size:n stops_level:i
        freeze_level:i pendings_mode:t margin_mode:t margin_initial:n margin_maintenance:n margin_hedged:n
        margin_pct:n margin_currency:t margin_hedged_strong:b long_only:b instant_max_lots:n value_date:i
        quotes_delay:i""",
    ConSessions: "quotes:l trades:l",
    ConSession: "from:t to:t",
    ConHoliday: "position:i etag:t year:i month:i day:i from:t to:t symbol:t description:t enable:b",
    UserRecord: """login:i group:t enable:b enable_change_password:b read_only:b enable_otp:b password_phone:t name:t
        country:t city:t state:t zipcode:t address:t lead_source:t phone:t email:t comment:t id:t status:t leverage:i
        agent_account:i taxes:n send_reports:b mqid:i user_color:i api_data:t last_date:i reg_date:i timestamp:i
        last_ip:t prev_month_balance:n prev_day_balance:n prev_month_equity:n prev_day_equity:n interestrate:n
        balance:n credit:n""",
    Tick: "symbol:t time:i bid:n ask:n",
    TradeRecord: """order:i login:i symbol:t digits:i cmd:t reason:t volume:n open_time:i close_time:i expiration:i
        open_price:n close_price:n sl:n tp:n conv_rates:2 commission:n commission_agent:n storage:n profit:n taxes:n
        magic:i comment:t margin_rate:n timestamp:i api_data:t""",
    TradeTransaction: """type:t flags:t cmd:t order:i order_by:i symbol:t volume:n price:n sl:n tp:n ie_deviation:i
        comment:t expiration:i crc:i""",
    TradeRequest: """id:i status:t time:i manager:i login:i group:t balance:n credit:n prices:2 trade:m""",
}
READ_ONLY = {
    ConCommon: """owner adapters optimization_last_time server_version server_build last_order last_login
        lost_commission_login""",
    UserRecord: """last_date reg_date timestamp last_ip prev_month_balance prev_day_balance prev_month_equity
        prev_day_equity interestrate balance credit""",
}


def _is(kind: str, value: object) -> bool:
    if kind == "2":
        return isinstance(value, list) and len(value) == 2 and all(_is("n", each) for each in value)
    if kind == "r":
        return value is None or (isinstance(value, list) and value != [])
    return type(value) in {"i": (int,), "n": (float, int), "b": (bool,), "t": (str,), "l": (list,), "m": (dict,)}[kind]


def expected(kind: type[Record], dialect: str) -> dict[str, str]:
    fields = dict(field.split(":") for field in FIELDS[kind].split())
    if kind is TradeTransaction and dialect == "0":
        del fields["flags"]
    return fields


def sent(record: Record, dialect: str) -> dict[str, Any]:
    with building_for(dialect):
        adapter: TypeAdapter[Any] = TypeAdapter(type(record))
    result: dict[str, Any] = json.loads(adapter.dump_json(record))
    return result


def test_every_record_is_in_the_table() -> None:
    assert set(FIELDS) == set(RECORDS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_goes_out_with_exactly_the_protocols_fields_and_types(kind: type[Record], dialect: str) -> None:
    wanted = expected(kind, dialect)
    record = sent(kind(), dialect)
    assert list(record) == [kind.wires[name].name for name in field_names(kind, dialect)]
    assert set(record) == set(wanted)
    assert {name: value for name, value in record.items() if not _is(wanted[name], value)} == {}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_record_that_is_read_has_every_field(kind: type[Record], dialect: str) -> None:
    """What a dialect does not show, passwords first of all, is as in a new record; also when it stands there."""
    seen = field_names(kind, dialect)
    unseen = {wire.name for name, wire in kind.wires.items() if name not in seen}
    message = sent(kind(), dialect) | dict.fromkeys(unseen, "of no use")
    with building_for(dialect):
        adapter: TypeAdapter[Record] = TypeAdapter(kind)
    for read in (adapter.validate_json(json.dumps(message)), adapter.validate_python(message)):
        assert read == kind()
        assert read.copy() == kind()
        assert Patch.of(read).changes == Patch.of(kind()).changes
        assert sent(read, dialect) == sent(kind(), dialect)


def test_a_record_is_not_read_without_what_its_dialect_shows() -> None:
    """A balance that is not there is not 0."""
    adapter: TypeAdapter[UserRecord] = TypeAdapter(UserRecord)
    message = sent(UserRecord(login=7), "2")
    del message["balance"]
    with pytest.raises(ValidationError, match="balance"):
        adapter.validate_json(json.dumps(message))


def test_unseen_containers_are_not_shared() -> None:
    @record(native="Test")
    class Noted(Record):
        login: int = integer("login")
        notes: list[str] = dataclasses.field(
            default_factory=list, metadata={"wire": Wire("notes", Unit.MASKS, 64, write_only=True)}
        )

    adapter: TypeAdapter[Noted] = TypeAdapter(Noted)
    first, second = (adapter.validate_json('{"login": 1}') for _ in range(2))
    first.notes.append("mine")
    assert second.notes == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nested_records_have_their_fields_too(dialect: str) -> None:
    group = ConGroup(securities={"Forex": ConGroupSecurity()}, symbols={"EURUSD": ConGroupMargin()})
    assert set(sent(group, dialect)["securities"]["Forex"]) == set(expected(ConGroupSecurity, dialect))
    assert sent(group, dialect)["symbols"] == {
        "EURUSD": {"swap_long": 1.7976931348623157e308, "swap_short": 1.7976931348623157e308, "margin_pct": 0.0}
    }
    assert set(sent(TradeRequest(), dialect)["trade"]) == set(expected(TradeTransaction, dialect))
    assert ("flags" in sent(TradeRequest(), dialect)["trade"]) == (dialect != "0")


@pytest.mark.parametrize("reason", list(TradeReason))
def test_older_dialects_know_the_older_reasons(reason: TradeReason) -> None:
    later = reason in (TradeReason.MOBILE, TradeReason.WEB, TradeReason.API)
    for dialect in DIALECTS:
        assert sent(TradeRecord(reason=reason), dialect)["reason"] == (
            "client" if later and dialect != "2" else reason.value
        )


@pytest.mark.parametrize("kind", RECORDS)
def test_read_only_fields_are_the_protocols(kind: type[Record]) -> None:
    found = {name for name, wire in kind.wires.items() if wire.read_only}
    assert found == set(READ_ONLY.get(kind, "").split())


# Input

_COMMON: TypeAdapter[Any] = TypeAdapter(Patch[ConCommon])
_GROUP: TypeAdapter[Any] = TypeAdapter(Patch[ConGroup])
_MANAGER: TypeAdapter[Any] = TypeAdapter(Patch[ConManager])
_USER: TypeAdapter[Any] = TypeAdapter(Patch[UserRecord])
_SYMBOL: TypeAdapter[Any] = TypeAdapter(Patch[ConSymbol])
_HOLIDAY: TypeAdapter[Any] = TypeAdapter(Patch[ConHoliday])
_KEYS = {
    id(_COMMON): "",
    id(_GROUP): '"group":"g",',
    id(_MANAGER): '"login":1,',
    id(_USER): '"login":1,',
    id(_SYMBOL): '"symbol":"EURUSD",',
    id(_HOLIDAY): '"position":0,"etag":"x",',
}


def accepted(adapter: TypeAdapter[Any], field: str, value: str) -> Any:
    """The field's value after validation. ``value`` is JSON text."""
    text = "{" + _KEYS[id(adapter)] + f'"{field}":{value}' + "}"
    return adapter.validate_json(text).changes.get(field if field != "from" else "from_")


def refused(adapter: TypeAdapter[Any], field: str, value: str) -> Problem:
    with pytest.raises(ValidationError) as caught:
        accepted(adapter, field, value)
    (problem,) = problems_of(caught.value)
    return problem


@pytest.mark.parametrize(
    ("adapter", "field", "value", "result"),
    [
        (_USER, "name", '"\\u20ac"', "€"),
        (_USER, "status", json.dumps("é" * 15), "é" * 15),
        (_USER, "user_color", "4294967295", 2**32 - 1),
        (_USER, "api_data", '""', ""),
        (_USER, "api_data", json.dumps(base64.b64encode(b"\0" * 16).decode()), ""),
        (_USER, "api_data", '"AQ=="', base64.b64encode(b"\1" + b"\0" * 15).decode()),
        (_USER, "taxes", "3", 3),
        (_USER, "balance", '{"any": "thing"}', None),
        (_GROUP, "rights", '["forced_otp", "email", "email"]', ["email", "forced_otp"]),
        (_GROUP, "news_languages", '["ru-RU"]', ["ru-RU"]),
        (_GROUP, "news", "2", 2),
        (_GROUP, "default_deposit", "-1e300", -1e300),
        (_GROUP, "securities", '{"Forex": {"trade_rights": "deny-close-by"}}',
            {"Forex": {"trade_rights": ["deny-close-by"]}}),
        (_GROUP, "securities", '{"Forex": {"trade_rights": ["deny-multiple-close-by", "deny-close-by"]}}',
            {"Forex": {"trade_rights": ["deny-close-by", "deny-multiple-close-by"]}}),
        (_GROUP, "securities", '{"Forex": {"trade_rights": null}}', {"Forex": {"trade_rights": None}}),
        (_GROUP, "securities", '{"Forex": {"trade_rights": []}}', {"Forex": {"trade_rights": None}}),
        (_GROUP, "securities", '{"Forex": {"lot_min": 0.07}}', {"Forex": {"lot_min": 0.07}}),
        (_GROUP, "symbols", '{"EURUSD": null}', {"EURUSD": None}),
        (_COMMON, "optimization_time_minutes", '"23:0"', "23:0"),
        (_COMMON, "optimization_time_minutes", '"07:05"', "7:5"),
        (_COMMON, "address", '"255.0.1.2"', "255.0.1.2"),
        (_COMMON, "bind_adresses", '["1.2.3.4"]', ["1.2.3.4"]),
        (_COMMON, "owner", "17", None),
        (_MANAGER, "groups", '["manager", "mini*", "*"]', ["manager", "mini*", "*"]),
        (_SYMBOL, "trade_mode", '"close"', "close"),
        (_SYMBOL, "security", '"Forex"', "Forex"),
        (_SYMBOL, "instant_max_lots", "2.5", 2.5),
        (_SYMBOL, "sessions", '{"friday": {"trades": [{"from": "01:05", "to": "24:00"}]}}',
            {"friday": {"trades": [{"from_": "1:5", "to": "24:0"}]}}),
        (_SYMBOL, "sessions", '{"sunday": {"quotes": [{"from": "0:0", "to": "0:0"}]}}', {"sunday": {"quotes": []}}),
        (_HOLIDAY, "from", '"8:30"', "8:30"),
        (_HOLIDAY, "to", '"24:0"', "24:0"),
    ],
)  # fmt: skip
def test_what_is_let_in(adapter: TypeAdapter[Any], field: str, value: str, result: object) -> None:
    assert accepted(adapter, field, value) == result


@pytest.mark.parametrize(
    ("adapter", "field", "value", "path", "words"),
    [
        (_USER, "name", "null", "name", "must be text"),
        (_USER, "name", "3", "name", "must be text"),
        (_USER, "status", json.dumps("é" * 16), "status", "at most 15 bytes"),
        (_USER, "name", '"\\u65e5"', "name", "character 1 does not exist in the server's code page cp1252"),
        (_USER, "name", '"a\\u0000b"', "name", "zero character"),
        (_USER, "enable", "1", "enable", "must be true or false"),
        (_USER, "leverage", "1.0", "leverage", "must be an integer"),
        (_USER, "leverage", '"1"', "leverage", "must be an integer"),
        (_USER, "leverage", "true", "leverage", "must be an integer"),
        (_USER, "leverage", "-1", "leverage", "greater than or equal to 0"),
        (_USER, "leverage", "2147483648", "leverage", "2147483647"),
        (_USER, "leverage", "1" + "0" * 400, "leverage", "2147483647"),
        (_USER, "user_color", "4294967296", "user_color", "4294967295"),
        (_USER, "mqid", "-1", "mqid", "greater than or equal to 0"),
        (_USER, "taxes", "NaN", "taxes", "must be a finite number"),
        (_USER, "taxes", "-Infinity", "taxes", "must be a finite number"),
        (_USER, "taxes", "1e400", "taxes", "must be a finite number"),
        (_USER, "taxes", '"3"', "taxes", "must be a number"),
        (_USER, "taxes", "true", "taxes", "must be a number"),
        (_USER, "api_data", '"AQ"', "api_data", "must be base64"),
        (_USER, "api_data", '"!!!!"', "api_data", "must be base64"),
        (_USER, "api_data", json.dumps(base64.b64encode(b"x" * 17).decode()), "api_data", "at most 16 bytes, got 17"),
        (_USER, "nickname", '"x"', "nickname", "is not a field of this"),
        (_GROUP, "group", '""', "group", "must not be empty"),
        (_GROUP, "group", json.dumps("g" * 16), "group", "at most 15 bytes"),
        (_GROUP, "news", "3", "news", "must be 0, 1 or 2"),
        (_GROUP, "news", "true", "news", "must be an integer"),
        (_GROUP, "news", '"topics"', "news", "must be 0, 1 or 2"),
        (_GROUP, "news", "1.0", "news", "must be an integer"),
        (_GROUP, "rights", '"email"', "rights", "must be a list"),
        (_GROUP, "rights", '["email", "fly"]', "rights.1", "must be 'email'"),
        (_GROUP, "news_languages", json.dumps(["de"] * 8), "news_languages", "at most 7 entries, got 8"),
        (_GROUP, "news_languages", '["russian!"]', "news_languages.0", "locale tag"),
        (_GROUP, "securities", '{"Forex": {"lot_min": 0.005}}', "securities.Forex.lot_min", "multiple of 0.01"),
        (_GROUP, "securities", '{"Forex": {"lot_max": NaN}}', "securities.Forex.lot_max", "finite"),
        (_GROUP, "securities", '{"Forex": null}', "securities.Forex", "must be an object"),
        (_GROUP, "securities", '{"Forex": {"trade_rights": "deny"}}', "securities.Forex.trade_rights.0", "must be"),
        (_GROUP, "securities", '{"Forex": {"fly": 1}}', "securities.Forex.fly", "is not a field of this"),
        (_GROUP, "securities", json.dumps({f"S{n}": {} for n in range(33)}), "securities", "at most 32 entries"),
        (_GROUP, "symbols", json.dumps({f"S{n}": {} for n in range(129)}), "symbols", "at most 128 entries"),
        (_GROUP, "symbols", '{"ABCDEFGHIJKL": {}}', "symbols.ABCDEFGHIJKL", "at most 11 bytes"),
        (_GROUP, "symbols", '{"EURUSD": {"margin_pct": -1}}', "symbols.EURUSD.margin_pct", "greater than or equal"),
        (_COMMON, "optimization_time_minutes", '"24:0"', "optimization_time_minutes", "time of day"),
        (_COMMON, "optimization_time_minutes", '"1:60"', "optimization_time_minutes", "time of day"),
        (_COMMON, "optimization_time_minutes", "60", "optimization_time_minutes", "must be text"),
        (_COMMON, "address", '"1.2.3"', "address", "IPv4"),
        (_COMMON, "address", '"::1"', "address", "IPv4"),
        (_COMMON, "bind_adresses", json.dumps(["1.2.3.4"] * 9), "bind_adresses", "at most 8 entries, got 9"),
        (_COMMON, "web_adresses", '["1.2.3.4", "256.0.0.0"]', "web_adresses.1", "IPv4"),
        (_COMMON, "overmonth_last_month", "13", "overmonth_last_month", "less than or equal to 12"),
        (_MANAGER, "login", "0", "login", "greater than or equal to 1"),
        (_MANAGER, "groups", '["a,b"]', "groups", "without a comma"),
        (_MANAGER, "groups", '[""]', "groups", "without a comma"),
        (_MANAGER, "groups", json.dumps(["m" * 511] * 2 + ["x"]), "groups", "at most 1023 bytes"),
        (_SYMBOL, "trade_mode", "2", "trade_mode", "must be"),
        (_SYMBOL, "point", "0.1", "point", "is not a field of this"),
        (_SYMBOL, "security", json.dumps("S" * 16), "security", "at most 15 bytes"),
        (_SYMBOL, "swap_triple_day", "7", "swap_triple_day", "less than or equal to 6"),
        (_SYMBOL, "sessions", '{"funday": {}}', "sessions.funday", "is not a field of this"),
        (_SYMBOL, "sessions", '{"monday": null}', "sessions.monday", "must be an object"),
        (_SYMBOL, "sessions", '{"monday": {"trades": [{"from": "1:0"}]}}', "sessions.monday.trades.0.to", "required"),
        (
            _SYMBOL,
            "sessions",
            '{"monday": {"trades": [{"from": "1:0", "to": "24:1"}]}}',
            "sessions.monday.trades.0.to",
            'from "0:0" to "24:0"',
        ),
        (
            _SYMBOL,
            "sessions",
            '{"monday": {"quotes": [{"from_": "1:0", "from": "1:0", "to": "2:0"}]}}',
            "sessions.monday.quotes.0.from_",
            "is not a field of this",
        ),
        (
            _SYMBOL,
            "sessions",
            json.dumps({"monday": {"trades": [{"from": "1:0", "to": "2:0"}] * 4}}),
            "sessions.monday.trades",
            "at most 3 entries, got 4",
        ),
        (_HOLIDAY, "from", '"24:01"', "from", 'from "0:0" to "24:0"'),
        (_HOLIDAY, "month", "0", "month", "greater than or equal to 1"),
    ],
)
def test_what_is_refused_and_how_it_is_said(
    adapter: TypeAdapter[Any], field: str, value: str, path: str, words: str
) -> None:
    problem = refused(adapter, field, value)
    assert problem.path == path
    assert words in problem.problem


def test_limits_are_bytes_in_the_servers_code_page() -> None:
    cyrillic = json.dumps({"login": 1, "status": "Счёт" * 3})
    assert _USER.validate_json(cyrillic, context={"code_page": "cp1251"})
    with pytest.raises(ValidationError):
        _USER.validate_json(cyrillic)
    with pytest.raises(ValidationError) as caught:
        _USER.validate_json(json.dumps({"login": 1, "status": "日本語日本語日本"}), context={"code_page": "cp932"})
    assert "at most 15 bytes in the server's code page, got 16" in problems_of(caught.value)[0].problem


@given(st.integers(0, 2**31 - 1), st.floats(0.001, 0.009))
def test_lots_are_hundredths(hundredths: int, off: float) -> None:
    lots = hundredths / 100
    text = json.dumps({"login": 1, "securities": {"Forex": {"minimum_lots": lots}}})
    assert _MANAGER.validate_json(text).changes["securities"]["Forex"]["minimum_lots"] == lots
    with pytest.raises(ValidationError):
        _MANAGER.validate_json(json.dumps({"login": 1, "securities": {"Forex": {"minimum_lots": lots + off}}}))


# Secrets and schemas


def test_secrets_do_not_show() -> None:
    user = UserRecord(password="hunter2", password_investor="hunter3", password_phone="hunter4", name="Ann")
    group = ConGroup(smtp_password="hunter5")
    for shown in (repr(user), str(user), f"{group}", repr([user, group])):
        assert "hunter" not in shown
    assert "name='Ann'" in repr(user)
    for dialect in DIALECTS:
        output = json.dumps(sent(user, dialect))
        assert "hunter2" not in output
        assert "hunter3" not in output


@pytest.mark.parametrize("adapter", [_COMMON, _GROUP, _MANAGER, _USER, _SYMBOL, _HOLIDAY])
def test_the_schema_of_a_patch_names_every_field(adapter: TypeAdapter[Any]) -> None:
    kinds = {
        id(_COMMON): ConCommon,
        id(_GROUP): ConGroup,
        id(_MANAGER): ConManager,
        id(_USER): UserRecord,
        id(_SYMBOL): ConSymbol,
        id(_HOLIDAY): ConHoliday,
    }
    kind = kinds[id(adapter)]
    schema = adapter.json_schema()
    body = schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    assert set(body["properties"]) == {wire.name for wire in kind.wires.values()}
    assert body["additionalProperties"] is False
    for wire in kind.wires.values():
        assert body["properties"][wire.name].get("readOnly", False) == wire.read_only
    key = kind.key_field()
    etag = ["etag"] if "etag" in kind.wires else []  # a row that has a place alone
    assert body.get("required", []) == ([key, *etag] if key else [])
