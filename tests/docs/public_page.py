"""The reference of what is public, from the code: every public name, what it says of itself, what it can do."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator
from types import ModuleType

from mt_remote.records import Record

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
_QUOTED = re.compile(r"(: |-> )'([^']*)'")
_ADDRESS = re.compile(r"<(?:function |class )?[^<>]*>")


def public(modules: Iterable[str]) -> str:
    """A section for each module."""
    lines: list[str] = []
    for name in modules:
        module = importlib.import_module(name)
        lines += [f"## {name}", "", first_paragraph(module.__doc__), "", "| name | what it is |", "| --- | --- |"]
        constants = dict(_documented_constants(module))
        for each in sorted(module.__all__):
            thing = getattr(module, each)
            lines.append(f"| `{_spelt(each, thing)}` | {about(thing, constants.get(each, ''))} |")
            if inspect.isclass(thing) and getattr(thing, "__module__", "") in (name, *_inner(module)):
                lines += _members(each, thing)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _inner(module: ModuleType) -> list[str]:
    """The modules of a package, whose classes it shows as its own."""
    return [value.__name__ for value in vars(module).values() if inspect.ismodule(value)]


def about(thing: object, said: str) -> str:
    """What it is: its docstring's first paragraph, a type's description, an enum's members, what stands below a
    constant."""
    for extra in getattr(thing, "__metadata__", ()):
        if description := getattr(extra, "description", None):
            return str(description)
    if inspect.isclass(thing):
        own = vars(thing).get("__doc__") or ""
        if own.startswith(f"{thing.__name__}("):  # what dataclass makes up
            own = ""
        if issubclass(thing, enum.Enum):
            return " ".join(filter(None, [first_paragraph(own), f"Members: {', '.join(thing.__members__)}."]))
        return first_paragraph(own)
    if inspect.isroutine(thing):
        return first_paragraph(thing.__doc__)
    return _in_one_line(said)


def first_paragraph(text: str | None) -> str:
    return _in_one_line(inspect.cleandoc(text or "").partition("\n\n")[0])


def _in_one_line(text: str) -> str:
    return _ROLE.sub(r"`\1`", " ".join(text.split())).replace("``", "`").replace("|", "\\|")


def _documented_constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    """(name, text) of each assignment with a text below it."""
    body = ast.parse(inspect.getsource(module)).body
    for before, after in itertools.pairwise(body):
        if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
            target = before.target if isinstance(before, ast.AnnAssign) else before.targets[0]
            if isinstance(after.value, ast.Constant):
                yield ast.unparse(target), str(after.value.value)


def _spelt(name: str, thing: object) -> str:
    """A name with how it is called, where that is its own."""
    if inspect.isroutine(thing) or (inspect.isclass(thing) and _is_made_by_hand(thing)):
        return f"{name}{_signature(thing)}"
    return name


def _is_made_by_hand(thing: type) -> bool:
    if issubclass(thing, BaseException):
        return "__init__" in vars(thing)
    if issubclass(thing, Record | enum.Enum):
        return False
    if getattr(thing, "_is_protocol", False):
        return False
    return dataclasses.is_dataclass(thing) or "__init__" in vars(thing)


def _signature(thing: object) -> str:
    text = str(inspect.signature(thing))  # type: ignore[arg-type]
    text = _QUOTED.sub(r"\1\2", _ADDRESS.sub("…", text))
    return text.replace("(self, ", "(").replace("(self)", "()").replace("|", "\\|")


def _members(owner: str, thing: type) -> Iterator[str]:
    """What a class can do: a row for each method and property of its own that has a name of its own."""
    if issubclass(thing, Record | enum.Enum):
        return
    if not dataclasses.is_dataclass(thing):
        for name, kind in inspect.get_annotations(thing).items():
            yield f"| `{owner}.{name}: {kind}` | |"
    for name, each in vars(thing).items():
        if name.startswith("_"):
            continue
        if isinstance(each, property):
            yield f"| `{owner}.{name}` | {first_paragraph(each.__doc__)} |"
        elif isinstance(each, classmethod | staticmethod) or inspect.isroutine(each):
            inner = inspect.unwrap(getattr(thing, name))
            wait = "await " if inspect.iscoroutinefunction(inner) else ""
            yield f"| `{wait}{owner}.{name}{_signature(inner)}` | {first_paragraph(inner.__doc__)} |"
