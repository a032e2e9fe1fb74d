"""What a world file says of a feed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Points = Annotated[int, Field(ge=0, lt=2**31)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
CurrencyCode = Annotated[str, Field(min_length=1, max_length=11)]


class Spec(BaseModel):
    """Base of all tables of a world file: strict, nothing unknown, not changed after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    def stated(self) -> dict[str, Any]:
        """What the file states, by field."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class FeedTerms(Spec):
    """How the random feed moves one symbol."""

    volatility: NotNegative = 10.0  # percent a year; of pairs of known currencies the currencies' own count
    ticks_per_minute: NotNegative = 4.0  # 0: never ticks
    spread: Points = 0  # points, usual; 0: that of the starting price


class FeedSpec(Spec):
    """Where prices come from when nobody says otherwise."""

    kind: Literal["off", "random", "replay"] = "off"
    seed: int | None = None  # none: the server's
    rate: Positive = 1.0  # multiplies every symbol's tick rate
    currencies: dict[CurrencyCode, NotNegative] = Field(default_factory=dict)  # percent a year against the dollar
    file: str | None = None  # of replay
    speed: Positive = 1.0  # of replay: seconds of the file in one of the server's
    anchor: Literal["start", "file"] = "start"  # of replay
