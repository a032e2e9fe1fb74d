"""The pytest plugin that MT Remote ships, where the distribution isn't installed and so pytest doesn't find it."""

from __future__ import annotations

import pytest

from mt_remote_tools import pytest_plugin


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.has_plugin("mt_remote"):
        pluginmanager.register(pytest_plugin, "mt_remote")
