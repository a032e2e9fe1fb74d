"""Fixtures of the native tests: the shared object, built once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mt4sim.native.build import build, this_python
from mt_remote.errors import ConfigurationError


@pytest.fixture(scope="session")
def shared_object(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The simulated library as a shared object that serves the running test's server. ``MT_REMOTE_TEST_LIBRARY`` names
    one that was built before."""
    os.environ["MT4SIM_LIBRARY"] = "tests.native.current:library"
    built = os.environ.get("MT_REMOTE_TEST_LIBRARY")
    try:
        yield Path(built) if built else build(this_python(), tmp_path_factory.mktemp("library"))
    except ConfigurationError as error:
        pytest.skip(str(error))
    finally:
        os.environ.pop("MT4SIM_LIBRARY", None)
