"""``mt-remote check-plugin``: every kind of mistake is found where it is, and a sound plugin passes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mt_remote.errors import PluginError
from mt_remote_tools.checking import CODES, Finding, check, laws
from mt_remote_tools.checking.hostile import cases, types_of
from tests.cli.command import command
from tests.cli.test_stranger import FOLDER

SHIPPED = ["mt_remote_plugins", "mt4sim.gateway"]

SOUND = '''
import time
from typing import Any

import anyio

from mt_remote.plugin import (
    Call, Connection, Event, EventKind, InvalidData, Kind, Listing, Namespace, NotFound, Refused, Session,
    hookimpl, vetoes
)

desk = Namespace("mydesk")


@desk.function()
def hello(name: str) -> str:
    """Says hello."""
    return f"Hello {name}"

# more

@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [desk]


@hookimpl
def mt_remote_event_kinds() -> list[EventKind]:
    return [EventKind("mydesk.alarm", str, help="Somebody raised an alarm.")]
'''

FUNCTION = "@desk.function()\ndef other(number: int = 0) -> int:\n    '''Another.'''\n"

MISTAKES = {
    "MR101": "@hookimpl\ndef mt_remote_call_finish(session):  # here\n    pass\n",
    "MR102": "@hookimpl\ndef mt_remote_call_finished(session, result):  # here\n    pass\n",
    "MR103": "def mt_remote_call_finished(session, call):  # here\n    pass\n",
    "MR104": "@hookimpl\ndef mt_remote_backends():  # here\n    return 'none'\n",
    "MR106": "mt_remote_api = 99\n",
    "MR107": "@hookimpl\ndef mt_remote_call_started(session, call):  # here\n    pass\n",
    "MR201": "@desk.function('Other')\ndef other() -> int:  # here\n    '''Another.'''\n    return 1\n",
    "MR202": "@desk.function('hello')\ndef other() -> int:  # here\n    '''Another.'''\n    return 1\n",
    "MR203": "taken = Namespace('order')\n\n\n@taken.function()\ndef double() -> int:  # here\n    '''Doubles.'''\n"
    "    return 2\n\n\ndesk.functions += taken.functions\n",
    "MR206": f"{FUNCTION}    Event('mydesk.alert', 'x')  # here\n    return number\n",
    "MR301": "@desk.function()\ndef other(number: int, text) -> int:  # here\n    '''Another.'''\n    return 1\n",
    "MR306": "@desk.function(listing=Listing('nam'))\ndef other() -> list[dict[str, str]]:  # here\n"
    "    '''Another.'''\n    return []\n",
    "MR302": "@desk.function()\ndef other() -> int:  # here\n    return 1\n",
    "MR304": f"{FUNCTION}    if number == 7:\n        raise NotFound('no such number')  # here\n    return number\n",
    "MR401": "@desk.function()\nasync def other() -> None:\n    '''Another.'''\n    time.sleep(0)  # here\n",
    "MR305": "@desk.function(example={'number': 'x'})\ndef other(number: int) -> int:  # here\n    '''Another.'''\n"
    "    return number\n",
    "MR506": "@hookimpl\ndef mt_remote_gateway_starting(gateway: object) -> None:\n    raise OSError('no room')\n",
    "MR402": "from mt_remote.gateway.gateway import AssembledGateway  # here\n",
    "MR501": f"{FUNCTION}    return 1 // number  # here\n",
    "MR502": "@desk.function()\ndef other() -> int:  # here\n    '''Another.'''\n    return 'one'\n",
    "MR503": "@desk.function()\ndef other(number: Any) -> int:  # here\n    '''Another.'''\n"
    "    raise InvalidData('wrong')\n",
    "MR504": "def need(number):\n    if number < 0:\n        raise NotFound('no such number')\n\n\n"
    f"{FUNCTION}    need(number)\n    return number\n",
    "MR505": f"{FUNCTION}    if number > 2**31:\n        pause(0.3)\n    return number\n\n\npause = time.sleep\n",
}


def look(folder: Path, source: str, *, run: bool = True) -> list[Finding]:
    file = folder / "mydesk.py"
    file.write_text(source, encoding="utf-8")
    return check([str(file)], plugins=SHIPPED, run=run)


def test_a_sound_plugin_passes(tmp_path: Path) -> None:
    assert look(tmp_path, SOUND) == []
    assert check([str(FOLDER / "stranger.py")], plugins=SHIPPED) == []


AREA = """
class Draws(Area, namespace='mydesk.draw'):
    '''Draws of numbers.'''

    @call(rights=('manager',), example={'below': 10})
    async def next(self, below: int) -> int:
        '''A number.'''

    @call()
    async def past(self) -> list[int]:
        '''Nobody implements it.'''


class Drawing(Draws):
    def __init__(self, connection: object) -> None:
        self.connection = connection

    async def next(self, below: int) -> int:
        return below


@hookimpl
def mt_remote_implementations(backend: str) -> list[type[Area]]:
    return [Drawing]
"""


def test_an_area_is_checked_like_functions(tmp_path: Path) -> None:
    sound = SOUND.replace("# more", AREA).replace("return [desk]", "return [desk, Draws]")
    sound = sound.replace("import (", "import (\n    Area, call,")
    assert look(tmp_path, sound) == []
    (found,) = look(tmp_path, sound.replace("below: int) -> int:\n        '''", "below) -> int:\n        '''"))
    assert (found.code, found.message) == ("MR301", "mydesk.draw.next: no annotation of below")
    (found,) = look(tmp_path, sound.replace("return below", "return 1 // below"))
    assert found.code == "MR501"


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_found_where_it_is(tmp_path: Path, code: str) -> None:
    source = SOUND.replace("# more", f"\n{MISTAKES[code]}")
    found = look(tmp_path, source)
    assert [each.code for each in found] == [code], found
    lines = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# here")]
    file, _, line = found[0].place.rpartition(":")
    assert file == str(tmp_path / "mydesk.py")
    if lines:
        assert int(line) in (lines[0], lines[0] - 1)  # a function begins with its decorators
    assert found[0].fix == CODES[code].fix


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("MR204", '"mydesk.alarm"', '"My Alarm"'),
        ("MR205", '"mydesk.alarm"', '"tick"'),
        ("MR303", ', help="Somebody raised an alarm."', ""),
        ("MR002", "@hookimpl", ""),
        ("MR001", "import anyio", "import anyio_that_does_not_exist"),
    ],
)
def test_a_mistake_in_what_is_there(tmp_path: Path, code: str, before: str, after: str) -> None:
    codes = {each.code for each in look(tmp_path, SOUND.replace(before, after))}
    assert codes == {code} | ({"MR103"} if code == "MR002" else set())


def test_a_package_that_is_not_installed() -> None:
    (found,) = check(["not_installed_here.plugin"], plugins=SHIPPED)
    assert found.code == "MR001"
    assert found.fix.startswith("Install a package first, in its folder: 'pip install --editable .'.")


def test_a_listing_is_not_blamed_for_an_annotation(tmp_path: Path) -> None:
    wrong = "@desk.function(listing=Listing('nam'))\ndef other(value: Opaque) -> list[str]:\n    '''Another.'''\n"
    source = f"class Opaque: ...\n\n\n{wrong}    return []\n"
    assert [each.code for each in look(tmp_path, SOUND.replace("# more", source))] == ["MR301"]


def test_a_deprecated_hook(tmp_path: Path) -> None:
    (tmp_path / "specs.py").write_text(
        "import sys\n"
        "from mt_remote.hookspecs import deprecated, hookspec\n"
        "from mt_remote.plugin import hookimpl\n"
        "@hookimpl\ndef mt_remote_hookspecs():\n    return [sys.modules[__name__]]\n"
        "@deprecated(since='1.1', replacement='mt_remote_new')\ndef mt_remote_old(number): ...\n",
        encoding="utf-8",
    )
    file = tmp_path / "mydesk.py"
    old = SOUND.replace("# more", "@hookimpl\ndef mt_remote_old(number):\n    pass\n")
    file.write_text(old, encoding="utf-8")
    (found,) = check([str(file)], plugins=[*SHIPPED, str(tmp_path / "specs.py")])
    assert found.code == "MR105"
    assert "implement 'mt_remote_new' instead" in found.message


OWN_HOOK = """
from types import ModuleType

from mt_remote.hookspecs import hookspec

specs = ModuleType("specs")


@hookspec
def spec(number: int) -> None: ...


specs.mt_remote_own = spec


@hookimpl
def mt_remote_hookspecs() -> list[ModuleType]:
    return [specs]


@hookimpl
def mt_remote_own(number: int) -> None:
    pass
"""


def test_hooks_of_its_own(tmp_path: Path) -> None:
    source = SOUND.replace("# more", OWN_HOOK)
    assert look(tmp_path, source) == []
    wrong = source.replace("def mt_remote_own(number", "def mt_remote_own(size")
    assert [each.code for each in look(tmp_path, wrong)] == ["MR102"]


NESTED = '''
from pydantic import BaseModel, field_validator


class Share(BaseModel):
    parts: int

    @field_validator("parts")
    @classmethod
    def _invert(cls, parts: int) -> int:
        return 100 // parts  # here


@desk.function()
def share(of: Share) -> int:
    """A share."""
    return of.parts
'''


def test_fields_inside_fields_are_tried(tmp_path: Path) -> None:
    source = SOUND.replace("# more", NESTED)
    (found,) = look(tmp_path, source)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith("# here"))
    assert (found.code, found.place.rpartition(":")[2]) == ("MR501", str(line))


def test_one_that_hangs_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "_PATIENCE", 0.1)
    body = "@desk.function()\nasync def other(number: int = 0) -> None:\n    '''Another.'''\n    await forever()\n"
    (found,) = look(tmp_path, SOUND.replace("# more", f"forever = anyio.sleep_forever\n\n\n{body}"))
    assert (found.code, "gives no answer within 0.1 s" in found.message) == ("MR505", True)


def test_every_code_has_a_test() -> None:
    elsewhere = {"MR001", "MR002", "MR105", "MR204", "MR205", "MR303"}
    assert set(MISTAKES) | elsewhere == set(CODES)


BLOCKING = {
    "from time import sleep as nap\n": "nap(1)",
    "import subprocess\n": "subprocess.run(['ls'])",
    "import requests as r\n": "r.get('http://localhost')",
    "import urllib.request\n": "urllib.request.urlopen('http://localhost')",
    "import socket\n": "socket.create_connection(('localhost', 1))",
    "\n": "open('x')",
    "from pathlib import Path\n": "Path('x').read_text()",
    "def helper() -> None:\n    time.sleep(1)\n": "helper()",
}


@pytest.mark.parametrize("head", BLOCKING)
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_blocking_calls(tmp_path: Path, head: str, kind: str) -> None:
    pytest_free = head.replace("import requests as r", "r = None\nif r:\n    import requests as r")
    body = f"@desk.function()\n{kind} other(really: bool = False) -> None:\n    '''Another.'''\n"
    found = look(tmp_path, SOUND.replace("# more", f"{pytest_free}\n\n{body}    {BLOCKING[head]}\n"), run=False)
    assert [each.code for each in found] == ["MR401"]


@pytest.mark.parametrize(
    "line",
    [
        "await anyio.sleep(0)",
        "await anyio.to_thread.run_sync(time.sleep, 0)",
        "await anyio.Path('x').exists()",
        "await anyio.Path('x').read_text() if name else None",
        "await anyio.to_thread.run_sync(lambda: time.sleep(0))",
    ],
)
def test_what_does_not_block(tmp_path: Path, line: str) -> None:
    body = f"@desk.function()\nasync def other(name: str = '') -> None:\n    '''Another.'''\n    {line}\n"
    assert look(tmp_path, SOUND.replace("# more", body), run=False) == []


def test_what_ships_keeps_the_laws() -> None:
    """But for the names at the root, which are the protocol's own."""
    assert {each.code for each in check(["mt_remote_plugins"], plugins=["mt4sim.gateway"])} == {"MR203"}


def test_a_stranger_that_is_broken_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("nonsense", encoding="utf-8")
    with pytest.raises(PluginError, match="nonsense"):
        check([str(FOLDER / "stranger.py")], plugins=[str(broken)])


def test_two_of_one_name(tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(SOUND.replace('"mydesk.alarm"', f'"{name[:3]}"'), encoding="utf-8")
    (found,) = check([str(tmp_path / "one.py"), str(tmp_path / "two.py")], plugins=SHIPPED)
    assert (found.code, found.place.partition(":")[0]) == ("MR202", str(tmp_path / "two.py"))


def test_the_command(tmp_path: Path) -> None:
    assert command("check-plugin", str(FOLDER / "stranger.py")).code == 0
    file = tmp_path / "mydesk.py"
    file.write_text(SOUND.replace("# more", MISTAKES["MR501"].join(["\n", "\n"])), encoding="utf-8")
    done = command("check-plugin", "mydesk.py", cwd=tmp_path)
    assert (done.code, done.errors) == (1, "")
    place, fix, summary = done.output.splitlines()
    assert re.match(r"mydesk\.py:\d+: MR501 mydesk\.other answers internal_error to \{.*\}: ZeroDivisionError", place)
    assert fix.strip() == CODES["MR501"].fix
    assert summary == "mydesk.py: 1 found"
    done = command("check-plugin", "--json", "mydesk.py", cwd=tmp_path)
    (found,) = json.loads(done.output)
    assert (done.code, set(found), found["code"]) == (1, {"code", "place", "message", "fix"}, "MR501")
    assert command("check-plugin", "--no-run", "mydesk.py", cwd=tmp_path).code == 0
    file.write_text("nonsense", encoding="utf-8")
    done = command("check-plugin", "mydesk.py", cwd=tmp_path)
    assert (done.code, "MR001" in done.output) == (1, True)
    assert "its functions were not called" in done.errors


def test_hostile_data_follows_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "login": {"type": "integer", "minimum": 5},
            "to": {"anyOf": [{"$ref": "#/$defs/Side"}, {"type": "null"}]},
            "any": {},
        },
        "required": ["login"],
        "$defs": {"Side": {"enum": ["buy", "sell"]}},
    }
    made = list(cases(schema, {"login": 9}))
    assert made[0].data == {"login": 9}
    assert types_of(schema["properties"]["to"], schema) == {"string", "null"}  # type: ignore[index]
    wrong = {json.dumps(case.data): case.wrong for case in made}
    assert wrong['{"login": "x"}'] == "login"
    assert wrong['{"login": -1}'] is None
    assert wrong['{"login": 9, "to": 1}'] == "to"
    assert wrong['{"login": 9, "to": "x"}'] is None
    assert wrong['{"login": 9, "any": [[]]}'] is None
    assert wrong["{}"] == "login"
    assert wrong['{"login": 9, "no_such_field": 1}'] == "no_such_field"
    assert [case.data for case in made] == [case.data for case in cases(schema, {"login": 9})]
