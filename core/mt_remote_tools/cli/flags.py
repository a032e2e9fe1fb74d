"""Flags of ``serve``, made from the fields of the settings: each field is declared once, where it is used."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mt_remote.errors import PluginError
from mt_remote.plugin import BackendSpec
from mt_remote.settings import Settings
from mt_remote_tools.cli.configuration import PREFIX

FIXED = ("--config", "--plugin", "--plugins-dir", "--reload", "--help")
"""Flags of ``serve`` that are no settings."""

_METAVARS: dict[object, str] = {int: "INTEGER", float: "NUMBER", Path: "PATH", str: "TEXT"}


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: its name, where its value belongs, what it takes, and the panel of ``--help`` that shows it."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo
    hint: Any
    panel: str

    @property
    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter of a typer command; ``None`` when it is not given."""
        option = typer.Option(
            "/".join(self.spellings), help=self.help, metavar=None if self.hint is bool else metavar(self.hint),
            rich_help_panel=self.panel, show_default=False,
        )  # fmt: skip
        kind: Any = bool if self.hint is bool else list[str] if get_origin(self.hint) is list else str
        annotation = Annotated[kind | None, option]
        name = "__".join(self.path)
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)

    @property
    def spellings(self) -> tuple[str, ...]:
        """What may stand on a command line: a flag that is on or off has two."""
        return (self.name, f"--no-{self.name[2:]}") if self.hint is bool else (self.name,)

    @property
    def help(self) -> str:
        """The field's description and default."""
        text = self.field.description or ""
        default = self.field.get_default(call_default_factory=True, validated_data={})
        if default not in (None, [], False):
            text = f"{text} (default: {default})".strip()
        return text.replace("[", "\\[")


def metavar(hint: Any) -> str:
    """What a value of the type looks like."""
    if get_origin(hint) is Literal:
        return "|".join(str(each) for each in get_args(hint))
    if get_origin(hint) is list:
        return metavar(bare(get_args(hint)[0]))
    return _METAVARS.get(hint, "TEXT")


def bare(hint: Any) -> Any:
    """A type without ``Annotated`` and ``| None``."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, types.UnionType):
        inner = [each for each in get_args(hint) if each is not type(None)]
        if len(inner) == 1:
            return bare(inner[0])
    return hint


def flags_of(backend: BackendSpec | None) -> list[Flag]:
    """Every flag of ``serve`` on a backend; without one the gateway's. The backend's own are called
    after their fields, or, where the gateway has a flag of that name, ``--<backend>-<field>``; a setting that it
    shares with the gateway has the gateway's flag alone. Of other backends there are none. Raises
    :class:`~mt_remote.errors.PluginError` for two settings that would have one flag."""
    own = list(_fields(Settings, (), "Gateway"))
    if backend is None:
        return own
    taken = {*FIXED, *(word for flag in own for word in flag.spellings)}
    added = []
    for flag in _fields(backend.settings, (backend.name,), f"Backend {backend.name}"):
        if flag.path[1] in backend.shared:
            continue
        if not taken.isdisjoint(flag.spellings):
            flag = replace(flag, name=f"--{backend.name.replace('_', '-')}-{flag.name[2:]}")
        added.append(flag)
    _refuse_clashes(backend, added, taken)
    return own + added


def _refuse_clashes(backend: BackendSpec, flags: list[Flag], taken: set[str]) -> None:
    """Raises for a flag or a variable that would set two things: one would win without a word."""
    owners = dict.fromkeys(taken, "what the gateway has of that name")
    for flag in flags:
        field = ".".join(flag.path[1:])
        variable = PREFIX + "__".join(flag.path).upper()
        for word in (*flag.spellings, variable):
            if word in owners:
                raise PluginError(
                    f"backend {backend.name!r}: {word} would set both {owners[word]} and {field!r}; rename one of them"
                )
            owners[word] = repr(field)


def _fields(model: type[BaseModel], path: tuple[str, ...], panel: str, prefix: str = "") -> Iterator[Flag]:
    for name, field in model.model_fields.items():
        hint = bare(field.annotation)
        spelt = f"{prefix}{name.replace('_', '-')}"
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            description = field.description or name
            for inner in _fields(hint, (*path, name), panel, f"{spelt}-"):
                info = inner.field
                if not info.description:
                    info = FieldInfo.merge_field_infos(info, description=f"{description}: {inner.path[-1]}")
                yield Flag(inner.name, inner.path, info, inner.hint, panel)
        else:
            yield Flag(f"--{spelt}", (*path, name), field, hint, panel)


def given(flags: list[Flag], values: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, as nested tables."""
    tables: dict[str, Any] = {}
    for flag in flags:
        value = values.get("__".join(flag.path))
        if value is None or value == []:
            continue
        table = tables
        for part in flag.path[:-1]:
            table = table.setdefault(part, {})
        table[flag.path[-1]] = value
    return tables
