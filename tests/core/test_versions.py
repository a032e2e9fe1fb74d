"""The hooks' version, and hooks that are to go."""

from __future__ import annotations

import inspect
import re
import warnings
from types import ModuleType

import pytest

from mt_remote import hookspecs
from mt_remote.errors import DeprecatedHook, PluginError
from mt_remote.plugin import HOOKSPEC_VERSION, hookimpl
from mt_remote.plugins.host import plugin_manager


@hookspecs.deprecated(since="1.1", replacement="mt_remote_new")
def mt_remote_old(number: int) -> None:
    """An old hook."""


@hookspecs.hookspec
def mt_remote_new(number: int) -> None:
    """What replaces it."""


SPECS = ModuleType("specs")
SPECS.mt_remote_old = mt_remote_old  # type: ignore[attr-defined]
SPECS.mt_remote_new = mt_remote_new  # type: ignore[attr-defined]


class Brings:
    @hookimpl
    def mt_remote_hookspecs(self) -> list[ModuleType]:
        return [SPECS]


class Old:
    def __init__(self) -> None:
        self.told: list[int] = []

    @hookimpl
    def mt_remote_old(self, number: int) -> None:
        self.told.append(number)


class New:
    @hookimpl
    def mt_remote_new(self, number: int) -> None: ...


def test_a_deprecated_hook_warns_of_its_replacement_and_works() -> None:
    old = Old()
    expected = (
        "the hook 'mt_remote_old' is deprecated since version 1.1 of the hooks; implement 'mt_remote_new' instead"
    )
    with pytest.warns(DeprecatedHook) as caught:
        manager = plugin_manager(plugins=[Brings(), old], entry_points=False)
    assert str(caught[0].message) == expected
    assert caught[0].filename == __file__
    assert caught[0].lineno == inspect.getsourcelines(Old.mt_remote_old)[1]
    manager.hook.mt_remote_old(number=3)
    assert old.told == [3]


def test_its_replacement_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plugin_manager(plugins=[Brings(), New()], entry_points=False)


@pytest.mark.parametrize("version", [1, "1", "1.0", HOOKSPEC_VERSION])
def test_versions_that_these_hooks_have(version: object) -> None:
    plugin = ModuleType("fits")
    plugin.mt_remote_api = version  # type: ignore[attr-defined]
    assert plugin_manager(plugins=[plugin], entry_points=False).has_plugin("fits")


@pytest.mark.parametrize("version", [0, 2, "2.0", "1.99", "1.x", "", None, 1.5])
def test_versions_that_they_have_not(version: object) -> None:
    plugin = ModuleType("odd")
    plugin.mt_remote_api = version  # type: ignore[attr-defined]
    expected = f"plugin 'odd' needs version {version!r} of the hooks, this gateway has {HOOKSPEC_VERSION}"
    with pytest.raises(PluginError, match=re.escape(expected)):
        plugin_manager(plugins=[plugin], entry_points=False)
