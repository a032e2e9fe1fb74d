"""No secret is left anywhere in what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mt_remote_tools.recording import read
from mt_remote_tools.recording.redact import PLACEHOLDER, Redactor, Secrets
from mt_remote_tools.recording.tape import FileTape

SECRET_FIELDS = [
    "password",
    "password_investor",
    "smtp_password",
    "MT-PASSWORD",
    "token",
    "accessToken",
    "password_phone",
]
PLAIN_FIELDS = ["comment", "name", "login", "message", "group", "Some key"]

WORD = re.compile(r"[a-z_.0-9]+")

secrets = st.text(min_size=4, max_size=20).filter(lambda text: "‹" not in text and text.strip() == text)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, without placeholders. Names of fields are looked at unless they are plain words, which
    are the protocol's."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner)
            if not WORD.fullmatch(key):
                yield key
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield PLACEHOLDER.sub("", value)


@st.composite
def leaky(draw: st.DrawFn, secret: str) -> Any:
    """A value with a secret anywhere in it: in fields named for it, in lists, in texts, in keys, as Python and JSON
    would quote it."""
    around = st.text(alphabet="xyz '\".", max_size=4)
    spelt = st.sampled_from([secret, repr(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False)])
    text = st.builds(lambda before, inner, after: before + inner + after, around, spelt, around)
    leaf = st.just(secret) | text | plain
    below = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*SECRET_FIELDS, *PLAIN_FIELDS]) | text, inner, max_size=3), max_leaves=8)  # fmt: skip
    return draw(below)


@settings(deadline=None)  # building what is drawn takes longer than what is tested
@given(st.data())
def test_no_secret_is_left(data: st.DataObject) -> None:
    secret = data.draw(secrets)
    field = data.draw(st.sampled_from(SECRET_FIELDS))
    message = {"id": data.draw(leaky(secret)), "name": "user.set", "data": {"deep": [data.draw(leaky(secret))],
               field: data.draw(st.sampled_from([secret, [secret], {"new": secret}]))}}  # fmt: skip
    later = {"id": 1, "status": "ERROR", "message": data.draw(leaky(secret)), "details": data.draw(leaky(secret))}
    redactor = Redactor()
    for cleaned in (redactor.message(message), redactor.message(later)):
        own = {name: cleaned.pop(name, None) for name in ("name", "status")}
        assert own in ({"name": "user.set", "status": None}, {"name": None, "status": "ERROR"})
        assert not [text for text in texts(cleaned) if secret in text]
        json.dumps(cleaned)


@settings(deadline=None)  # building what is drawn takes longer than what is tested
@given(st.data())
def test_a_file_that_knew_too_late_is_cleaned(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    secret = data.draw(secrets)
    assume(WORD.fullmatch(secret) is None)  # the file has words of its own
    path = tmp_path_factory.mktemp("tape") / "late.jsonl"
    with FileTape(path, "ws://gateway") as tape:
        tape.opened(1, "/", [("User-Agent", secret), ("Cookie", "another secret")])
        tape.sent(1, json.dumps({"id": 1, "name": "note", "data": data.draw(leaky(secret))}))
        tape.heard(1, json.dumps({"id": 1, "status": "ERROR", "message": f"no {secret}"}))
        tape.sent(1, json.dumps({"id": 2, "name": "connect", "data": {"password": secret}}))
        tape.closed(1, 1000, f"bye {secret}", "client")
    for line in path.read_text(encoding="utf-8").split("\n"):
        assert not [text for text in texts(json.loads(line or "{}")) if secret in text]
    assert len(read(path).entries) == 5


def test_words_that_look_like_secrets_and_are_none() -> None:
    message = {
        "id": 1,
        "name": "user.add",
        "data": {"enable_change_password": True, "password_phone": "", "token": None},
    }
    assert Redactor().message(message) == message


def test_a_password_that_is_a_word_of_the_protocol_leaves_the_protocol_alone() -> None:
    redactor = Redactor()
    first = redactor.message({"id": 1, "name": "user.set", "data": {"password": "user", "group": "my user"}})
    assert first == {"id": 1, "name": "user.set", "data": {"password": "‹secret 1›", "group": "my ‹secret 1›"}}
    assert redactor.message({"event": "user", "event_id": 0, "data": {"user": 1}})["data"] == {"user": 1}


def test_short_secrets_and_numbers() -> None:
    redactor = Redactor()
    data = {"password": "abc", "token": 12345, "comment": "abc", "other": "abcd", "said": "no 12345"}
    cleaned = redactor.message({"data": data})["data"]
    assert cleaned == {"password": "‹secret 1›", "token": "‹number 2›", "comment": "‹secret 1›", "other": "abcd",
                       "said": "no ‹number 2›"}  # fmt: skip


def test_urls_and_headers() -> None:
    redactor = Redactor()
    assert redactor.url("wss://anna:pw@host:1/path?token=T0ken&x=1") == "wss://host:1/path?token=‹secret 1›&x=1"
    kept = redactor.headers(
        [("Host", "h"), ("Sec-WebSocket-Key", "k"), ("Authorization", "Basic abcd"), ("VERSION", "2")]
    )
    assert kept == {"authorization": "‹secret 2›", "version": "2"}


def test_what_stands_in_for_secrets_in_a_replay() -> None:
    secrets = Secrets({3: "given"}, log_in="manager")
    assert secrets.restored({"password": "‹secret 1›"}, logs_in=True) == {"password": "manager"}
    made_up = secrets.restored(["‹secret 2›", "‹secret 3›", "say ‹secret 2›", "‹number 4›"])
    assert made_up == ["Made-up-2", "given", "say Made-up-2", 4]
    assert secrets.restored("‹secret 2›", logs_in=True) == "Made-up-2", "the account was made with it"


def test_what_is_no_object_keeps_only_its_length(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    with FileTape(path, "ws://gateway") as tape:
        for text in ('["Open-Sesame"]', "Open-Sesame", b"Open-Sesame", "[" * 100_000, '{"a":' * 50_000):
            tape.sent(1, text)
        deep: Any = 1
        for _ in range(400):
            deep = {"a": deep}
        tape.sent(1, json.dumps({"id": 1, "name": "x", "data": deep}))
        tape.sent(1, '{"id": 1, "name": "\\ud800"}')
    assert "Sesame" not in path.read_text(encoding="utf-8")
    assert len(read(path).entries) == 7
