"""``serve --workers``: several processes behind one port, as people run it."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from mt_remote.errors import ConfigurationError
from mt_remote.workers import supervisor
from tests.cli.command import PATIENCE, Gateway, command

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")

LOGIN = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}


def children(pid: int) -> list[int]:
    """The processes that a process started, oldest first."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return sorted(int(each) for each in found.stdout.split())


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def ask(socket: ClientConnection, name: str, **data: object) -> dict[str, object]:
    socket.send(json.dumps({"id": 1, "name": name, "data": data}))
    while True:
        message: dict[str, object] = json.loads(socket.recv(PATIENCE))
        if "event" not in message:
            return message


def test_it_says_one_port_and_every_session_sees_one_server() -> None:
    with Gateway("--workers", "2") as running, ExitStack() as stack:
        assert "2 workers share the port" in running.said
        assert running.said.count("listening on") == 1
        sockets = [stack.enter_context(connect(running.url, proxy=None)) for _ in range(12)]
        for each in sockets:
            assert ask(each, "connect", **LOGIN) == {"id": 1, "status": "OK"}
        assert ask(sockets[0], "tick.add", symbol="EURUSD", bid=1.5, ask=1.6)["status"] == "OK"
        for each in sockets:
            assert '"bid": 1.5' in json.dumps(ask(each, "ticks.get", symbol="EURUSD"))
        _, *workers = children(running.process.pid)
        assert len(workers) == 2
        assert running.stop(signal.SIGTERM) == 0
        for each in sockets:
            with pytest.raises(ConnectionClosed, match="1001"):
                each.recv(PATIENCE)
    assert "Traceback" not in running.errors
    assert not any(alive(pid) for pid in workers)


def test_a_worker_that_dies_is_started_again() -> None:
    with Gateway("--workers", "2") as running:
        before = children(running.process.pid)
        os.kill(before[1], signal.SIGKILL)
        until(lambda: set(children(running.process.pid)) - set(before))
        (new,) = set(children(running.process.pid)) - set(before)
        os.kill(before[2], signal.SIGSTOP)  # only the new one can answer
        try:
            until(lambda: answers(running.url))
        finally:
            os.kill(before[2], signal.SIGCONT)
        assert alive(new)
    assert running.code == 0
    assert "a worker ended; it is started again" in running.errors


def answers(url: str) -> bool:
    """Whether one attempt to connect and ask succeeds soon."""
    try:
        with connect(url, proxy=None, open_timeout=0.3, close_timeout=0.1) as each:
            return ask(each, "connect", **LOGIN)["status"] == "OK"
    except (OSError, TimeoutError):
        return False


def test_without_the_backend_there_is_nothing_to_serve() -> None:
    with Gateway("--workers", "2") as running:
        backend, *workers = children(running.process.pid)
        os.kill(backend, signal.SIGKILL)
        assert running.process.wait(PATIENCE) == 1
        until(lambda: not any(map(alive, workers)))
    assert "the process with the backend ended" in running.errors


def test_children_end_with_their_parent() -> None:
    with Gateway("--workers", "2") as running:
        processes = children(running.process.pid)
        assert len(processes) == 3
        running.process.kill()
        running.process.wait(PATIENCE)
        until(lambda: not any(map(alive, processes)))


def test_ctrl_c_reaches_all_and_ends_them_in_order() -> None:
    """As from a terminal: every process gets the signal; calls in flight are answered all the same."""
    with Gateway("--workers", "2") as running, connect(running.url, proxy=None) as each:
        assert ask(each, "connect", **LOGIN)["status"] == "OK"
        for pid in (running.process.pid, *children(running.process.pid)):
            os.kill(pid, signal.SIGINT)
        with pytest.raises(ConnectionClosed, match="1001"):
            each.recv(PATIENCE)
        assert running.process.wait(PATIENCE) == 0


def test_tls_and_a_new_certificate(tmp_path: Path) -> None:
    assert command("cert", "--out", str(tmp_path)).code == 0
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    with Gateway("--workers", "2", "--tls-cert", str(certificate), "--tls-key", str(key)) as running:
        assert running.url.startswith("wss://")
        old = served(running.url, certificate)
        assert old == ssl.PEM_cert_to_DER_cert(certificate.read_text())
        assert command("cert", "--out", str(tmp_path), "--force").code == 0
        new = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        running.process.send_signal(signal.SIGHUP)
        until(lambda: all(served(running.url, None) == new for _ in range(8)))


def served(url: str, authority: Path | None) -> bytes | None:
    """The certificate that a connection is shown."""
    context = ssl.create_default_context(cafile=authority)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    host, _, port = url.removeprefix("wss://").partition(":")
    plain = socket.create_connection((host, int(port)), PATIENCE)
    with plain, context.wrap_socket(plain, server_hostname=host) as secure:
        return secure.getpeercert(binary_form=True)


def test_a_port_that_is_taken_and_a_backend_that_cant_start() -> None:
    with Gateway("--workers", "2") as running:
        port = running.url.rpartition(":")[2]
        for workers in ("1", "2"):
            done = command("serve", "--port", port, "--workers", workers)
            assert (done.code, done.output) == (2, "")
            assert f"can't listen on 127.0.0.1:{port}: " in done.errors
            assert "address already in use" in done.errors.lower()
    done = command("serve", "--port", "0", "--workers", "2", "--feed", "replay")
    assert (done.code, done.output) == (2, "")
    assert done.errors == "mt-remote: --feed replay needs --replay FILE, a CSV of time,symbol,bid,ask\n"


@pytest.mark.parametrize("what", ["SO_REUSEPORT", "AF_UNIX"])
def test_systems_that_cant(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.delattr(socket, what)
    with pytest.raises(ConfigurationError, match=f"workers: several processes need {what}, which this system"):
        supervisor.check_system()


def test_no_worker_is_a_mistake() -> None:
    done = command("serve", "--workers", "0")
    assert (done.code, done.errors) == (2, "mt-remote: --workers: must be greater than 0\n")
