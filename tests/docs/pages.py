"""Fills the generated parts of the pages in docs/: ``python -m tests.docs.pages`` (scripts/docs).

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; what is outside is written by hand.
"""

from __future__ import annotations

import json
import re
import tempfile
from functools import cache
from pathlib import Path

import anyio

import mt4sim.gateway
import mt_remote_plugins
import mt_remote_plugins.manager.plugin
from mt4sim.gateway import control
from mt4sim.gateway.faults import Rule
from mt4sim.native import coverage
from mt_remote.dispatch.functions import Function
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote.records import RECORDS
from mt_remote_tools.checking import CODES
from mt_remote_tools.checking.public import PUBLIC
from mt_remote_tools.cli import flags, reference
from mt_remote_tools.cli.configuration import PREFIX
from tests.docs import public_page
from tests.docs.scenario import Story, tell

DOCS = Path(__file__).parents[2] / "docs"
_PART = re.compile(r"(<!-- generated: (?P<name>[\w.-]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)


def hooks() -> Hooks:
    """The hooks of what we ship."""
    return Hooks(
        plugin_manager(
            plugins=[mt_remote_plugins, mt_remote_plugins.manager.plugin, mt4sim.gateway], entry_points=False
        )
    )


@cache
def story() -> Story:
    """The conversation, once."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(tell, Path(folder))


def shipped() -> list[Function]:
    """Every function that is served on the simulator, in the order in which they are declared."""
    return [Function(d, plugin) for plugin, space in hooks().namespaces("simulator") for d in space.functions]


def part(name: str) -> str:
    """A generated part by its name."""
    own = {declared.name for space in control.NAMESPACES for declared in space.functions}
    if name == "functions":
        return reference.functions((f for f in shipped() if f.name not in own), story().exchanges)
    if name == "simulator-functions":
        return reference.functions((f for f in shipped() if f.name in own), story().exchanges)
    if name == "fault-rules":
        return fault_rules()
    if name == "events":
        return reference.events((kind for _, kind in hooks().event_kinds()), story().events)
    if name == "records":
        return reference.records(RECORDS)
    if name == "codes":
        return reference.codes()
    if name == "findings":
        return reference.findings(CODES)
    if name == "public":
        return public_page.public(PUBLIC)
    if name == "settings":
        return reference.settings(flags.flags_of(None), PREFIX)
    if name == "slots":
        return "\n".join(coverage.markdown(coverage.coverage())) + "\n"
    backend = find_backend(hooks(), name.removeprefix("settings-"))
    own_flags = [flag for flag in flags.flags_of(backend) if flag.path[0] == backend.name]
    return reference.settings(own_flags, PREFIX)


def fault_rules() -> str:
    """A table of what a rule of faults may say."""
    schema = Rule.model_json_schema()["properties"]
    lines = ["| field | type | meaning |", "| --- | --- | --- |"]
    for name, field in Rule.model_fields.items():
        kinds = [each for each in schema[name].get("anyOf", [schema[name]]) if each.get("type") != "null"]
        choices = " ".join(f"`{each}`" for each in kinds[0].get("enum", ()))
        kind = choices or {"string": "text", "boolean": "bool", "integer": "int"}.get(kinds[0]["type"], "number")
        default = "" if field.is_required() or field.default in (None, "") else f"; default {json.dumps(field.default)}"
        meaning = field.description or ""
        lines.append(f"| `{name}` | {kind} | {meaning[:1].upper()}{meaning[1:]}{default}. |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """A page with its generated parts made anew."""
    return _PART.sub(lambda found: f"{found[1]}\n{part(found['name'])}\n{found[4]}", text)


def main() -> None:
    """Writes every page that changed."""
    for path in sorted(DOCS.glob("*.md")):
        old = path.read_text(encoding="utf-8")
        new = filled(old)
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(f"{path.name} written")


if __name__ == "__main__":
    main()
