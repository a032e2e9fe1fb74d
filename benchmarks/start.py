"""``python -m benchmarks.start``: how long ``mt-remote serve`` takes from the start of its process to its first answer,
beside ``python -c "import pydantic"``, in turns. Nothing is pinned. Prints medians in s, of the clock and of the CPU,
and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from websockets.sync.client import connect

_CONNECT = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}
_SERVE = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--state", "memory",
          "--log-level", "warning"]  # fmt: skip
_IMPORT = [sys.executable, "-c", "import pydantic"]


class Took(NamedTuple):
    """Seconds."""

    clock: float
    cpu: float


def _children_cpu() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def first_answer() -> Took:
    """A gateway, up to its answer to ``connect``. Its CPU time has its end in it too."""
    began, spent = time.perf_counter(), _children_cpu()
    with subprocess.Popen(_SERVE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.search(r"ws://\S+", line)))
        with connect(url, proxy=None) as client:
            client.send(json.dumps({"id": 1, "name": "connect", "data": _CONNECT}))
            answer = json.loads(client.recv())
        took = time.perf_counter() - began
        process.terminate()
    if answer != {"id": 1, "status": "OK"}:
        raise RuntimeError(f"the first answer is {answer}")
    return Took(took, _children_cpu() - spent)


def imported() -> Took:
    """pydantic alone."""
    began, spent = time.perf_counter(), _children_cpu()
    subprocess.run(_IMPORT, check=True)
    return Took(time.perf_counter() - began, _children_cpu() - spent)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args(arguments).rounds
    first_answer(), imported()  # what the first of all reads from the disk
    pairs = [(first_answer(), imported()) for _ in range(rounds)]
    print(f"medians of {rounds}, s\n\n| | first answer | `import pydantic` | ratio |\n| --- | --- | --- | --- |")
    for title, place in (("clock", 0), ("CPU", 1)):
        ours, theirs = (statistics.median(pair[side][place] for pair in pairs) for side in (0, 1))
        ratio = statistics.median(pair[0][place] / pair[1][place] for pair in pairs)
        print(f"| {title} | {ours:.2f} | {theirs:.2f} | {ratio:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
