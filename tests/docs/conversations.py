"""Finds the examples in a page and runs them: conversations, plugins, shell commands, configuration."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([\w-]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: [\w.-]+ -->.*?<!-- end -->", re.DOTALL)
_GUIDE = re.compile(r"<!-- guide -->.*?<!-- end of guide -->", re.DOTALL)
_PATIENCE = 10.0
_VOLATILE = ("time",)
_CONNECT = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}


@dataclass(frozen=True)
class Block:
    """One fenced block; ``line`` is where it begins."""

    language: str
    text: str
    line: int

    @property
    def is_conversation(self) -> bool:
        return self.text.startswith(("→", "←"))


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that are written by hand, but for those of a guide."""
    return _blocks(_without(_GUIDE, page.read_text(encoding="utf-8")))


def guide(page: Path) -> list[Block]:
    """The blocks of a page's guide, which belong together and are run in their order."""
    text = page.read_text(encoding="utf-8")
    lines = zip(text.split("\n"), _without(_GUIDE, text).split("\n"), strict=True)
    inside = "\n".join("" if line == kept else line for line, kept in lines)
    return _blocks(inside)


def _without(part: re.Pattern[str], text: str) -> str:
    """The text with empty lines where the part was."""
    return part.sub(lambda found: "\n" * found[0].count("\n"), text)


def _blocks(text: str) -> list[Block]:
    text = _without(_GENERATED, text)
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(text)]


def write_plugins(page: Path, folder: Path) -> list[str]:
    """The page's plugins (blocks of Python that begin with a comment naming the file) as files in a folder."""
    names = []
    for block in blocks(page):
        if block.language == "python":
            name = block.text.partition("\n")[0].removeprefix("# ")
            assert name.endswith(".py"), f"{page.name}:{block.line}: the first line must name the file"
            (folder / name).write_text(block.text, encoding="utf-8")
            names.append(name)
    return names


async def run(block: Block, url: str) -> None:
    """Sends what the block sends and compares what comes, in a session of its own."""
    async with connect(url, proxy=None, max_size=None) as socket:
        if '"name": "connect"' not in block.text and "→" in block.text:
            version = {"version": "2"} if block.language == "dialect-2" else {}
            await socket.send(json.dumps({"id": "first", "name": "connect", "data": {**_CONNECT, **version}}))
            assert (await _next(socket))["status"] == "OK"
        for line in block.text.splitlines():
            if line.startswith("→ "):
                await socket.send(line[2:])
            elif line.startswith("← "):
                compare(_read(line[2:]), await _next(socket), line)


async def _next(socket: ClientConnection) -> Any:
    async with asyncio.timeout(_PATIENCE):
        return json.loads(await socket.recv())


def _read(text: str) -> Any:
    return json.loads(text.replace(", …}", ', "…": 0}').replace(", …]", ', "…"]'))


def compare(expected: Any, actual: Any, where: str) -> None:
    """Equal but for times, and but for what ``…`` stands for."""
    if isinstance(expected, Mapping):
        assert isinstance(actual, Mapping), where
        names = set(expected) - {"…"}
        assert names == set(actual) if "…" not in expected else names <= set(actual), (where, sorted(actual))
        for name in names - set(_VOLATILE):
            compare(expected[name], actual[name], where)
    elif isinstance(expected, list):
        stated = [each for each in expected if each != "…"]
        assert isinstance(actual, list), where
        assert len(stated) == len(actual) if len(stated) == len(expected) else len(stated) <= len(actual), where
        for one, other in zip(stated, actual, strict=False):
            compare(one, other, where)
    else:
        assert expected == actual, (where, actual)
        assert type(expected) is type(actual), (where, actual)
