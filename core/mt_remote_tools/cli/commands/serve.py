"""``mt-remote serve``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mt_remote_tools.cli import configuration, flags
from mt_remote_tools.cli.configuration import Given, Startup
from mt_remote_tools.command_line import RELOAD, CommandLine, Config, Plugin, PluginsDir

if TYPE_CHECKING:
    from mt_remote.backend import Backend
    from mt_remote.plugin import BackendSpec
    from mt_remote.plugins.hooks import Hooks
    from mt_remote.settings import Settings
    from mt_remote.shell.server import Running

HELP = """Serve a gateway until SIGTERM or SIGINT.

Every setting may also stand in the file that --config names or in a variable MT_REMOTE_<SETTING>; a flag wins over a
variable, a variable over the file. The backend's own settings depend on --backend."""


_Reload: TypeAlias = Annotated[
    bool, typer.Option(RELOAD, help="start anew when a plugin's source changes; needs mt-remote[dev]")
]


def command(line: CommandLine) -> Callable[..., int]:
    """The command, with a flag for each setting of the gateway and of the backend that was chosen. Raises
    :class:`~mt_remote.errors.PluginError` where it will be run on a backend that nobody brings."""
    from mt_remote.plugins.hooks import Hooks
    from mt_remote.plugins.host import find_backend

    if line.command != "serve":  # it is listed: nobody looks at its flags
        return _listed
    hooks, startup = Hooks(line.manager), line.startup
    specs = {spec.name: spec for _, spec in hooks.backends()}
    if "--help" not in line.words:
        find_backend(hooks, startup.backend)
    own = flags.flags_of(specs.get(startup.backend))

    def serve(**values: Any) -> int:
        spec = find_backend(hooks, startup.backend)
        return run(settings_from(own, values, spec, hooks, startup), hooks, spec)

    fixed = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "reload" else None, annotation=annotation
        )
        for name, annotation in (
            ("config", Config),
            ("plugin", Plugin),
            ("plugins_dir", PluginsDir),
            ("reload", _Reload),  # app.run() sees to it before any plugin is loaded
        )
    ]
    parameters = [flag.parameter for flag in own] + fixed
    serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    serve.__annotations__ = {each.name: each.annotation for each in parameters}
    return serve


def _listed() -> int:
    """Stands for the command where it is not run."""
    return 0


def settings_from(
    own: list[flags.Flag], values: dict[str, Any], spec: BackendSpec, hooks: Hooks, startup: Startup
) -> Settings:
    """What flags, environment and file come to."""
    table = flags.given(own, values)
    for name in ("plugins", "plugins_dir"):
        if name in startup.given.flags:
            table[name] = startup.given.flags[name]
    names = {flag.path: flag.name for flag in own} | dict(startup.given.names)
    model = configuration.model_for(spec, [each for _, each in hooks.backends()])
    return configuration.load(model, Given(table, startup.given.file, startup.given.path, names))


def run(settings: Settings, hooks: Hooks, spec: BackendSpec) -> int:
    """Serves until a signal comes; gives the exit code."""
    from mt_remote import logs

    if settings.state is None:
        settings = settings.model_copy(update={"state": data_folder()})
    logs.configure(settings.log_level, as_json=settings.log_json)
    if settings.trace_hooks:
        _print_hooks(hooks)
    if settings.workers > 1:
        from mt_remote.workers.supervisor import Supervisor

        warn_of_plain_text(settings)
        announce = partial(_announce_workers, spec, hooks, settings.workers)
        return Supervisor(settings, hooks, spec, _on_a_loop, announce).run()
    from mt_remote.shell import server

    backend = spec.make(settings)
    warn_of_plain_text(settings)
    _on_a_loop(partial(server.serve, settings, hooks, backend, announce=partial(_announce, backend, hooks)))
    return 0


def data_folder() -> Path:
    """Where the platform keeps data of ours."""
    from platformdirs import user_data_path

    return user_data_path("mt-remote", appauthor=False)


def _on_a_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    import anyio

    anyio.run(main, backend="asyncio", backend_options={"use_uvloop": _has_uvloop()})


def _print_hooks(hooks: Hooks) -> None:
    from mt_remote.plugins.tracing import trace

    trace(hooks.manager, lambda call: print(f"hook: {call}", file=sys.stderr, flush=True))


def _has_uvloop() -> bool:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return False
    return True


def warn_of_plain_text(settings: Settings) -> None:
    """Passwords and money cross the network in the clear: nobody should learn that from a newspaper."""
    from mt_remote.addresses import is_loopback

    if settings.tls_cert is not None or is_loopback(settings.host) or settings.host == "localhost":
        return
    print(
        f"WARNING: serving plain ws:// on {settings.host}: passwords and everything else can be read and changed on "
        "the way. Use --tls-cert and --tls-key (mt-remote cert makes a pair for development), or --host 127.0.0.1",
        file=sys.stderr,
    )


def _announce(backend: Backend, hooks: Hooks, running: Running) -> None:
    gateway = running.gateway
    keys = gateway.idempotency.describe()
    _say(backend.name, backend.describe(), keys, len(gateway.functions), len(gateway.kinds), hooks)
    print(f"listening on {running.url}", flush=True)


def _announce_workers(spec: BackendSpec, hooks: Hooks, workers: int, said: dict[str, Any]) -> None:
    _say(spec.name, said["describe"], said["keys"], said["functions"], said["kinds"], hooks)
    print(f"{workers} workers share the port")
    print(f"listening on {said['url']}", flush=True)


def _say(backend: str, described: str, keys: str, functions: int, kinds: int, hooks: Hooks) -> None:
    from mt_remote_tools.cli.commands.version import installed_version

    plugins = [name for name, _ in hooks.manager.list_name_plugin()]
    print(f"MT Remote {installed_version()}")
    print(f"backend {backend}: {described}")
    print(f"{functions} functions, {kinds} kinds of event")
    print(f"plugins: {', '.join(plugins)}")
    print(f"idempotency keys {keys}")
