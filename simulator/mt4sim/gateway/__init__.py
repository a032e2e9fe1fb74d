"""The simulator as a backend of the MT Remote gateway: the only room that knows the gateway's plugin API."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from mt_remote.plugin import Area, Backend, BackendSpec, Namespace, hookimpl

if TYPE_CHECKING:
    import typer

    from mt4sim.gateway.settings import SimulatorSettings
    from mt_remote.plugin import Gateway
    from mt_remote_tools.testing import StandSpec


def _make(settings: SimulatorSettings) -> Backend:
    from mt4sim.gateway.backend import SimulatorBackend

    return SimulatorBackend(settings)


def _areas() -> Iterable[type[Area]]:
    from mt4sim.gateway.areas import AREAS

    return AREAS


@hookimpl
def mt_remote_hookspecs() -> list[ModuleType]:
    from mt4sim.gateway import hookspecs

    return [hookspecs]


@hookimpl
def mt_remote_backends() -> list[BackendSpec]:
    from mt4sim.gateway.settings import SimulatorSettings

    help_text = "an MT4 server in memory, nothing else needed"
    return [BackendSpec("simulator", SimulatorSettings, _make, help_text, areas=_areas)]


@hookimpl(optionalhook=True)  # where the tools are
def mt_remote_stands() -> list[StandSpec]:
    from mt4sim.gateway import stand

    return [stand.SPEC]


@hookimpl
def mt_remote_backend_namespaces(backend: str) -> list[Namespace]:
    """The control functions, where there is a simulator to control."""
    if backend != "simulator":
        return []
    from mt4sim.gateway import control

    return control.NAMESPACES


@hookimpl
def mt_remote_gateway_starting(gateway: Gateway) -> None:
    """External commands of the simulated server go to the plugins that implement this room's hook."""
    from mt4sim.gateway import echo
    from mt4sim.gateway.backend import SimulatorBackend

    if isinstance(gateway.backend, SimulatorBackend):
        manager = gateway.plugins
        if not manager.is_registered(echo):
            manager.register(echo, "simulator-echo")
        gateway.backend.external = lambda command: manager.hook.mt_remote_simulator_external(command=command)


@hookimpl(optionalhook=True)  # where the tools are
def mt_remote_commands(app: typer.Typer) -> None:
    from mt4sim.gateway import commands

    commands.add(app)
