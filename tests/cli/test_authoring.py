"""``mt-remote new-plugin``: a package whose tests pass at once, and names that can't be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.command import Gateway, command
from tests.cli.installed import search_path
from tests.docs.conversations import ROOT

FEATURES = ("--event", "--veto", "--backend")
CI_VALUES = re.compile(r"\$\{\{ (matrix\.python|vars\.MT_REMOTE) }}|\$\{MT_REMOTE:-mt-remote}")


def run_tests(package: Path, site: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The package's own tests, as its author runs them."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *words], cwd=package, text=True,
        env={**os.environ, "PYTHONPATH": search_path(site), **environment}, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("features", "passed"), [((), 4), (FEATURES, 9)], ids=["plain", "everything"])
def test_its_tests_pass_at_once(tmp_path: Path, features: tuple[str, ...], passed: int) -> None:
    done = command("new-plugin", "risk-desk", *features, cwd=tmp_path)
    assert (done.code, done.errors) == (0, "")
    package = tmp_path / "risk-desk"
    written = {str(each.relative_to(tmp_path)) for each in package.rglob("*") if each.is_file()}
    assert set(done.output.partition("\n\n")[0].splitlines()) == written
    tests = run_tests(package, tmp_path / "site")
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert f"{passed} passed" in tests.stdout


def test_what_is_written_is_sound(tmp_path: Path) -> None:
    command("new-plugin", "risk-desk", *FEATURES, cwd=tmp_path)
    package = tmp_path / "risk-desk"
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))
    modules = list(project["project"]["entry-points"]["mt_remote"].values())
    assert modules == [f"risk_desk.{each}" for each in ("functions", "events", "veto", "backend")]
    assert project["tool"]["pytest"]["ini_options"]["mt_remote_plugins"] == modules
    done = command("check-plugin", *modules, cwd=package / "src")
    assert (done.code, done.errors) == (0, ""), done.output
    texts = [path.read_text(encoding="utf-8") for path in package.rglob("*") if path.is_file()]
    assert not [text for text in texts if "$" in CI_VALUES.sub("", text) or "PACKAGE" in text]
    readme = (package / "README.md").read_text(encoding="utf-8")
    assert all(each in readme for each in ("risk_desk.note", "too_many_lots", "serve --backend risk_desk"))


@pytest.mark.parametrize("name", ["zz", "a" * 50], ids=["short", "as long as can be"])
def test_what_is_written_is_formatted(tmp_path: Path, name: str) -> None:
    """By its own settings for ruff, and by what is checked here."""
    command("new-plugin", name, *FEATURES, cwd=tmp_path)
    package = tmp_path / name
    sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    assert max(len(line) for source in sources for line in source.splitlines()) <= 120
    pytest.importorskip("ruff", reason="ruff is not installed: pip install 'mt-remote[dev]'")
    for words in (["format", "--check"], ["check"], ["check", "--config", str(ROOT / "pyproject.toml")]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "."], cwd=package, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_how_to_install_it(tmp_path: Path) -> None:
    """MT Remote has to come from somewhere: README and CI say where to say so."""
    command("new-plugin", "risk-desk", cwd=tmp_path)
    package = tmp_path / "risk-desk"
    readme = (package / "README.md").read_text(encoding="utf-8")
    assert "pip install --editable PATH/TO/mt-remote --editable '.[test]'" in readme
    ci = (package / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert 'pip install "${MT_REMOTE:-mt-remote}" --editable' in ci
    assert "`MT_REMOTE`" in readme


def test_against_a_gateway_elsewhere(tmp_path: Path) -> None:
    command("new-plugin", "risk-desk", *FEATURES, cwd=tmp_path)
    package = tmp_path / "risk-desk"
    flags = [word for part in ("functions", "events", "veto") for word in ("--plugin", f"risk_desk.{part}")]
    source = {"PYTHONPATH": os.pathsep.join([str(package / "src"), *(str(Path(each).resolve()) for each in sys.path)])}
    with Gateway(*flags, "--feed", "off", environment=source) as gateway:
        words = ["--mt-remote-target", gateway.url]
        tests = run_tests(package, tmp_path / "site", *words, MT_REMOTE_PASSWORD="manager")
        assert (tests.returncode, "6 passed, 2 skipped" in tests.stdout) == (0, True), tests.stdout
        assert "a test can't hold the server" in tests.stdout
        assert "it is for the backend risk_desk" in tests.stdout
        tests = run_tests(package, tmp_path / "again", *words)
        assert "MT_REMOTE_PASSWORD" in tests.stdout


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Risk", "lower-case words"),
        ("risk desk", "lower-case words"),
        ("-risk", "No such option"),
        ("../risk", "lower-case words"),
        ("risk--desk", "lower-case words"),
        ("9risk", "lower-case words"),
        ("x" * 51, "at most 50 characters"),
        ("class", "Python's own"),
        ("json", "Python's own"),
        ("order", "the namespace 'order' is plugin"),
        ("connect", "the namespace 'connect' is plugin"),
        ("pluggy", "a module 'pluggy' is installed here already"),
        ("host", "a backend or a setting of that name"),
    ],
)
def test_names_that_can_not_be(tmp_path: Path, name: str, problem: str) -> None:
    done = command("new-plugin", name, "--backend", cwd=tmp_path)
    assert (done.code, done.output, done.errors.count("\n")) == (2, "", 1)
    assert problem in done.errors
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "risk-desk").mkdir()
    assert command("new-plugin", "risk-desk", cwd=tmp_path).code == 0
    before = (tmp_path / "risk-desk" / "README.md").stat()
    done = command("new-plugin", "risk-desk", cwd=tmp_path)
    assert (done.code, done.errors) == (2, "mt-remote: 'risk-desk' is there already and not an empty folder\n")
    assert (tmp_path / "risk-desk" / "README.md").stat() == before
    (tmp_path / "file").touch()
    assert command("new-plugin", "risk-desk", "--into", "file", cwd=tmp_path).code == 2
    assert command("new-plugin", "risk-desk", "--into", "file/inner", cwd=tmp_path).code == 2
    assert command("new-plugin", "risk-desk", "--into", "deep/inner", cwd=tmp_path).code == 0
    assert (tmp_path / "deep" / "inner" / "src" / "risk_desk" / "functions.py").exists()
