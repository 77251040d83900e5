"""Every setting of service, worker and command line: one record, read from the environment and `.env`."""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from neuromfa.errors import OptionError, StoreUnavailable
from neuromfa.servers.bolt_address import check_address

PREFIX = "NEUROMFA_"
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?/?")


def default_data_dir() -> Path:
    """Return the folder of this user's application data: the same one from wherever a command is started."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "neuromfa"


class Settings(BaseSettings):
    """All settings; each is an environment variable with the prefix ``NEUROMFA_`` or a line of `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    neo4j_uri: str | None = Field(
        None,
        description="Bolt address of a Neo4j server, such as `bolt://localhost:7687`. "
        "Without it the embedded store in the data folder is used.",
    )
    neo4j_user: str = Field("neo4j", description="User name at the Neo4j server.")
    neo4j_password: SecretStr | None = Field(None, description="Password at the Neo4j server.")
    neo4j_password_file: Path | None = Field(
        None,
        description="File that holds the password (a mounted secret), or `user/password` as the Neo4j image "
        "keeps it; wins over the password itself.",
    )
    neo4j_database: str | None = Field(None, description="Database at the Neo4j server; unset, its default.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded store and its lock and password files.",
    )
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address the service listens on. Anything but loopback needs an API key.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port the service listens on; 0 takes a free one.")
    api_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Key asked for as `Authorization: Bearer KEY`: for writes once it is set, and for reads "
        "too when the service listens beyond loopback. At least 16 characters.",
    )
    api_key_file: Path | None = Field(
        None, description="File that holds the API key (a mounted secret); wins over the key itself."
    )
    keys_file: Path | None = Field(
        None,
        description="File of further keys, a line each: `name:scopes:sha256`, scopes being read, write or admin "
        "with commas between. It is read again when it changes; names stand in the log.",
    )
    open_reads: bool = Field(
        False,
        description="Answer reads without a key although the service listens beyond loopback: right where "
        "something before it lets only known people in, as docker-compose.yml does on loopback.",
    )
    allowed_hosts: str = Field(
        "",
        description="Further host names, separated by commas, that requests may be addressed to, such as the "
        "public name behind a reverse proxy. Where no key is asked for, only these and the names of loopback "
        "pass; elsewhere an empty list lets every name pass.",
    )
    cors_origins: str = Field(
        "",
        description="Origins of pages that may read answers from a browser, separated by commas, such as "
        "`https://notebooks.example`: for notebooks that ask from the page they are shown in. Empty lets none.",
    )
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path below which a reverse proxy offers the service, such as `/neuromfa`: it then stands in the "
        "links of answers and in the contract. The proxy may take it away or leave it.",
    )
    connect_timeout: float = Field(
        5.0, gt=0, le=300, description="Seconds to wait for a connection to the store before giving up (503)."
    )
    query_timeout: float = Field(
        30.0, gt=0, le=600, description="Seconds a single query may take before it is stopped (504)."
    )
    shutdown_timeout: float = Field(
        5.0, gt=0, le=60, description="Seconds running requests get to finish when the service is stopped."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning",
        description="Least severe message the service writes; `info` adds one for every request.",
    )
    page_limit: int = Field(
        200, ge=1, le=1000, description="Most items in one page of a list; a request may ask for fewer."
    )
    answers_mb: int = Field(
        32,
        ge=1,
        le=4096,
        description="Megabytes of answers the service keeps to send them again, the longest unused going first; what "
        "it keeps to make them takes at most 57 more.",
    )
    graphs_mb: int = Field(
        256,
        ge=1,
        le=65536,
        description="Megabytes of stored graphs the service keeps as arrays to answer questions to them, the longest "
        "unused going first.",
    )

    worker_alive_file: Path | None = Field(
        None,
        description="File in which a worker writes until when it counts as alive, in seconds since 1970, for a "
        "healthcheck such as `test $(date +%s) -lt $(cat FILE)`.",
    )
    sources: str = Field(
        "",
        description="What `POST /v1/jobs` may read beside repositories of the hub: folders of this machine and "
        "beginnings of addresses, separated by commas, such as `/data/runs,https://files.example/runs`. Empty "
        "refuses both.",
    )
    free_cypher: bool = Field(
        False,
        description="Answer `POST /v1/cypher`, Cypher of the user's own that only reads. Read docs/free-cypher.md "
        "first: a single long expression cannot be stopped, so the database must be one that may be restarted.",
    )
    free_cypher_rows: int = Field(
        1000, ge=1, le=10_000, description="Most rows `POST /v1/cypher` answers; a request may ask for fewer."
    )
    free_cypher_bytes: int = Field(
        4_000_000, ge=10_000, le=100_000_000, description="Most bytes of rows `POST /v1/cypher` answers."
    )
    free_cypher_timeout: float = Field(
        10.0, gt=0, le=120, description="Seconds a query of `POST /v1/cypher` may take (504)."
    )

    @model_validator(mode="before")
    @classmethod
    def _key_from_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        named = values.get("api_key_file")
        return {**values, "api_key": _read_secret(Path(named).expanduser())} if named else values

    @field_validator("neo4j_uri")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                check_address(value)
            except StoreUnavailable as error:
                raise OptionError(f"{PREFIX}NEO4J_URI: {error}") from None
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in filter(None, (part.strip() for part in value.split(","))):
            if not ORIGIN.fullmatch(origin):
                raise OptionError(
                    f"{PREFIX}CORS_ORIGINS: {origin[:100]!r} is no origin; it is scheme, host and port, such as "
                    "https://notebooks.example or http://localhost:8888, each named in full"
                )
        return value

    @field_validator("data_dir", "neo4j_password_file", "api_key_file", "keys_file", "worker_alive_file")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value is not None else None

    @property
    def password(self) -> str | None:
        """The Neo4j password, from its file when one is named."""
        if self.neo4j_password_file is not None:
            return _read_secret(self.neo4j_password_file).removeprefix(f"{self.neo4j_user}/")
        return self.neo4j_password.get_secret_value() if self.neo4j_password else None

    @property
    def binds_loopback(self) -> bool:
        """True when only this machine can reach the service."""
        return is_loopback(self.host)

    @property
    def allowed_sources(self) -> tuple[str, ...]:
        """The folders and addresses of `sources`."""
        return tuple(part.strip() for part in self.sources.split(",") if part.strip())

    @property
    def readers_origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`."""
        return tuple(part.strip().rstrip("/") for part in self.cors_origins.split(",") if part.strip())

    @property
    def host_names(self) -> frozenset[str]:
        """The names of `allowed_hosts`, in lower case."""
        return frozenset(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process; `overrides` (command-line options) win where not None.

    Raises
    ------
    OptionError : a setting outside its bounds, named as the environment variable it came from
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise OptionError("; ".join(_sentence(fault) for fault in error.errors())) from None


def refuse_public_without_key(settings: Settings) -> None:
    """Raise `OptionError` when the service would listen beyond loopback with no key to ask for."""
    if not settings.binds_loopback and settings.api_key is None and settings.keys_file is None:
        raise OptionError(
            f"refusing to listen on {settings.host} without a key: set {PREFIX}API_KEY (16 characters or "
            f"more) or {PREFIX}KEYS_FILE, or keep {PREFIX}HOST at 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Return whether `host` (a name or an address, brackets allowed) names this machine only."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OptionError(f"cannot read the secret in {path}: {error.strerror}") from None


def _sentence(fault: Mapping[str, Any]) -> str:
    name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
    return f"{name}: {str(fault['msg']).lower()}"
