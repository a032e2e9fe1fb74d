"""Every example in README.md and in the pages that the gateway's documentation consists of is run."""

from __future__ import annotations

import asyncio
import os
import shlex
import tomllib
from pathlib import Path

import pytest

from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote_tools.cli.configuration import Given, load, model_for
from tests.cli.command import Gateway, command
from tests.docs import conversations, pages
from tests.docs.conversations import ROOT, Block, blocks
from tests.stories.conftest import open_desk

README = ROOT / "README.md"
PAGES = [README, ROOT / "docs" / "protocol.md", ROOT / "docs" / "plugins.md", ROOT / "docs" / "configuration.md"]
_ELSEWHERE = ("nights.py", "nowhere.py")  # one refuses trades, the other is a backend: each has a test of its own


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def conversations_of(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.is_conversation]


@pytest.mark.anyio
async def test_conversations_of_the_protocol_page() -> None:
    async with open_desk() as desk:
        for block in conversations_of(ROOT / "docs" / "protocol.md"):
            if block.text.startswith("→"):
                text = block.text
                if '"ticks.get"' in text:
                    await conversations.run(Block("", SET_PRICE, 0), desk.url)
                await conversations.run(Block(block.language, text, block.line), desk.url)


SET_PRICE = """→ {"id": 1, "name": "tick.add", "data": {"symbol": "EURUSD", "bid": 1.1, "ask": 1.1001}}
← {"id": 1, "status": "OK"}
"""


@pytest.mark.anyio
async def test_plugins_of_the_guide(tmp_path: Path) -> None:
    page = ROOT / "docs" / "plugins.md"
    for name in set(conversations.write_plugins(page, tmp_path)) & set(_ELSEWHERE):
        (tmp_path / name).unlink()
    found = conversations_of(page)
    async with open_desk(plugins=loaded(tmp_path)) as desk:
        for block in found:
            if "order.close_all" not in block.text:
                await conversations.run(block, desk.url)
    conversations.write_plugins(page, tmp_path)
    nights = [plugin for plugin in loaded(tmp_path) if str(vars(plugin)["__name__"]).endswith("nights")]
    async with open_desk(plugins=tuple(nights)) as desk:
        for block in found:
            if "order.close_all" in block.text:
                await conversations.run(block, desk.url)
    assert vars(nights[0])["audit"] == ["1 connect OK", "1 order.close_all desk_closed"]


def loaded(folder: Path) -> tuple[object, ...]:
    manager = plugin_manager(folders=[folder], entry_points=False)
    return tuple(manager.get_plugins())


def test_the_backend_of_the_guide(tmp_path: Path) -> None:
    conversations.write_plugins(ROOT / "docs" / "plugins.md", tmp_path)
    flags = ["--plugins-dir", str(tmp_path), "--backend", "nowhere", "--reason", "closed for the night"]
    with Gateway(*flags) as gateway:
        assert "backend nowhere: no server at all" in gateway.said
        answer = command("call", "--url", gateway.url, "desk.limit", '{"lots": 1}')
    assert (answer.code, answer.errors) == (1, "mt-remote: no_connection: closed for the night\n")


def test_readme_from_top_to_bottom(tmp_path: Path) -> None:
    """One gateway, started as README says: its conversations, its shell commands, its plugin."""
    conversations.write_plugins(README, tmp_path)
    with Gateway("--plugins-dir", str(tmp_path)) as gateway:
        for block in blocks(README):
            if block.is_conversation:
                asyncio.run(conversations.run(block, gateway.url))
            elif block.language == "sh":
                run_shell(block, gateway, tmp_path)


def run_shell(block: Block, gateway: Gateway, folder: Path) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line)
        if words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), line
            continue
        assert words[0] == "mt-remote", line
        done = command(*words[1:], environment={"MT_REMOTE_URL": gateway.url}, cwd=folder)
        assert (done.code, done.errors) == (0, ""), line
        assert done.output


def test_tls_as_the_page_says(tmp_path: Path) -> None:
    """`cert`, `serve`, `call`, with the port that is free here."""
    (block,) = [block for block in blocks(ROOT / "docs" / "configuration.md") if block.language == "sh"]
    cert, serve, call = [shlex.split(line)[1:] for line in block.text.splitlines()]
    assert command(*cert, cwd=tmp_path).code == 0
    with Gateway(*serve[1:], cwd=tmp_path) as gateway:
        assert gateway.url.startswith("wss://127.0.0.1:")
        port = gateway.url.rpartition(":")[2]
        done = command(*[word.replace("8228", port) for word in call], cwd=tmp_path)
    assert (done.code, done.errors) == (0, "")
    assert '"name": "Demo"' in done.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_in_toml(page: Path) -> None:
    hooks = pages.hooks()
    simulator = find_backend(hooks, "simulator")
    for block in blocks(page):
        if block.language == "toml" and "[project" not in block.text:
            settings = load(model_for(simulator, [simulator]), Given({}, tomllib.loads(block.text)))
            assert settings.servers == ["Demo"]
            assert settings.deadlines.trade == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_block_is_left_out(page: Path) -> None:
    """A block of a language that no test here runs is a mistake."""
    known = {"", "dialect-2", "python", "sh", "toml"}
    assert {block.language for block in blocks(page)} <= known
    assert all(block.is_conversation for block in blocks(page) if block.language in ("", "dialect-2"))
