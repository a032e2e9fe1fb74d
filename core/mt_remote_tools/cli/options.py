"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

NEW_PLUGIN = "new-plugin"
RELOAD = "--reload"

Config: TypeAlias = Annotated[str | None, typer.Option("--config", metavar="FILE", help="settings in TOML")]
Plugin: TypeAlias = Annotated[
    list[str] | None, typer.Option("--plugin", metavar="MODULE", help="a further plugin; repeatable")
]
PluginsDir: TypeAlias = Annotated[
    list[str] | None, typer.Option("--plugins-dir", metavar="FOLDER", help="a folder of one-file plugins; repeatable")
]
OnBackend: TypeAlias = Annotated[
    str | None, typer.Option("--backend", metavar="NAME", help="as served on this backend")
]
Reload: TypeAlias = Annotated[
    bool, typer.Option(RELOAD, help="start anew when a plugin's source changes; needs mt-remote[dev]")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="as JSON")]
