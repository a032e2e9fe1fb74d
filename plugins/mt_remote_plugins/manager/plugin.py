"""The backend as a plugin: registers itself and its commands as a stranger's would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt_remote.plugin import BackendSpec, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer

    from mt_remote.plugin import Area, Backend
    from mt_remote_plugins.manager.settings import ManagerSettings


def _make(settings: ManagerSettings) -> Backend:
    """The backend, once its library was seen to be usable."""
    from mt_remote_plugins.manager.backend import ManagerBackend
    from mt_remote_plugins.manager.probe import require_usable

    require_usable(settings.library, isolated=settings.isolate, seconds=settings.login_timeout)
    return ManagerBackend(settings)


def _areas() -> Iterable[type[Area]]:
    from mt_remote_plugins.manager.areas import AREAS

    return AREAS


@hookimpl
def mt_remote_backends() -> list[BackendSpec]:
    """The backend ``manager``."""
    from mt_remote_plugins.manager.settings import ManagerSettings

    help_text = "the MT4 Manager library (mtmanapi64.dll or mtmanapi.dll)"
    spec = BackendSpec(
        "manager", ManagerSettings, _make, help_text, shared=("code_page",), areas=_areas, reaches_out=True
    )
    return [spec]


@hookimpl(optionalhook=True)  # where the tools are
def mt_remote_commands(app: typer.Typer) -> None:
    """``doctor`` and ``native``."""
    from mt_remote_plugins.manager import commands

    commands.add_to(app)
