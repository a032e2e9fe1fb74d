"""The pytest plugin ``mt_remote``: found by pytest wherever MT Remote is installed; ``-p no:mt_remote`` leaves it out.

It is part of the core, so that it works for any backend: servers and worlds come from plugins, by the hook
``mt_remote_stands``. Nothing of the gateway is imported before a fixture is asked for: every pytest in an environment
that has MT Remote loads this module.

Fixtures: ``mt_gateway`` (a :class:`~mt_remote_tools.testing.Bench`), ``mt_client``, ``mt4_server``, ``mt4_world``,
``manual_clock``. To override: ``mt_plugins``, ``mt4_world``, ``mt_settings``. Markers: ``mt_remote_plugins``,
``mt_remote_backends``. Setting in pytest's configuration: ``mt_remote_plugins``. Option: ``--mt-remote-target URL``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from mt_remote.client import Client
    from mt_remote_tools.testing import Bench, ManualClock
    from mt_remote_tools.testing.elsewhere import GatewayElsewhere

_ELSEWHERE = "on a gateway elsewhere (--mt-remote-target) a test can't hold the server"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "mt_remote_plugins", "modules of the MT Remote plugins under test, beside those that are installed",
        type="args", default=[],
    )  # fmt: skip
    group = parser.getgroup("mt_remote", "MT Remote")
    group.addoption("--mt-remote-target", metavar="URL", help="run against this gateway instead of one in this process")
    group.addoption("--mt-remote-server", metavar="NAME", default="Demo", help="MT4 server to log in at on the target")
    group.addoption(
        "--mt-remote-login", metavar="LOGIN", type=int, default=1,
        help="manager's login on the target; the password is in the variable MT_REMOTE_PASSWORD",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "mt_remote_plugins(*plugins): MT Remote plugins for this test: modules' names or objects"
    )
    config.addinivalue_line(
        "markers",
        "mt_remote_backends(*names): run the test on each of these backends; without names on every one that plugins "
        "bring a test stand for",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("mt_remote_backends")
    if marker is None or "mt_backend" not in metafunc.fixturenames:
        return
    names: list[Any] = list(marker.args)
    if metafunc.config.getoption("--mt-remote-target"):
        why = f"it is for the backend {' or '.join(names)}; what the target (--mt-remote-target) has is not known"
        names = [pytest.param("target", marks=[pytest.mark.skip(reason=why)] if names else [])]
    elif not names:
        from mt_remote_tools.testing import backends_with_stands

        names = backends_with_stands(metafunc.config.getini("mt_remote_plugins"))
    metafunc.parametrize("mt_backend", names, indirect=True)


# What tests may override


@pytest.fixture
def mt_plugins() -> Sequence[str | object]:
    """Plugins for this test beside those of the marker and the configuration: modules' names or objects."""
    return []


@pytest.fixture
def mt_settings() -> Mapping[str, object]:
    """Settings of the gateway that differ from the defaults, by their names in docs/configuration.md."""
    return {}


@pytest.fixture
def mt4_world(mt_backend: str, _mt_manager: Any) -> object:
    """What the server starts from. The stand's own unless a test overrides this."""
    from mt_remote_tools.testing import stands

    if mt_backend == "target":
        pytest.skip(_ELSEWHERE)
    spec = stands(_mt_manager).get(mt_backend)
    return None if spec is None else spec.world()


# What tests use


@pytest.fixture
def mt_backend(request: pytest.FixtureRequest) -> str:
    """The backend's name: the marker's, or the one that ``serve`` takes by default."""
    from mt_remote.settings import Settings

    if request.config.getoption("--mt-remote-target"):
        return "target"
    return str(getattr(request, "param", Settings.model_fields["backend"].default))


@pytest.fixture
def mt_gateway(request: pytest.FixtureRequest, mt_backend: str) -> Iterator[Bench | GatewayElsewhere]:
    """A gateway with the plugins under test, on a free port; or the target."""
    if mt_backend == "target":
        from mt_remote_tools.testing.elsewhere import GatewayElsewhere

        with GatewayElsewhere(request.config.getoption("--mt-remote-target"), _credentials(request.config)) as target:
            yield target
        return
    yield request.getfixturevalue("_mt_bench")


@pytest.fixture
def mt_client(mt_gateway: Bench | GatewayElsewhere) -> Client:
    """A client of the gateway, logged in as a manager who may do everything."""
    return mt_gateway.client()


@pytest.fixture
def mt4_server(mt_backend: str, request: pytest.FixtureRequest) -> Any:
    """The MT4 server behind the gateway, in the test's hands."""
    if mt_backend == "target":
        pytest.skip(_ELSEWHERE)
    return request.getfixturevalue("_mt_bench").server


@pytest.fixture
def manual_clock(mt_backend: str, request: pytest.FixtureRequest) -> ManualClock:
    """The server's clock: it moves when the test says so."""
    if mt_backend == "target":
        pytest.skip(_ELSEWHERE)
    clock: ManualClock = request.getfixturevalue("_mt_bench").clock
    return clock


# How they are made


@pytest.fixture(scope="session")
def _mt_portal() -> Iterator[BlockingPortal]:
    """The event loop of all gateways in this process, on a thread of its own."""
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def _mt_manager(request: pytest.FixtureRequest, mt_plugins: Sequence[str | object]) -> Any:
    from mt_remote_tools.testing.bench import manager_of

    marked = [plugin for marker in request.node.iter_markers("mt_remote_plugins") for plugin in marker.args]
    return manager_of([*marked, *mt_plugins], modules=request.config.getini("mt_remote_plugins"))


@pytest.fixture
def _mt_bench(
    mt_backend: str, mt4_world: object, mt_settings: Mapping[str, object], _mt_manager: Any, _mt_portal: BlockingPortal
) -> Iterator[Bench]:
    from mt_remote_tools.testing import Bench

    with Bench(_mt_manager, mt_backend, _mt_portal, world=mt4_world, settings=mt_settings) as bench:
        yield bench


def _credentials(config: pytest.Config) -> Any:
    from mt_remote.client import Credentials

    password = os.environ.get("MT_REMOTE_PASSWORD")
    if password is None:
        raise pytest.UsageError("--mt-remote-target needs the manager's password in the variable MT_REMOTE_PASSWORD")
    return Credentials(config.getoption("--mt-remote-server"), config.getoption("--mt-remote-login"), password)
