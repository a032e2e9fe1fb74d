"""The server's code page is one setting: what the gateway accepts is what the library gets, byte for byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import mt_remote_plugins
from mt4sim.native.shared_server import SharedServer
from mt_remote.errors import ConfigurationError
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote.shell.server import running
from mt_remote_plugins.manager import plugin
from mt_remote_tools.cli.configuration import Given, load, model_for
from tests.cli.command import Gateway
from tests.native.current import serving
from tests.stories.client import Client, manager

pytestmark = pytest.mark.anyio

_LIBRARY = "tests.native.current:library"
_USER = {"login": 100, "group": "miniforex", "name": "Иван", "password": "Pass1", "enable": True, "leverage": 100}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _made(**given: Any) -> tuple[Any, Hooks, Any]:
    """Settings as ``serve`` reads them, and the backend that it makes of them."""
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
    spec = find_backend(hooks, "manager")
    own = {"library": _LIBRARY, "isolate": False, **given.pop("manager", {})}
    settings = load(model_for(spec, [spec]), Given({"port": 0, **given, "manager": own}, {}))
    return settings, hooks, spec.make(settings)


@asynccontextmanager
async def _gateway(code_page: str) -> AsyncIterator[tuple[SharedServer, Client]]:
    with serving(code_page) as shared:
        settings, hooks, backend = _made(code_page=code_page)
        async with running(settings, hooks, backend) as gateway, manager(gateway.url, dialect="2") as client:
            yield shared, client


async def test_cyrillic_reaches_the_server_and_comes_back() -> None:
    async with _gateway("cp1251") as (shared, client):
        await client.call_with("user.add", _USER)
        await client.call("order.balance", login=100, command="balance", amount=1000.0, comment="взнос")
        ticket = await client.call(
            "order.open", login=100, symbol="EURUSD", command="buy", volume=0.1, price=1.1, comment="заявка №1"
        )
        account = shared.server.accounts.find(100)
        assert account is not None
        assert account.record().name == "Иван"
        assert shared.server.record(shared.server.trading.engine.book.find(ticket["order"])).comment == "заявка №1"
        assert (await client.call("users.get", logins=[100]))[0]["name"] == "Иван"
        assert (await client.call("trade.get", order=ticket["order"]))["comment"] == "заявка №1"
        history = await client.call("trades.history", login=100)
        assert [trade["comment"] for trade in history] == ["взнос"]


@pytest.mark.parametrize(("code_page", "name"), [("cp1251", "日本"), ("cp1251", "José"), ("cp1252", "Иван")])
async def test_what_the_code_page_lacks_is_refused_by_field(code_page: str, name: str) -> None:
    async with _gateway(code_page) as (shared, client):
        for function, data in (("user.add", {**_USER, "name": name}), ("order.modify", {"order": 1, "comment": name})):
            error = await client.fails(function, **data)
            assert error.code == "invalid_data"
            assert code_page in error.message
            assert [each["path"] for each in error.details] == ["comment" if "comment" in data else "name"]
        assert shared.server.accounts.find(100) is None


@pytest.mark.parametrize("way", ["flag", "variable", "file"])
async def test_the_ways_to_set_it(way: str, tmp_path: Path) -> None:
    flags, environment = [], {"MT4SIM_CODE_PAGE": "cp1251", "MT4SIM_CLOCK": "manual"}
    if way == "flag":
        flags = ["--code-page", "cp1251"]
    elif way == "variable":
        environment["MT_REMOTE_CODE_PAGE"] = "cp1251"
    else:
        (tmp_path / "gateway.toml").write_text('code_page = "cp1251"\n')
        flags = ["--config", str(tmp_path / "gateway.toml")]
    library = ["--plugin", plugin.__name__, "--backend", "manager", "--library", "mt4sim.native.library:library"]
    with Gateway(*library, *flags, environment=environment) as gateway:
        async with manager(gateway.url) as client:
            await client.call_with("user.add", _USER)
            assert (await client.call("users.get", logins=[100]))[0]["name"] == "Иван"


def test_two_code_pages_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"manager\.code_page is 'cp1251' and code_page is 'cp1252': set"):
        _made(manager={"code_page": "cp1251"})
