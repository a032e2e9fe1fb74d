"""What ``serve`` can be told about the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator

from mt4sim.world.specs import read_moment


class SimulatorSettings(BaseModel):
    """Flags of ``serve --backend simulator`` and the table ``[simulator]`` of the configuration file."""

    model_config = ConfigDict(extra="forbid")

    world: Path | None = Field(None, description="world file (TOML); none: the packaged demo broker")
    clock: str = Field("wall", description="'wall', 'manual', or a date and time to start at: 2020-05-14T12:00")
    start: int | None = Field(
        None,
        description="Unix seconds in the server's zone to start at; none: the world's start with a manual clock, the "
        "present with the wall clock",
    )
    speed: PositiveFloat = Field(1.0, description="server seconds that pass in one real second")
    feed: Literal["off", "random", "replay"] | None = Field(
        None, description="where prices come from; none: as the world says"
    )
    replay: Path | None = Field(None, description="CSV of ticks for the feed 'replay': time,symbol,bid,ask")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of all that is random")
    snapshot: Path | None = Field(None, description="snapshot to go on from, instead of a world")
    folder: Path | None = Field(
        None, description="folder of the files that clients name; none: one of this user's for data of programs"
    )
    faults: Path | None = Field(None, description="what goes wrong, on purpose (TOML)")
    realism: list[str] = Field(default_factory=list, description="quirks of real servers to switch on")

    @field_validator("clock")
    @classmethod
    def _known_clock(cls, value: str) -> str:
        if value not in ("wall", "manual"):
            try:
                read_moment(value)
            except ValueError as error:
                raise ValueError(
                    f"must be 'wall', 'manual' or a date and time such as 2020-05-14T12:00: {error}"
                ) from None
        return value

    @property
    def moves(self) -> bool:
        """Whether time passes by itself."""
        return self.clock != "manual"

    def start_time(self) -> int | None:
        """The moment to start at, if one is stated."""
        if self.clock not in ("wall", "manual"):
            return read_moment(self.clock)
        return self.start
