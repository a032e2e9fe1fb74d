"""Who may refuse what: as ``vetoes`` states it, as it is asked, and as ``mt-remote plugins`` shows it."""

from __future__ import annotations

import pytest

import mt4sim.gateway
from mt_remote.client import Client
from mt_remote.errors import PluginError
from mt_remote.plugin import Call, EventKind, Namespace, Refused, Session, hookimpl
from mt_remote.plugin import vetoes as may_refuse
from mt_remote.plugins.host import plugin_manager
from mt_remote_tools.cli.commands.plugins import describe_plugins, vetoes

asked: list[str] = []


class Shop:
    __name__ = "shop"

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        shop = Namespace("shop")
        for name in ("buy", "sell", "look"):
            shop.function(name)(nothing)
        return [shop]


def nothing() -> None:
    """Does nothing."""


class Sales:
    __name__ = "sales"

    @hookimpl
    @may_refuse("shop.buy", "shop.se*")
    def mt_remote_call_started(self, session: Session, call: Call) -> None:
        """Refuses to trade."""
        asked.append(call.name)
        raise Refused("closed")


class Later:
    __name__ = "later"

    @hookimpl(trylast=True)
    @may_refuse("shop.look")
    async def mt_remote_call_started(self, call: Call) -> None:
        asked.append(call.name)
        raise Refused("dark")


class Anything:
    __name__ = "anything"

    @hookimpl(tryfirst=True)
    def mt_remote_call_started(self) -> None:
        """Never refuses."""


def test_who_is_shown_in_the_order_of_asking() -> None:
    manager = plugin_manager(plugins=[Shop(), Anything(), Later(), Sales()], entry_points=False)
    described = describe_plugins(manager)
    assert vetoes(manager, described) == [
        ("anything", "any", "Never refuses."),
        ("sales", "shop.buy, shop.sell", "Refuses to trade."),
        ("later", "shop.look", "it does not say what; mt_remote_call_started in tests.cli.test_vetoes"),
    ]
    by_name = {each["name"]: each for each in described}
    assert by_name["sales"]["refuses"] == ["shop.buy", "shop.se*"]
    assert by_name["anything"]["implements"]["mt_remote_call_started"]["order"] == ["tryfirst"]
    assert by_name["shop"]["refuses"] == []


@pytest.mark.mt_remote_plugins(Shop(), Sales(), Later())
def test_each_is_asked_of_its_own(mt_client: Client) -> None:
    asked.clear()
    assert mt_client.fails("shop.buy").message == "closed"
    assert mt_client.fails("shop.look").message == "dark"
    assert mt_client.call("ticks.get", symbol="EURUSD") is not None
    assert asked == ["shop.buy", "shop.look"]


def test_what_is_no_veto() -> None:
    with pytest.raises(TypeError, match="names of the functions"):
        may_refuse()
    with pytest.raises(TypeError, match="must take 'call'"):

        @may_refuse("order.*")
        def mt_remote_call_started(session: Session) -> None: ...


class OnTheirs:
    __name__ = "on theirs"

    @hookimpl
    def mt_remote_backend_namespaces(self, backend: str) -> list[Namespace]:
        own = Namespace("ours")
        own.function(f"on_{backend}")(nothing)
        return [own]


class Broken:
    __name__ = "broken"

    @hookimpl
    def mt_remote_event_kinds(self) -> list[EventKind]:
        raise ZeroDivisionError("by nought")


def test_functions_on_the_backends_of_others() -> None:
    manager = plugin_manager(plugins=[mt4sim.gateway, OnTheirs()], entry_points=False)
    by_name = {each["name"]: each for each in describe_plugins(manager)}
    assert by_name["on theirs"]["functions"] == ["ours.on_simulator"]


def test_a_plugin_that_fails_is_named() -> None:
    manager = plugin_manager(plugins=[Broken()], entry_points=False)
    with pytest.raises(
        PluginError, match="plugin 'broken': mt_remote_event_kinds failed: ZeroDivisionError: by nought"
    ):
        describe_plugins(manager)
