# SPDX-License-Identifier: LGPL-3.0-or-later
"""connectors.toml and the environment, as one checked object.

Any value can be overridden by a variable: ``LEAD_CONNECTORS_WEB__PORT=9000`` is
``[web] port = 9000``. Secrets are never values: see ``secrets``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from lead_connectors.errors import ConfigError
from lead_connectors.registry import source_class, suggest
from lead_connectors.secrets import SecretRef, files_relative_to
from lead_connectors.sources.base import Source, SourceConfig
from lead_connectors.toml_lines import line_of

__all__ = ["Config", "Settings", "SourceSetup", "load"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _http_url(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must start with http:// or https:// and name a host")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class OdooSection(_Section):
    """Where the leads go. The login is a user with only the Connector role."""

    url: HttpUrl
    database: str = Field(min_length=1)
    login: str = Field(min_length=1)
    api_key: SecretRef
    protocol: Literal["odoorpc", "json2"] = "odoorpc"
    timeout: float = Field(default=120, gt=0, description="Seconds for one call.")
    batch_size: int = Field(default=200, ge=1, le=500)


class InboxSection(_Section):
    """Where leads are kept until Odoo has them, and after."""

    url: SecretRef | None = Field(
        default=None,
        description="Default: inbox.sqlite beside the configuration file.",
    )
    keep_days: float = Field(
        default=90,
        gt=0,
        description="Days that bodies are kept; after them parked leads are given up.",
    )

    @field_validator("url", mode="before")
    @classmethod
    def _url(cls, value: Any) -> Any:
        """A plain URL is fine as long as it holds no password."""
        if not isinstance(value, str):
            return value
        if not value.startswith(("env:", "file:")):
            value = SecretRef(_checked_url(value), "configuration")
        else:
            value = SecretRef.resolve(value)
            _checked_url(value.reveal(), password=True)
        return value


def _checked_url(value: str, *, password: bool = False) -> str:
    try:
        url = sa.make_url(value)
    except sa.exc.ArgumentError:
        raise ValueError(
            "not a database URL: write sqlite:////var/lib/lead-connectors/inbox.sqlite"
            " or postgresql://user@host/database"
        ) from None
    if url.get_backend_name() not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("only sqlite:// and postgresql:// are supported")
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ValueError("the inbox must be a file: sqlite:////path/inbox.sqlite")
    if url.password and not password:
        raise ValueError(
            'a URL with a password must not stand in this file: write "env:NAME" or'
            ' "file:/path", or leave the password to ~/.pgpass'
        )
    return value


class WebSection(_Section):
    """The web door."""

    host: str = "127.0.0.1"
    port: int = Field(default=8070, ge=0, le=65535)
    public_url: str = Field(
        default="", description="The address that platforms use, without /hooks."
    )
    body_limit: int = Field(default=1 << 20, ge=1024, description="Bytes.")
    slow_after: float = Field(
        default=20, gt=0, description="Seconds a request may take to come in."
    )
    rate_limit: float = Field(
        default=500, ge=0, description="Genuine requests/s a source; 0: no limit."
    )
    rate_burst: float = Field(default=5000, ge=1)
    refused_limit: float = Field(
        default=5, ge=0, description="Refused requests/s a client address; 0: no limit."
    )
    refused_burst: float = Field(default=100, ge=1)
    trusted_proxies: int = Field(
        default=0, ge=0, description="How many proxies of ours stand before the door."
    )


class DeliverSection(_Section):
    """How patiently leads are given to Odoo, and read from platforms. Seconds."""

    retry_first: float = Field(default=2, gt=0)
    retry_longest: float = Field(default=3600, gt=0, le=6 * 3600)
    max_attempts: int = Field(
        default=12, ge=1, description="Failures of one item before it is parked."
    )
    odoo_longest: float = Field(
        default=60, gt=0, description="Longest pause before Odoo is tried again."
    )
    source_pause: float = Field(
        default=900, gt=0, description="Pause of a source whose token is refused."
    )
    threads: int = Field(
        default=4, ge=1, le=32, description="Leads read at once from one platform."
    )
    backfill_days: int = Field(
        default=90, ge=0, description="How far back the first poll of a source goes."
    )
    poll_overlap: float = Field(default=3600, ge=0)
    stop_within: float = Field(
        default=25, gt=0, description="How long a stop waits for a running call."
    )


class LogSection(_Section):
    """Logs go to standard error."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """The file's sections. Of sources only the frame: their types check the rest."""

    model_config = SettingsConfigDict(
        env_prefix="LEAD_CONNECTORS_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    odoo: OdooSection
    inbox: InboxSection = InboxSection()
    web: WebSection = WebSection()
    deliver: DeliverSection = DeliverSection()
    log: LogSection = LogSection()
    sources: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file; nothing else."""
        return env_settings, init_settings


@dataclass(frozen=True, slots=True)
class SourceSetup:
    """One ``[sources.NAME]``: its class and its checked settings."""

    name: str
    kind: type[Source[Any]]
    config: SourceConfig


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured."""

    path: Path
    settings: Settings
    sources: tuple[SourceSetup, ...]

    @property
    def inbox_url(self) -> str:
        """The database's URL; may hold a password."""
        reference = self.settings.inbox.url
        url = sa.make_url(reference.reveal() if reference else "sqlite:///inbox.sqlite")
        if url.get_backend_name() == "sqlite":
            # relative to this file, not to wherever a command happens to be run
            url = url.set(database=str(self.path.parent / (url.database or "")))
        return url.render_as_string(hide_password=False)


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def load(path: Path) -> Config:
    """Read and check a configuration. Raises ConfigError: file, line and cure."""
    path = path.absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: write one with `lead-connectors init`,"
            " or name another by --config or LEAD_CONNECTORS_CONFIG"
        ) from None
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(path, str(error))) from None
    problems: list[str] = []
    sources: list[SourceSetup] = []
    settings: Settings | None = None

    def note(location: tuple[str | int, ...], message: str) -> None:
        problems.append(f"{path}:{line_of(text, location)}: {message}")

    with files_relative_to(path.parent):
        try:
            settings = Settings(**table)
        except ValidationError as error:
            _explain(error, (), Settings, note)
        tables = settings.sources if settings else table.get("sources", {})
        for name, values in tables.items() if isinstance(tables, dict) else ():
            setup = _source(name, values, note)
            if setup:
                sources.append(setup)
    if problems or settings is None:
        raise ConfigError("\n".join(problems))
    return Config(path, settings, tuple(sources))


def _source(name: str, values: Any, note: Any) -> SourceSetup | None:
    at = ("sources", name)
    if not isinstance(values, dict):
        note(at, f"[sources.{name}] must be a table")
    elif not _NAME.fullmatch(name):
        note(
            at,
            f'the source\'s name "{name}" becomes part of its address: use only small'
            " letters, digits, - and _",
        )
    elif not isinstance(values.get("type"), str):
        note(at, f'[sources.{name}] needs a type, such as type = "form"')
    else:
        try:
            kind = source_class(values["type"])
        except ConfigError as error:
            note((*at, "type"), str(error))
            return None
        try:
            return SourceSetup(name, kind, kind.config_model.model_validate(values))
        except ValidationError as error:
            _explain(error, at, kind.config_model, note)
    return None


def _syntax(path: Path, message: str) -> str:
    found = re.search(r"\s*\(at line (\d+), column \d+\)", message)
    if not found:
        return f"{path}: not valid TOML: {message}"
    return f"{path}:{found[1]}: not valid TOML: {message[: found.start()]}"


def _explain(
    error: ValidationError,
    at: tuple[str | int, ...],
    model: type[BaseModel],
    note: Any,
) -> None:
    """One line for each error: what is wrong and, where we know, the cure.

    The value is never shown: it may be a secret in the wrong place.
    """
    for detail in error.errors(include_url=False, include_input=False):
        inner = tuple(part for part in detail["loc"] if part != "function-plain")
        location = at + inner
        where = ".".join(str(part) for part in location)
        if detail["type"] == "missing":
            message = f"{where} is missing"
            if field := _field(model, inner):
                message += f": {field}" if field else ""
        elif detail["type"] == "extra_forbidden":
            owner = _owner(model, inner)
            known = list(owner.model_fields) if owner else []
            message = (
                f"{where} is not a setting{suggest(str(inner[-1]), known)}."
                f" Known here: {', '.join(known)}"
            )
        else:
            message = f"{where}: {detail['msg'].removeprefix('Value error, ')}"
        note(location, message)


def _owner(
    model: type[BaseModel], location: tuple[str | int, ...]
) -> type[BaseModel] | None:
    """The model that holds the last part of a location."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        model = annotation
    return model


def _field(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    owner = _owner(model, location)
    field = owner.model_fields.get(str(location[-1])) if owner else None
    if field is None:
        return ""
    if field.annotation is SecretRef:
        hint = 'Write "env:NAME" (an environment variable) or "file:/path".'
        return f"{field.description} {hint}" if field.description else hint
    return field.description or ""
