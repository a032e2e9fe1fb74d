"""``mt-remote conformance``: holds a gateway against the laws of the protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.command_line import (
    DEMO_PASSWORD,
    FAILED,
    CommandLine,
    Config,
    OnBackend,
    Password,
    Plugin,
    PluginsDir,
    TlsCa,
    asked,
    reporting,
    silence,
    tls_context,
)

if TYPE_CHECKING:
    from mt_remote.client import Credentials
    from mt_remote_conformance.running.runner import Effort, Played, Report
    from mt_remote_conformance.targets import Target

HELP = """Hold a gateway against the laws of the protocol and of an MT4 server.

Without --url a gateway is started in this process, on the backend that --backend names, with what is installed. Exit
code 1 when a law does not hold: its shortest case is shown, and saved with --scripts for 'mt-remote replay'.

Profiles: read-only changes nothing; demo works in groups and logins of its own, which it makes and removes; full throws
prices in, makes managers and changes the server's configuration and puts it back."""

NIGHTLY_CASES = 200
"""Cases of a suite of weight 1: twenty times as many as by default."""


class ProfileName(StrEnum):
    """The choices of --profile."""

    READ_ONLY = "read-only"
    DEMO = "demo"
    FULL = "full"


def command(line: CommandLine) -> Callable[..., None]:
    """The command, with the command line's plugins."""

    def conformance(
        url: Annotated[str | None, typer.Option("--url", metavar="URL", help="the gateway to examine")] = None,
        profile: Annotated[
            ProfileName | None,
            typer.Option(
                "--profile", help="how much of the server may be touched (default: read-only with --url, else full)"
            ),
        ] = None,
        cases: Annotated[int, typer.Option("--cases", min=1, help="cases of a suite of weight 1")] = 10,
        nightly: Annotated[bool, typer.Option("--nightly", help="twenty times the cases")] = False,
        seconds: Annotated[float, typer.Option("--seconds", min=1, help="time for all suites")] = 1200,
        seed: Annotated[int, typer.Option("--seed", min=0, help="seed of all that is random")] = 0,
        only: Annotated[
            list[str] | None, typer.Option("--only", metavar="SUITE", help="a suite to play; repeatable")
        ] = None,
        exclusive: Annotated[
            bool, typer.Option("--exclusive", help="nobody else changes the server meanwhile, no feed moves its prices")
        ] = False,
        merges_ticks: Annotated[
            bool, typer.Option("--merges-ticks", help="ticks that follow each other fast may be told as one")
        ] = False,
        prefix: Annotated[
            str, typer.Option("--prefix", metavar="TEXT", help="begins the names of the kit's groups")
        ] = "kit",
        first_login: Annotated[
            int,
            typer.Option(
                "--first-login", metavar="LOGIN", min=1, max=2**31 - 200, help="first of the kit's 100 logins"
            ),
        ] = 7_700_000,
        server: Annotated[str, typer.Option("--server", metavar="NAME", help="MT4 server")] = "Demo",
        login: Annotated[int, typer.Option("--login", metavar="LOGIN", help="a manager with all rights")] = 1,
        password: Password = DEMO_PASSWORD,
        junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="write JUnit XML")] = None,
        html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="write a page")] = None,
        scripts: Annotated[
            Path | None, typer.Option("--scripts", metavar="FOLDER", help="write each broken law's shortest case")
        ] = None,
        list_laws: Annotated[bool, typer.Option("--laws", help="list the laws, examine nothing")] = False,
        list_suites: Annotated[bool, typer.Option("--suites", help="list the suites, examine nothing")] = False,
        tls_ca: TlsCa = None,
        backend: OnBackend = None,
        plugin: Plugin = None,
        plugins_dir: PluginsDir = None,
        config: Config = None,
    ) -> None:
        _needs_hypothesis()
        if list_laws or list_suites:
            _list(laws=list_laws)
            return
        from mt_remote.client import Credentials
        from mt_remote_conformance.running.runner import Effort

        _check_suites(only or [])
        credentials = Credentials(server, login, asked(password))
        logins = range(first_login, first_login + 100)
        fields = {"prefix": prefix, "logins": logins, "merges_ticks": merges_ticks, "credentials": credentials}
        effort = Effort(NIGHTLY_CASES if nightly else cases, seconds, seed)
        chosen = str(profile or (ProfileName.FULL if url is None else ProfileName.READ_ONLY))
        if url is None:
            with _in_process(line, fields) as target:
                report = _examine(target, chosen, effort, only or [])
        else:
            with reporting(url):
                report = _examine(_at(url, fields, tls_ca, exclusive=exclusive), chosen, effort, only or [])
        _write(report, credentials, junit, html, scripts)
        if not report.ok:
            raise typer.Exit(FAILED)

    return conformance


def _needs_hypothesis() -> None:
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise ConfigurationError("the conformance kit needs hypothesis: pip install 'mt-remote[conformance]'") from None


def _list(*, laws: bool) -> None:
    from mt_remote_conformance.laws import LAWS
    from mt_remote_conformance.running.programme import all_suites

    if laws:
        for law in LAWS.values():
            print(f"{law.name:9}  {law.source:5}  {law.statement}")
        return
    for suite in all_suites():
        needs = " (on a server of its own)" if suite.exclusive else ""
        print(f"{suite.name:28}  {suite.profile:9}  {suite.help}{needs}")


def _check_suites(only: Sequence[str]) -> None:
    from mt_remote_conformance.running.programme import all_suites

    names = [suite.name for suite in all_suites()]
    for name in only:
        if name not in names:
            raise ConfigurationError(f"--only {name!r}: no such suite, expected one of {', '.join(names)}")


@contextmanager
def _in_process(line: CommandLine, fields: dict[str, Any]) -> Iterator[Target]:
    from mt_remote_conformance.targets import Target
    from mt_remote_tools.testing import Bench

    silence()
    with Bench.of(line.backend, plugins=line.plugins, login_failures=1_000_000) as bench:
        yield Target(bench.url, exclusive=True, **fields)


def _at(url: str, fields: dict[str, Any], tls_ca: str | None, *, exclusive: bool) -> Target:
    from mt_remote_conformance.targets import Target

    return Target(url, exclusive=exclusive, tls=tls_context(url, tls_ca), **fields)


def _examine(target: Target, profile: str, effort: Effort, only: Sequence[str]) -> Report:
    from mt_remote_conformance.running.runner import examine
    from mt_remote_conformance.targets import Profile

    return examine(target, Profile(profile), effort, only=only, announce=_tell)


def _tell(played: Played) -> None:
    """A line of progress for each suite."""
    outcome = ", ".join(failure.law for failure in played.failures) or (
        "held" if not played.unplayable else "not playable"
    )
    print(
        f"{played.suite.name:28} {played.cases:5} cases {played.seconds:6.1f} s  {outcome}", file=sys.stderr, flush=True
    )


def _write(
    report: Report, credentials: Credentials, junit: Path | None, html: Path | None, scripts: Path | None
) -> None:
    from mt_remote_conformance.running import report as pages
    from mt_remote_conformance.running.script import save

    print(pages.text(report))
    try:
        if junit is not None:
            junit.write_text(pages.junit(report), encoding="utf-8")
        if html is not None:
            html.write_text(pages.html(report), encoding="utf-8")
        if scripts is not None:
            for path in save(report, scripts, credentials):
                print(f"replay: mt-remote replay {path} --url {report.target}")
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from error
