"""Settings of ``serve`` from flags, environment, file and defaults, in falling order of precedence.

Plugins are found first (:class:`Startup`), since the backends that they bring have settings of their own: a table
``[NAME]`` in the file and variables ``MT_REMOTE_NAME__FIELD``.
"""

from __future__ import annotations

import argparse
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from mt_remote.dispatch.problems import problems_of
from mt_remote.errors import ConfigurationError, PluginError
from mt_remote.plugin import BackendSpec
from mt_remote.settings import Settings

PREFIX = "MT_REMOTE_"
S = TypeVar("S", bound=BaseSettings)

_PLUGINS: Any = Field(default_factory=list, description="modules of further plugins")
_PLUGINS_DIR: Any = Field(default_factory=list, description="folders of one-file plugins")


@dataclass(frozen=True, slots=True)
class Given:
    """What flags and file say, as nested tables. ``names`` has the flag of each path."""

    flags: Mapping[str, Any]
    file: Mapping[str, Any]
    path: Path | None = None
    names: Mapping[tuple[str, ...], str] = field(default_factory=dict)


class _Sourced(BaseSettings):
    """Reads ``given`` beside the environment."""

    given: ClassVar[Given] = Given({}, {})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        flags = InitSettingsSource(settings_cls, dict(cls.given.flags))
        file = InitSettingsSource(settings_cls, dict(cls.given.file))
        return flags, env_settings, file


class Startup(_Sourced):
    """What has to be known before plugins are loaded."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    plugins: list[str] = _PLUGINS
    plugins_dir: list[Path] = _PLUGINS_DIR
    backend: str = str(Settings.model_fields["backend"].default)

    @classmethod
    def read(cls, arguments: list[str]) -> Self:
        """From a command line, whatever its command. Raises :class:`~mt_remote.errors.ConfigurationError`."""
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
        parser.add_argument("--config", default=argparse.SUPPRESS)
        parser.add_argument("--backend", default=argparse.SUPPRESS)
        parser.add_argument("--plugin", action="append", dest="plugins", default=argparse.SUPPRESS)
        parser.add_argument("--plugins-dir", action="append", default=argparse.SUPPRESS)
        try:
            flags = vars(parser.parse_known_args(arguments)[0])
        except argparse.ArgumentError:  # a value is missing: the real parser says so better
            flags = {}
        path = flags.get("config") or os.environ.get(PREFIX + "CONFIG")
        given = Given(flags, read_file(Path(path)) if path else {}, Path(path) if path else None)
        names: dict[tuple[str, ...], str] = {
            ("plugins",): "--plugin",
            ("plugins_dir",): "--plugins-dir",
            ("backend",): "--backend",
        }
        return load(cls, replace(given, names=names))


def read_file(path: Path) -> dict[str, Any]:
    """A configuration file's tables. Raises :class:`~mt_remote.errors.ConfigurationError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"configuration file {str(path)!r}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"configuration file {str(path)!r} is not TOML: {error}") from error


def model_for(chosen: BackendSpec, specs: Iterable[BackendSpec]) -> type[Settings]:
    """The settings with everything that can be set: the gateway's, the plugins, the chosen backend's. Other backends'
    tables may be there and are not looked at."""
    fields: dict[str, Any] = {
        "plugins": (list[str], _PLUGINS),
        "plugins_dir": (list[Path], _PLUGINS_DIR),
    }
    for spec in specs:
        if spec.name in Settings.model_fields or spec.name in fields or not spec.name.isidentifier():
            raise PluginError(f"a backend can't be called {spec.name!r}: a setting has that name, or it is no name")
        fields[spec.name] = (dict[str, Any], Field(default_factory=dict))
    fields[chosen.name] = (
        chosen.settings,
        Field(default_factory=dict, validate_default=True, description=chosen.help),
    )
    bases = cast("tuple[type[Settings], ...]", (_Sourced, Settings))
    return create_model("ServeSettings", __base__=bases, **fields)


def load(model: type[S], given: Given) -> S:
    """Reads and validates. Raises :class:`~mt_remote.errors.ConfigurationError` that names the flag, the variable or
    the entry of the file that is wrong."""
    sourced = cast("type[S]", type(model.__name__, (model,), {"given": given, "__module__": __name__}))
    try:
        return sourced()
    except ValidationError as error:
        raise ConfigurationError(_explain(model, given, error)) from error
    except SettingsError as error:
        raise ConfigurationError(f"{error}: lists and tables are written as JSON in the environment") from error


def _explain(model: type[BaseModel], given: Given, error: ValidationError) -> str:
    sentences = []
    for problem in problems_of(error):
        path = tuple(part for part in problem.path.split(".") if not part.isdigit())
        sentence = problem.problem
        if sentence == "is not a field of this":
            near = difflib.get_close_matches(path[-1], _fields(model, path[:-1]), n=1)
            sentence = "there is no such setting" + (f"; did you mean {near[0]!r}?" if near else "")
        sentences.append(f"{_origin(given, path)}: {sentence}")
    return "; ".join(sentences)


def _fields(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        kind = field.annotation if field else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        model = kind
    return list(model.model_fields)


def _origin(given: Given, path: tuple[str, ...]) -> str:
    """Where a setting comes from, as whoever wrote it would say."""
    if _has(given.flags, path):
        return given.names.get(path, ".".join(path))
    variables = {name.upper() for name in os.environ}
    for length in range(len(path), 0, -1):
        variable = PREFIX + "__".join(path[:length]).upper()
        if variable in variables:
            return variable
    if given.path is not None and _has(given.file, path):
        return f"{given.path}: {'.'.join(path)}"
    return ".".join(path)


def _has(table: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = table
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
