"""Tries what was not tried yet of a session: ``python -m tests.simulator.trading.mutation_worker SESSION``, in the
folder whose files may be changed.

What cosmic-ray's own ``exec`` does, but that the tests of each change run in a fork of this process, which has loaded
everything that they need apart from the simulator: loading takes several times as long as most changes need to fail.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import multiprocessing
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from cosmic_ray.config import load_config
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult

CONFIG = Path(__file__).with_name("mutation.toml")
CHANGED = "mt4sim"
"""The package whose modules are changed."""
LOADED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
"""Which is meant."""


def load_all_but_the_changed() -> None:
    """Loads what the simulator needs; the simulator itself, which is loaded with it, is forgotten. None of it is looked
    at by the forks' garbage collection."""
    importlib.import_module(f"{CHANGED}.trading")
    for name in [name for name in sys.modules if name.partition(".")[0] == CHANGED]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()


def _pytest(arguments: list[str], output: Path) -> None:
    with output.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        sys.exit(pytest.main(arguments))


def run_tests(arguments: list[str], timeout: float) -> tuple[bool, str]:
    """Whether the tests pass in time, and what they say."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        process = multiprocessing.get_context("fork").Process(target=_pytest, args=(arguments, output))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            return False, "timeout"
        return process.exitcode == 0, output.read_text()


def run_in_turn(command: str, timeout: float) -> tuple[bool, str]:
    """The same for a command of pytest's. Its first file, which should notice most, runs before the others are even
    looked at."""
    words = command.split()[3:]  # behind "python -m pytest"
    files = [word for word in words if word.endswith(".py")]
    options = ["-W", LOADED, *(word for word in words if word not in files)]
    passed, output = run_tests([*options, files[0]], timeout)
    return run_tests([*options, *files[1:]], timeout) if passed and files[1:] else (passed, output)


def attempt(change: MutationSpec, command: str, timeout: float) -> WorkResult:
    """Makes a change, runs the tests and takes it back."""
    operator = get_operator(change.operator_name)(**change.operator_args)
    with use_mutation(change.module_path, operator, change.occurrence) as (source, changed):
        if changed is None:
            raise LookupError(f"the session is of other sources: there is no {change} in them")
        passed, output = run_in_turn(command, timeout)
    outcome = TestOutcome.SURVIVED if passed else TestOutcome.KILLED
    lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=0)
    return WorkResult(WorkerOutcome.NORMAL, output=output, test_outcome=outcome, diff="\n".join(list(lines)[2:]))


def main(session: str) -> None:
    config = load_config(str(CONFIG))
    load_all_but_the_changed()
    passed, output = run_in_turn(config.test_command, config.timeout)
    if not passed:
        sys.exit(f"the tests fail without a change:\n{output}")
    sys.dont_write_bytecode = True  # it would be taken for that of another change of the same second and size
    with use_db(session) as found:
        for item in sorted(found.pending_work_items, key=lambda item: str(item.mutations[0].module_path)):
            found.set_result(item.job_id, attempt(item.mutations[0], config.test_command, config.timeout))


if __name__ == "__main__":
    main(sys.argv[1])
