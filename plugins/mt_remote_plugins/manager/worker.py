"""The worker process of one MT4 connection: ``python -m mt_remote_plugins.manager.worker``.

It reads tasks from its standard input and writes notices to its standard output. The library may crash or hang it;
the gateway then kills it and lives on.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import sys
import threading
from typing import BinaryIO

from mt_remote_plugins.manager.engine.engine import Engine
from mt_remote_plugins.manager.engine.frames import read_frame, write_frame
from mt_remote_plugins.manager.engine.messages import Notice, Task


class _Writer:
    """Writes notices in batches from a thread of its own, so that no handle waits for the pipe."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: queue.SimpleQueue[Notice | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mt4-writer", daemon=True)
        self._thread.start()

    def emit(self, notice: Notice) -> None:
        self._queue.put(notice)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = [self._queue.get()]
            while len(batch) < 1000 and not self._queue.empty():
                batch.append(self._queue.get())
            ended = None in batch
            try:
                write_frame(self._stream, [notice for notice in batch if notice is not None])
            except OSError:  # the gateway is gone; reading its tasks will end too
                return


def main() -> None:
    """Serves one connection until its tasks end."""
    tasks, notices = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not get among the frames
    faulthandler.enable()
    writer = _Writer(notices)
    source, tuning = read_frame(tasks)
    engine = Engine(source, writer.emit, tuning)
    try:
        while True:
            message = read_frame(tasks)
            engine.submit(Task(*message))
    except EOFError:
        engine.close()
    writer.close()
    notices.flush()
    os._exit(0)  # threads of the library may still run; there is nothing left to wait for


if __name__ == "__main__":
    main()
