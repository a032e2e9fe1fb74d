"""The plugin host: finds plugins, checks them, and builds what they register into one :class:`Catalogue`."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from weakref import WeakKeyDictionary

import pluggy
from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer

from mt_remote import hookspecs
from mt_remote.area import Area, Declared, implementing
from mt_remote.backend import Event
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.registry import Registry
from mt_remote.errors import PluginError
from mt_remote.interfaces import EventKind
from mt_remote.plugin import API_VERSION, HOOKSPEC_VERSION, PROJECT, BackendSpec
from mt_remote.plugins.hooks import Hooks
from mt_remote.records.declare import DIALECTS, building_for


def plugin_manager(
    modules: Iterable[str] = (),
    folders: Iterable[Path] = (),
    plugins: Iterable[object] = (),
    *,
    entry_points: bool = True,
    without: Collection[str] = (),
) -> pluggy.PluginManager:
    """A plugin manager with everything registered and checked.

    ``modules`` are importable names, or paths of one-file plugins (``house.py``), ``folders`` hold one-file plugins
    (``*.py``), ``plugins`` are objects. Modules in ``without`` are left alone wherever they are named. Raises
    :class:`~mt_remote.errors.PluginError` for one that can't be loaded or does not fit the hooks.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        for point in importlib.metadata.entry_points(group=PROJECT) if entry_points else ():
            if point.module not in without:
                _register(manager, _load_point(point), point.name)
        for name in (each for each in modules if each not in without):
            _register(manager, load_plugin(name), Path(name).stem if name.endswith(".py") else name)
        for folder in folders:
            for path in _files(folder):
                _register(manager, _load(path), path.stem)
        for plugin in plugins:
            _register(manager, plugin, getattr(plugin, "__name__", None))
        for extra in manager.hook.mt_remote_hookspecs():
            for module in extra:
                manager.add_hookspecs(module)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"{error}; the hooks and their arguments are listed in docs/plugins.md") from error
    return manager


def _register(manager: pluggy.PluginManager, plugin: object, name: str | None) -> None:
    if manager.is_registered(plugin):
        return
    wanted = getattr(plugin, "mt_remote_api", API_VERSION)
    if not has_version(wanted):
        raise PluginError(f"plugin {name!r} needs version {wanted!r} of the hooks, this gateway has {HOOKSPEC_VERSION}")
    try:
        manager.register(plugin, name)
    except ValueError as error:
        raise PluginError(f"plugin {name!r}: {error}") from error


def has_version(wanted: object) -> bool:
    """Whether these hooks are of the version that a plugin states: ``1``, or ``"1.1"``."""
    major, _, minor = str(wanted).partition(".")
    if not major.isdecimal() or (minor and not minor.isdecimal()):
        return False
    own_major, _, own_minor = HOOKSPEC_VERSION.partition(".")
    return int(major) == int(own_major) and int(minor or 0) <= int(own_minor)


def _load_point(point: importlib.metadata.EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        whose = f"plugin {point.name!r} ({point.value})"
        raise PluginError(f"{whose} can't be imported: {type(error).__name__}: {error}") from error


def load_plugin(name: str) -> ModuleType:
    """A plugin's module by its name, or by the path of its file where that ends with ``.py``. Raises
    :class:`~mt_remote.errors.PluginError`."""
    return _load(Path(name)) if name.endswith(".py") else _import(name)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise PluginError(f"plugin module {name!r} can't be imported: {type(error).__name__}: {error}") from error


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise PluginError(f"plugin folder {str(folder)!r} does not exist")
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _load(path: Path) -> ModuleType:
    name = f"mt_remote_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin file {str(path)!r} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"plugin file {str(path)!r}: {type(error).__name__}: {error}") from error
    return module


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the plugins registered, checked against each other."""

    registry: Registry
    kinds: dict[str, EventKind]
    kind_plugins: dict[str, str]
    serializers: dict[tuple[str, str], SchemaSerializer]
    brought: tuple[type[Area], ...] = ()
    """Implementations of areas that plugins bring for a backend that is not theirs."""
    areas: Mapping[str, type[Area]] = field(default_factory=dict)
    """The areas that are declared, by what names them between processes."""

    def encode_event(self, event: Event, dialect: str) -> bytes:
        """The tail of an event's message, from ``,"data":`` on."""
        return b',"data":%b}' % self._serializer(event.kind, dialect).to_json(event.data)

    def _serializer(self, kind: str, dialect: str) -> SchemaSerializer:
        place = (kind, dialect)
        found = self.serializers.get(place)
        if found is None:
            found = self.serializers[place] = _event_serializer(self.kind_plugins[kind], self.kinds[kind], dialect)
        return found


_made: WeakKeyDictionary[Declared, dict[tuple[str, bool], Function]] = WeakKeyDictionary()


def _function(declared: Declared, plugin: str, *, offered: bool = True) -> Function:
    """A declared function, made once for all gateways of a process: working out its validation takes some ms."""
    by_plugin = _made.setdefault(declared, {})
    if (plugin, offered) not in by_plugin:
        by_plugin[plugin, offered] = Function(declared, plugin, offered=offered)
    return by_plugin[plugin, offered]


def catalogue(
    hooks: Hooks,
    backend: str,
    code_page: str,
    backends_own: Callable[[Declared, str], Function] = _function,
    areas: Iterable[type[Area]] | None = None,
) -> Catalogue:
    """Builds it. ``backends_own`` makes the functions of the backend's own namespaces; ``areas`` are the classes that
    the backend implements areas with, without which all count as implemented. Raises
    :class:`~mt_remote.errors.PluginError` for two of a name, naming both plugins."""
    functions: dict[str, Function] = {}
    brought = hooks.implementations(backend)
    implementations = None if areas is None else implementing([*brought, *areas])
    own = {id(declared) for _, namespace in hooks.backend_namespaces(backend) for declared in namespace.functions}
    for plugin, namespace in hooks.namespaces(backend):
        for declared in namespace.functions:
            if id(declared) in own:
                function = backends_own(declared, plugin)
            elif implementations is None or declared.area is None:
                function = _function(declared, plugin)
            else:
                offered = declared.offered_by(implementations.get(declared.area))
                function = _function(declared, plugin, offered=offered)
            other = functions.get(function.name)
            if other is not None:
                raise PluginError(
                    f"plugins {other.plugin!r} and {plugin!r} both register the function {function.name!r}; "
                    "a function's name must be its own"
                )
            functions[function.name] = function
    kinds: dict[str, EventKind] = {}
    kind_plugins: dict[str, str] = {}
    serializers: dict[tuple[str, str], SchemaSerializer] = {}
    for plugin, kind in hooks.event_kinds():
        if kind.name in kinds:
            raise PluginError(
                f"plugins {kind_plugins[kind.name]!r} and {plugin!r} both register the event kind {kind.name!r}"
            )
        if not kind.name.replace(".", "_").isidentifier() or kind.name != kind.name.lower():
            raise PluginError(
                f"plugin {plugin!r}, event kind {kind.name!r}: the name must be lower-case words joined by '_' or '.'"
            )
        kinds[kind.name], kind_plugins[kind.name] = kind, plugin
        newest = DIALECTS[-1]  # data that can't be sent shows at the start; the other dialects wait for their use
        serializers[kind.name, newest] = _event_serializer(plugin, kind, newest)
    declared_areas = {each.area.identity(): each.area for each in functions.values() if each.area is not None}
    registry = Registry(functions.values(), code_page)
    return Catalogue(registry, kinds, kind_plugins, serializers, tuple(brought), declared_areas)


def _event_serializer(plugin: str, kind: EventKind, dialect: str) -> SchemaSerializer:
    try:
        with building_for(dialect):
            adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, kind.data))
        return adapter.serializer
    except Exception as error:
        raise PluginError(f"plugin {plugin!r}, event kind {kind.name!r}: its data can't be sent: {error}") from error


def find_backend(hooks: Hooks, name: str) -> BackendSpec:
    """The backend of that name. Raises :class:`~mt_remote.errors.PluginError` when no plugin brings it."""
    specs: dict[str, BackendSpec] = {}
    plugins: dict[str, str] = {}
    for plugin, spec in hooks.backends():
        if spec.name in specs:
            raise PluginError(f"plugins {plugins[spec.name]!r} and {plugin!r} both bring a backend {spec.name!r}")
        specs[spec.name], plugins[spec.name] = spec, plugin
    if name not in specs:
        known = ", ".join(sorted(specs)) or "none"
        raise PluginError(f"no plugin brings a backend {name!r}; there is {known}")
    return specs[name]
