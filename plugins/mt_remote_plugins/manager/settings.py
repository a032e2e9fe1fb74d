"""The backend's settings. Every start of a gateway reads them, whatever its backend: so the library's own parts are not
imported here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

if TYPE_CHECKING:
    from mt_remote_plugins.manager.engine.messages import Tuning


USUAL_NAME = "mtmanapi64.dll" if sys.maxsize > 1 << 32 else "mtmanapi.dll"
"""The library of this Python's width, as its programs look for it."""


class ManagerSettings(BaseModel):
    """How the Manager library is used."""

    model_config = ConfigDict(extra="forbid")

    library: str = Field(USUAL_NAME, description="path of the Manager library, or module:name of one in Python")
    isolate: bool = Field(True, description="a worker process for each MT4 connection, so that a crash ends only that")
    code_page: str = Field("cp1252", description="code page of the server's texts")
    call_timeout: PositiveFloat = Field(30, description="seconds after which a call in the library counts as hung")
    login_timeout: PositiveFloat = Field(
        30, description="seconds for connecting and logging in, a worker's start included"
    )
    max_waiting: PositiveInt = Field(
        1000, description="calls that may wait for one connection; further ones answer busy"
    )
    retry_first: PositiveFloat = Field(0.5, description="seconds before pumping or dealing that stopped is restarted")
    retry_most: PositiveFloat = Field(30, description="longest pause between restarts; each is twice the one before")
    retry_patience: PositiveFloat = Field(
        300, description="seconds of failing restarts after which a connection is lost"
    )
    ping: PositiveFloat = Field(20, description="seconds between pings of an idle connection")
    silence: PositiveFloat = Field(60, description="seconds without a notification after which pumping is looked after")

    @property
    def tuning(self) -> Tuning:
        """The engine's part."""
        from mt_remote_plugins.manager.engine.messages import Tuning

        return Tuning(self.retry_first, self.retry_most, self.retry_patience, self.ping, self.silence)
