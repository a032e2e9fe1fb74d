"""The commands as people run them: what they print, on which stream, with which exit code."""

from __future__ import annotations

import json
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer
from websockets.sync.client import connect

from mt_remote.errors import PluginError
from mt_remote.plugin import hookimpl
from mt_remote.settings import Settings
from mt_remote_tools.cli import main
from mt_remote_tools.cli.app import build
from mt_remote_tools.cli.commands.serve import warn_of_plain_text
from tests.cli.command import PATIENCE, Gateway, command, start

SHIPPED = ["--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway"]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        yield running


def test_what_serve_says(gateway: Gateway) -> None:
    lines = gateway.said.splitlines()
    assert lines[0].startswith("MT Remote ")
    assert lines[1].startswith("backend simulator: ")
    assert "functions" in lines[2]
    assert lines[3].startswith("plugins: ")
    assert lines[4] == "idempotency keys in memory: a restart forgets them"
    assert lines[5] == f"listening on {gateway.url}"
    assert gateway.url.startswith("ws://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: int) -> None:
    with Gateway("--log-json") as running, connect(running.url, proxy=None) as socket:
        socket.send('{"id": 1, "name": "nosuch"}')
        assert json.loads(socket.recv())["status"] == "ERROR"
        assert running.stop(number) == 0
        assert socket.close_code == 1001
    assert "Traceback" not in running.errors
    assert json.loads(running.errors.splitlines()[-1])["event"] == "stopping"


@pytest.mark.parametrize("dialect", ["0", "1.00", "2"])
def test_call_in_each_dialect(gateway: Gateway, dialect: str) -> None:
    done = command("call", "--url", gateway.url, "--dialect", dialect, "config.group.get", '{"group": "demoforex"}')
    assert (done.code, done.errors) == (0, "")
    assert json.loads(done.output)["group"] == "demoforex"
    done = command("call", "--url", gateway.url, "--dialect", dialect, "config.group.get", '{"group": "nosuch"}')
    assert (done.code, done.output) == (1, "")
    code = "not_found: " if dialect == "2" else ""
    assert done.errors == f"mt-remote: {code}Cannot find group 'nosuch'\n"


def test_call_of_what_returns_nothing(gateway: Gateway) -> None:
    words = ["call", "--url", gateway.url, "--key", "once", "tick.add", '{"symbol": "GBPUSD", "bid": 1.2, "ask": 1.3}']
    assert command(*words) == command(*words)
    assert (command(*words).code, command(*words).output) == (0, "")


def test_a_password_is_never_printed(gateway: Gateway) -> None:
    for dialect in ("1.00", "2"):
        done = command(
            "call", "--url", gateway.url, "--dialect", dialect, "users.get.all",
            environment={"MT_REMOTE_PASSWORD": "hunter2"},
        )  # fmt: skip
        assert done.code == 1
        assert "bad_account_info" in done.errors
        assert "hunter2" not in done.errors + done.output
    assert "hunter2" not in command("call", "--help", environment={"MT_REMOTE_PASSWORD": "hunter2"}).output


def test_watch_prints_events_until_it_has_enough(gateway: Gateway) -> None:
    watching = start("watch", "--url", gateway.url, "tick", "--symbol", "AUDUSD", "--count", "2")
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith("watching tick on ")
    for bid in (0.61, 0.62):
        data = json.dumps({"symbol": "AUDUSD", "bid": bid, "ask": bid + 0.01})
        assert command("call", "--url", gateway.url, "tick.add", data).code == 0
    output, _ = watching.communicate(timeout=PATIENCE)
    messages = [json.loads(line) for line in output.splitlines()]
    assert [message["data"]["bid"] for message in messages] == [0.61, 0.62]
    assert watching.returncode == 0


def test_watch_ends_with_ctrl_c(gateway: Gateway) -> None:
    watching = start("watch", "--url", gateway.url, "group")
    assert watching.stderr is not None
    watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=PATIENCE)
    assert (watching.returncode, errors) == (130, "")


def test_a_reader_that_has_seen_enough(gateway: Gateway) -> None:
    calling = start("call", "--url", gateway.url, "config.groups.get.all")
    assert calling.stdout is not None
    assert calling.stderr is not None
    calling.stdout.close()
    errors = calling.stderr.read()
    calling.stderr.close()
    assert (calling.wait(PATIENCE), errors) == (1, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["serve", "--prot", "1"], "No such option: --prot"),
        (["serve", "--port", "70000"], "--port: must be less than or equal to 65535"),
        (["serve", "--backend", "nosuch"], "no plugin brings a backend 'nosuch'; there is "),
        (["serve", "--tls-cert", "nosuch.pem"], "TLS needs both --tls-cert and --tls-key"),
        (["serve", "--tls-cert", "nosuch.pem", "--tls-key", "k"], "TLS file 'nosuch.pem' does not exist"),
        (["serve", "--world", "nosuch.toml"], "nosuch.toml"),
        (["serve", "--clock", "noon"], "--clock: must be 'wall', 'manual' or a date"),
        (["serve", "--config", "nosuch.toml"], "configuration file 'nosuch.toml': No such file"),
        (["serve", "--plugin", "nosuch"], "plugin module 'nosuch' can't be imported"),
        (["serve", "--plugins-dir", "nosuch"], "plugin folder 'nosuch' does not exist"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], "can't listen on 192.0.2.1:0"),
        (["functions", "--backend", "nosuch"], "no plugin brings a backend 'nosuch'"),
        (["call"], "Missing argument 'NAME'"),
        (["call", "x", "{"], "the data is not JSON"),
        (["call", "--url", "http://x", "x"], "--url 'http://x' is not the address of a gateway"),
        (["call", "--dialect", "3", "x"], "--dialect: must be one of 0, 1.00, 2"),
        (["cert", "--host", "é"], "--host 'é' is neither a name nor an address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = SHIPPED if words[0] in ("serve", "functions") else []
    assert main([*words, *more]) == 2
    output, errors = capsys.readouterr()
    lines = [line for line in errors.splitlines() if not line.startswith("WARNING")]
    assert output == ""
    assert len(lines) == 1
    assert lines[0].startswith("mt-remote: ")
    assert said in lines[0]


def test_no_gateway_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "--url", "ws://127.0.0.1:1", "users.get.all"]) == 1
    assert capsys.readouterr().err.startswith("mt-remote: no gateway at ws://127.0.0.1:1: ")


def test_a_port_in_use_is_one_line(gateway: Gateway) -> None:
    port = gateway.url.rpartition(":")[2]
    done = command("serve", "--port", port)
    assert done.code == 2
    assert done.errors.startswith(f"mt-remote: can't listen on 127.0.0.1:{port}: ")
    assert done.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("a.b", True)]
)
def test_plain_text_on_a_network_is_warned_of(host: str, warned: bool, capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_plain_text(Settings(host=host))
    assert ("WARNING: serving plain ws://" in capsys.readouterr().err) is warned
    warn_of_plain_text(Settings(host=host, tls_cert=Path("c"), tls_key=Path("k")))
    assert capsys.readouterr().err == ""


def test_plugins_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", *SHIPPED]) == 0
    said = capsys.readouterr().out
    assert "config.common.get" in said
    assert "backend simulator" in said


def test_functions_for_people_and_as_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", *SHIPPED]) == 0
    said = capsys.readouterr().out
    assert "list of TradeRecord" in said
    assert "login, from?, to?" in said
    assert main(["functions", "--markdown", *SHIPPED]) == 0
    assert "#### trades.history" in capsys.readouterr().out


def test_help_names_every_command_and_the_backends_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHIPPED, "--help"]) == 0
    said = capsys.readouterr().out
    for name in ("serve", "plugins", "functions", "call", "watch", "cert", "version", "world"):
        assert f" {name} " in said
    assert main(["serve", *SHIPPED, "--help"]) == 0
    said = capsys.readouterr().out
    for flag in ("--world", "--clock", "--speed", "--feed", "--seed", "--deadlines-trade"):
        assert flag in said


def test_the_default_world_starts_a_gateway(tmp_path: Path) -> None:
    world = command("world")
    assert world.code == 0
    assert "docs/worlds.md explains every\n# table" in world.output
    (tmp_path / "own.toml").write_text(world.output, encoding="utf-8")
    with Gateway("--world", "own.toml", "--clock", "2020-05-14T12:00", cwd=tmp_path) as running:
        assert "'Demo'" in running.said


def test_a_certificate_that_clients_can_trust(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tls"
    assert main(["cert", "--out", str(folder), "--host", "example.org", "--host", "127.0.0.1"]) == 0
    assert str(folder / "cert.pem") in capsys.readouterr().out
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    before = (folder / "key.pem").read_bytes()
    assert main(["cert", "--out", str(folder)]) == 2
    assert "exists; --force overwrites it" in capsys.readouterr().err
    assert (folder / "key.pem").read_bytes() == before
    assert main(["cert", "--out", str(folder), "--force"]) == 0
    assert (folder / "key.pem").read_bytes() != before


def test_version() -> None:
    done = command("version")
    assert (done.code, done.errors) == (0, "")
    assert done.output.startswith("mt-remote ")


def test_scripts_are_what_readme_says_and_can_be_run() -> None:
    root = Path(__file__).parents[2]
    for name in ("serve", "test", "check", "docs"):
        path = root / "scripts" / name
        assert path.stat().st_mode & stat.S_IXUSR
        assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    assert subprocess.run(["bash", "-n", str(root / ".ci" / "run")], check=False).returncode == 0


def test_two_plugins_can_not_add_the_same_command(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def mt_remote_commands(app: typer.Typer) -> None:
        @app.command()
        def serve() -> None: ...

    module = ModuleType("greedy")
    vars(module)["mt_remote_commands"] = mt_remote_commands
    monkeypatch.setitem(sys.modules, "greedy", module)
    with pytest.raises(PluginError, match=r"plugin 'greedy' adds a command 'serve', which plugin .* has already"):
        build(["--plugin", "greedy", "--help"])


def test_hook_calls_are_printed_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "nosy.py").write_text(
        "from mt_remote.plugin import hookimpl\n\n@hookimpl\ndef mt_remote_session_opened(session):\n    pass\n",
        encoding="utf-8",
    )
    for flags in (["--trace-hooks"], []):
        with Gateway("--plugins-dir", str(tmp_path), *flags) as running, connect(running.url, proxy=None):
            pass
        traced = [line for line in running.errors.splitlines() if line.startswith("hook: ")]
        assert bool(traced) == bool(flags)
        if flags:
            assert any(line.startswith("hook: mt_remote_session_opened nosy ") for line in traced)
            assert all(line.endswith(" ms ok") for line in traced)
