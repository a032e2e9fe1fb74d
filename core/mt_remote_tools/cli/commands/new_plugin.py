"""``mt-remote new-plugin``: writes a package whose tests pass at once."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Annotated

import pluggy
import typer

from mt_remote.errors import ConfigurationError
from mt_remote.plugins.hooks import Hooks
from mt_remote.settings import Settings
from mt_remote_tools.command_line import CommandLine, Config, Plugin, PluginsDir

HELP = (
    """Write a package for a plugin of your own: a function, what you ask for beside it, and tests that pass at once."""
)

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST = 50
_SUFFIX = ".tmpl"
_FEATURE = "README.feature"
_MODULES = {"functions": "functions", "event": "events", "veto": "veto", "backend": "backend"}
"""The parts of a package, each a folder of templates, and the module of each."""


def command(line: CommandLine) -> Callable[..., None]:
    """The command, beside the command line's plugins: what they have is taken."""

    def new_plugin(
        name: Annotated[str, typer.Argument(metavar="NAME", help="the package's name, e.g. risk-desk")],
        event: Annotated[bool, typer.Option("--event", help="with an event")] = False,
        veto: Annotated[bool, typer.Option("--veto", help="with a hook that refuses calls")] = False,
        backend: Annotated[bool, typer.Option("--backend", help="with the beginnings of a backend")] = False,
        folder: Annotated[
            Path | None, typer.Option("--into", metavar="FOLDER", help="where it goes (default: ./NAME)")
        ] = None,
        config: Config = None,
        plugin: Plugin = None,
        plugins_dir: PluginsDir = None,
    ) -> None:
        check_name(name, line.manager, backend=backend)
        wanted = {"functions": True, "event": event, "veto": veto, "backend": backend}
        target = folder or Path(name)
        written = write(name, [part for part in _MODULES if wanted[part]], target)
        for path in written:
            print(path)
        print(f"\nRun its tests: cd {target} && {Path(sys.executable).name} -m pytest")

    return new_plugin


def check_name(name: str, manager: pluggy.PluginManager, *, backend: bool) -> None:
    """Raises :class:`~mt_remote.errors.ConfigurationError` for a name that can't be a package's, a namespace's and,
    where one is wanted, a backend's."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ConfigurationError(
            f"the name {name!r}: lower-case words joined by '-' or '_', at most {_LONGEST} characters, e.g. risk-desk"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        raise ConfigurationError(f"the name {name!r} is Python's own; take another one")
    for owner, namespace in _namespaces(manager):
        if package in {namespace.partition(".")[0], namespace}:
            raise ConfigurationError(f"the name {name!r}: the namespace {package!r} is plugin {owner!r}'s already")
    taken = {spec.name for _, spec in Hooks(manager).backends()} | set(Settings.model_fields)
    if backend and package in taken | {"plugins", "plugins_dir"}:
        raise ConfigurationError(f"the name {name!r}: a backend or a setting of that name is there already")
    if importlib.util.find_spec(package) is not None:
        raise ConfigurationError(f"the name {name!r}: a module {package!r} is installed here already")


def _namespaces(manager: pluggy.PluginManager) -> Iterator[tuple[str, str]]:
    """(plugin, function) of all there are, on any backend."""
    hooks = Hooks(manager)
    for _, spec in hooks.backends():
        for owner, namespace in hooks.namespaces(spec.name):
            yield from ((owner, declared.name) for declared in namespace.functions)


def write(name: str, parts: list[str], target: Path) -> list[Path]:
    """Writes the package; gives its files. Raises :class:`~mt_remote.errors.ConfigurationError` where something is in
    the way, and writes nothing then."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(f"{str(target)!r} is there already and not an empty folder")
    values = _values(name, parts)
    contents = dict(_rendered(parts, values))
    try:
        for path, text in contents.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{str(target)!r} can't be written: {error.strerror or error}") from error
    return [target / path for path in contents]


def _values(name: str, parts: list[str]) -> dict[str, str]:
    from mt_remote_tools.cli.commands.version import installed_version

    package = name.replace("-", "_")
    modules = [f"{package}.{_MODULES[part]}" for part in parts]
    installed = re.match(r"\d+(\.\d+)*", installed_version())
    values = {
        "name": name,
        "package": package,
        "mt_remote_version": installed[0] if installed else "0",
        "entry_points": "\n".join(f'{module.replace(".", "-")} = "{module}"' for module in modules),
        "modules": ", ".join(f'"{module}"' for module in modules),
        "check": " ".join(modules),
    }
    features = [_templates() / part / (_FEATURE + _SUFFIX) for part in parts if part != "functions"]
    lines = [Template(each.read_text(encoding="utf-8")).substitute(values) for each in features]
    return {**values, "features": "".join(lines).rstrip("\n")}


def _templates() -> Traversable:
    return resources.files(__package__) / "templates"


def _rendered(parts: list[str], values: dict[str, str]) -> Iterator[tuple[Path, str]]:
    for part in parts:
        for path, template in _files(_templates() / part, Path()):
            if path.name != _FEATURE:
                text = Template(template.read_text(encoding="utf-8")).substitute(values)
                yield Path(*(values["package"] if each == "PACKAGE" else each for each in path.parts)), text


def _files(folder: Traversable, path: Path) -> Iterator[tuple[Path, Traversable]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            yield from _files(each, path / each.name)
        elif each.name.endswith(_SUFFIX):
            yield path / each.name.removesuffix(_SUFFIX), each
