"""Flags of ``serve``, made from the fields of the settings: each field is declared once, where it is used."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mt_remote.plugin import BackendSpec
from mt_remote.settings import Settings

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
        declarations = [self.name]
        if self.hint is bool:
            declarations = [f"{self.name}/--no-{self.name[2:]}"]
        option = typer.Option(
            *declarations, help=self.help, metavar=None if self.hint is bool else metavar(self.hint),
            rich_help_panel=self.panel, show_default=False,
        )  # fmt: skip
        kind: Any = bool if self.hint is bool else list[str] if get_origin(self.hint) is list else str
        annotation = Annotated[kind | None, option]
        name = "__".join(self.path)
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)

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
    shares with the gateway has the gateway's flag alone."""
    own = list(_fields(Settings, (), "Gateway"))
    if backend is None:
        return own
    taken = {flag.name for flag in own} | {"--config", "--plugin", "--plugins-dir", "--reload", "--help"}
    for flag in _fields(backend.settings, (backend.name,), f"Backend {backend.name}"):
        if flag.path[1] in backend.shared:
            continue
        name = flag.name if flag.name not in taken else f"--{backend.name}-{flag.name[2:]}"
        own.append(Flag(name, flag.path, flag.field, flag.hint, flag.panel))
    return own


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
