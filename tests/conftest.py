"""The pytest plugin that MT Remote ships, where the distribution isn't installed and so pytest doesn't find it."""

from __future__ import annotations

import os
import tempfile

import pytest

from mt_remote_tools import pytest_plugin

os.environ["MT_REMOTE_STATE"] = "memory"  # nothing of a test is to last
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="mt-remote-tests-")  # where that is forgotten, for processes too


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.has_plugin("mt_remote"):
        pluginmanager.register(pytest_plugin, "mt_remote")
