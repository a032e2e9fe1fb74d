"""Settings: where they come from, which source wins, and how what is wrong is named."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from mt_remote.errors import ConfigurationError, PluginError
from mt_remote.plugin import Backend, BackendSpec
from mt_remote.plugins.host import plugin_manager
from mt_remote.settings import Settings
from mt_remote_tools.cli import flags
from mt_remote_tools.cli.commands import serve as serving
from mt_remote_tools.cli.configuration import Given, Startup, load, model_for
from mt_remote_tools.command_line import CommandLine


class ShopSettings(BaseModel, extra="forbid"):
    shelves: int = Field(3, description="how many [shelves]")
    port: int = 1


class StrictSettings(BaseModel):
    library: Path


def no_backend(settings: object) -> Backend:
    raise AssertionError("nobody opens it")


SHOP = BackendSpec("shop", ShopSettings, no_backend)
STRICT = BackendSpec("strict", StrictSettings, no_backend)
FLAGS = flags.flags_of(SHOP)
NAMES = {flag.path: flag.name for flag in FLAGS}


def settings(
    flags: dict[str, Any] | None = None, file: dict[str, Any] | None = None, chosen: BackendSpec = SHOP
) -> Settings:
    return load(model_for(chosen, [SHOP, STRICT]), Given(flags or {}, file or {}, Path("gateway.toml"), NAMES))


def shop(settings: Settings) -> ShopSettings:
    found = vars(settings)["shop"]
    assert isinstance(found, ShopSettings)
    return found


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MT_REMOTE_PORT", "MT_REMOTE_URL", "MT_REMOTE_BACKEND", "MT_REMOTE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_flags_win_over_the_environment_over_the_file_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().port == 8228
    assert settings(file={"port": 1}).port == 1
    monkeypatch.setenv("MT_REMOTE_PORT", "2")
    assert settings(file={"port": 1}).port == 2
    assert settings({"port": "3"}, {"port": 1}).port == 3


def test_tables_are_merged_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT_REMOTE_DEADLINES__READ", "2")
    found = settings({"deadlines": {"trade": "1"}}, {"deadlines": {"change": 3, "trade": 9}}).deadlines
    assert (found.trade, found.read, found.change, found.history) == (1, 2, 3, 30)


def test_a_backends_own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop(settings()).shelves == 3
    assert shop(settings(file={"shop": {"shelves": 4}})).shelves == 4
    monkeypatch.setenv("MT_REMOTE_SHOP__SHELVES", "5")
    assert shop(settings(file={"shop": {"shelves": 4}})).shelves == 5
    assert shop(settings({"shop": {"shelves": "6"}})).shelves == 6


def test_other_backends_tables_are_not_looked_at() -> None:
    assert settings(file={"strict": {"whatever": 1}}).port == 8228


def test_other_variables_of_the_system_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRADE", "SESSION", "HISTORY", "PORT"):
        monkeypatch.setenv(name, "ubuntu")
    assert settings().deadlines.session == 30


@pytest.mark.parametrize(
    ("flags", "file", "variables", "words"),
    [
        ({"port": "99999"}, {}, {}, "--port: must be less than or equal to 65535"),
        ({"port": "a"}, {"port": "b"}, {}, "--port: must be a valid integer"),
        ({}, {"port": "b"}, {}, "gateway.toml: port: must be a valid integer"),
        ({}, {}, {"MT_REMOTE_PORT": "x"}, "MT_REMOTE_PORT: must be a valid integer"),
        ({}, {}, {"MT_REMOTE_DEADLINES__READ": "0"}, "MT_REMOTE_DEADLINES__READ: must be greater than 0"),
        ({}, {}, {"MT_REMOTE_SERVERS": "Demo"}, "as JSON in the environment"),
        ({}, {"prot": 1}, {}, "gateway.toml: prot: there is no such setting; did you mean 'port'?"),
        ({}, {"shop": {"shelfs": 1}}, {}, "gateway.toml: shop.shelfs: there is no such setting; did you mean"),
        ({}, {"deadlines": {"raed": 1}}, {}, "did you mean 'read'?"),
        ({"shop": {"port": "x"}}, {}, {}, "--shop-port: must be a valid integer"),
        ({"log_level": "loud"}, {}, {}, "--log-level: must be 'debug', 'info', 'warning' or 'error'"),
        ({"code_page": "cp9"}, {}, {}, "--code-page: unknown code page 'cp9'"),
        ({"port": "x", "max_calls": "0"}, {}, {}, "--max-calls: must be greater than 0"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_written(
    flags: dict[str, Any],
    file: dict[str, Any],
    variables: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        settings(flags, file)
    assert words in str(caught.value)


def test_a_setting_that_a_backend_needs() -> None:
    with pytest.raises(ConfigurationError, match=r"strict\.library: is required"):
        settings(chosen=STRICT)


def test_a_backend_can_not_take_a_settings_name() -> None:
    with pytest.raises(PluginError, match="'port'"):
        model_for(SHOP, [BackendSpec("port", ShopSettings, no_backend)])


def test_flags_are_made_of_the_fields() -> None:
    found = {flag.name: flag for flag in FLAGS}
    assert set(found) >= {"--host", "--tls-cert", "--deadlines-trade", "--shelves", "--shop-port"}
    assert len(found) == len(FLAGS)
    assert found["--shop-port"].path == ("shop", "port")
    assert found["--shelves"].help == "how many \\[shelves] (default: 3)"
    assert "--shelves" not in {flag.name for flag in flags.flags_of(None)}


class Deep(BaseModel):
    limit: int = 0


class RenamedIntoItself(BaseModel):
    host: str = ""
    two_words_host: str = ""


class YesAndNo(BaseModel):
    cache: bool = False
    no_cache: str = ""


class DeepAndFlat(BaseModel):
    first: Deep = Deep()
    first_limit: int = 0


class OneVariable(BaseModel):
    first: Deep = Deep()
    first__limit: int = 0


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RenamedIntoItself, "--two-words-host would set both 'host' and 'two_words_host'"),
        (YesAndNo, "--no-cache would set both 'cache' and 'no_cache'"),
        (DeepAndFlat, "--first-limit would set both 'first.limit' and 'first_limit'"),
        (OneVariable, "MT_REMOTE_TWO_WORDS__FIRST__LIMIT would set both 'first.limit' and 'first__limit'"),
    ],
)
def test_settings_of_a_backend_that_would_have_one_flag_are_refused(kind: type[BaseModel], words: str) -> None:
    with pytest.raises(PluginError) as caught:
        flags.flags_of(BackendSpec("two_words", kind, no_backend))
    assert str(caught.value) == f"backend 'two_words': {words}; rename one of them"


class LikeTheGateways(BaseModel):
    """Fields of which the gateway has a flag: settings, what is no setting, and the other word of a switch."""

    port: int = 0
    config: str = ""
    reload: bool = False
    no_log_json: str = ""


def test_where_the_gateway_has_the_flag_the_backends_name_comes_first() -> None:
    names = {
        flag.path[1:]: flag.spellings for flag in flags.flags_of(BackendSpec("two_words", LikeTheGateways, no_backend))
    }
    assert names["port",] == ("--two-words-port",)
    assert names["config",] == ("--two-words-config",)
    assert names["reload",] == ("--two-words-reload", "--no-two-words-reload")
    assert names["no_log_json",] == ("--two-words-no-log-json",)


def test_the_gateways_flags_that_are_no_settings_are_known() -> None:
    manager = plugin_manager(entry_points=False)
    serve = serving.command(CommandLine(["serve", "--help"], manager))
    settings = {"__".join(flag.path) for flag in flags.flags_of(None)}
    others = {f"--{name.replace('_', '-')}" for name in inspect.signature(serve).parameters if name not in settings}
    assert {*others, "--help"} == set(flags.FIXED)


def test_what_is_known_before_plugins_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('plugins = ["a"]\nbackend = "shop"\n[shop]\nshelves = 1\n', encoding="utf-8")
    found = Startup.read(["serve", "--config", str(file), "--port", "1"])
    assert (found.plugins, found.backend) == (["a"], "shop")
    assert Startup.read(["serve", f"--config={file}", "--plugin", "b", "--plugin=c"]).plugins == ["b", "c"]
    monkeypatch.setenv("MT_REMOTE_CONFIG", str(file))
    assert Startup.read(["plugins"]).plugins == ["a"]
    monkeypatch.setenv("MT_REMOTE_BACKEND", "other")
    assert Startup.read(["plugins"]).backend == "other"
    assert Startup.read(["plugins", "--config"]).backend == "other"


@pytest.mark.parametrize("content", [None, b"port =", b"\xff"])
def test_a_file_that_is_no_good(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "gateway.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"configuration file '.*gateway\.toml'"):
        Startup.read(["serve", "--config", str(file)])
