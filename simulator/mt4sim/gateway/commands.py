"""Command-line commands of the simulator."""

from __future__ import annotations

import typer

from mt4sim.world import demo_toml


def add(app: typer.Typer) -> None:
    """Adds ``mt-remote world``."""

    @app.command()
    def world() -> None:
        """Print the packaged demo world: a start for your own (serve --world FILE)."""
        typer.echo(demo_toml(), nl=False)
