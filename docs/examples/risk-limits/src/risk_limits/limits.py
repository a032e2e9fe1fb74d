"""The limits: what a desk allows, where that is read from, and how it is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from mt_remote.errors import ConfigurationError
from mt_remote.values import Lots, SymbolName

Points = Annotated[int, Field(ge=0, le=1_000_000)]
Digits = Annotated[int, Field(ge=0, le=8)]

HUNDREDTHS = 100
"""Parts of a lot in which volumes are added up: there is nothing smaller, and whole numbers add exactly."""


class Terms(BaseModel):
    """What may be limited; `None` says nothing about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_lots: Lots | None = Field(None, description="lots of the largest order")
    max_net_lots: Lots | None = Field(None, description="lots that an account's net position in a symbol can come to")
    max_points: Points | None = Field(None, description="points between an order's price and the last tick")
    digits: Digits | None = Field(None, description="decimals of the symbol's prices, which say what a point is")
    banned: bool | None = Field(None, description="nothing may be opened")


class Limits(Terms):
    """Terms for every symbol, and a symbol's own, which come before those."""

    symbols: dict[SymbolName, Terms] = Field(default_factory=dict, description="a symbol's own terms")
    refuse_dealing: bool = Field(False, description="refuse dealers' confirmations, which can't be checked")

    def of(self, symbol: str) -> Terms:
        """What holds for a symbol."""
        own = self.symbols.get(symbol)
        names = Terms.model_fields
        if own is None:
            return Terms(**{name: getattr(self, name) for name in names})
        return Terms(**{name: _first(getattr(own, name), getattr(self, name)) for name in names})

    def changed(self, patch: LimitsPatch) -> Limits:
        """These limits with a patch's fields; those that it does not have stay."""
        changes = {name: getattr(patch, name) for name in patch.model_fields_set - {"symbols", "refuse_dealing"}}
        if patch.refuse_dealing is not None:
            changes["refuse_dealing"] = patch.refuse_dealing
        symbols = dict(self.symbols)
        for name, terms in patch.symbols.items():
            if terms is None:
                symbols.pop(name, None)
                continue
            own = symbols.get(name, Terms())
            symbols[name] = own.model_copy(update={field: getattr(terms, field) for field in terms.model_fields_set})
        return self.model_copy(update={**changes, "symbols": symbols})


class LimitsPatch(Terms):
    """Changes to limits: the fields that are present. `null` takes a limit back, and a symbol's entry away."""

    symbols: dict[SymbolName, Terms | None] = Field(default_factory=dict, description="a symbol's own terms")
    refuse_dealing: bool | None = Field(None, description="refuse dealers' confirmations, which can't be checked")


def _first(own: Any, common: Any) -> Any:
    return common if own is None else own


class _File(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RISK_LIMITS_", extra="ignore")

    file: Path | None = None


class _Settings(BaseSettings, Limits):
    model_config = SettingsConfigDict(env_prefix="RISK_LIMITS_", extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = _File().file
        if path is None:
            return (env_settings,)
        return env_settings, TomlConfigSettingsSource(settings_cls, path)


def configured() -> Limits:
    """The limits of the environment (`RISK_LIMITS_MAX_LOTS` …), and below it of the file that `RISK_LIMITS_FILE` names.

    Raises `ConfigurationError`, in one line, for whatever is wrong with them: a gateway whose limits can't be read must
    not start without any.
    """
    path = _File().file
    if path is not None and not path.is_file():
        raise ConfigurationError(f"RISK_LIMITS_FILE: there is no file {path}")
    try:
        read = _Settings()
    except ValidationError as error:
        problems = "; ".join(f"{_place(problem)}: {problem['msg'].lower()}" for problem in error.errors())
        raise ConfigurationError(f"risk-limits: {problems}") from error
    except TOMLDecodeError as error:
        raise ConfigurationError(f"risk-limits: {path}: {error}") from error
    except SettingsError as error:  # a variable that is no JSON; the text names it
        raise ConfigurationError(f"risk-limits: {error}") from error
    return Limits.model_validate(read.model_dump())


def _place(problem: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in problem["loc"])
