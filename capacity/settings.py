"""Every setting of the service with its unit, its bounds and its default; `capacity.config` loads them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

MIB = 1024 * 1024

Site = Annotated[str, Field(pattern=r"^T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}$")]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=500)]


class Section(BaseModel):
    """Base of all settings: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """Where the service listens, and how patient it is with a connection."""

    host: str = Field(default="127.0.0.1", description="address to listen on; loopback unless told otherwise")
    port: int = Field(default=8443, ge=0, le=65535, description="0 = any free port")
    workers: int = Field(
        default=1, ge=1, le=64, description="processes; more than one needs PostgreSQL to be faster"
    )
    tls_certificate: str | None = Field(
        default=None, description="PEM file with the certificate and its chain; unset = plain HTTP"
    )
    tls_key: str | None = Field(default=None, description="PEM file with the key of tls_certificate")
    trusted_proxies: str = Field(
        default="", description="addresses whose X-Forwarded-For and -Proto are believed, comma-separated"
    )
    header_s: float = Field(
        default=10, gt=0, le=120, description="time in which a connection must have sent its request head"
    )
    body_s: float = Field(
        default=60, gt=0, le=3600, description="time in which a request must have sent its body"
    )
    keep_alive_s: int = Field(default=15, ge=1, le=300, description="how long an idle connection is kept")
    max_connections: int = Field(
        default=2000, ge=10, description="open connections a process; more are answered 503"
    )
    graceful_s: int = Field(
        default=20, ge=1, le=600, description="how long running requests may take after SIGTERM"
    )

    @model_validator(mode="after")
    def _both_files(self) -> ServerSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: give both or none")
        return self

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class DatabaseSettings(Section):
    """Where the data is kept."""

    url: SecretStr | None = Field(
        default=None,
        description="postgresql+psycopg://USER:PASSWORD@HOST/NAME or sqlite:///FILE; unset = SQLite in data_directory",
    )
    answer_s: float = Field(
        default=30, gt=0, le=600, description="a sender is told 503 if storing one transaction takes longer"
    )
    connections: int = Field(
        default=10, ge=1, le=200, description="most connections to PostgreSQL of one process"
    )


class LimitSettings(Section):
    """Bounds on what one request and one sender may cost."""

    body_bytes: int = Field(
        default=16 * MIB, ge=1024, description="largest request body as it comes over the wire"
    )
    inflated_bytes: int = Field(
        default=128 * MIB, ge=1024, description="largest request body after gzip is undone"
    )
    documents: int = Field(default=10_000, ge=1, le=100_000, description="profiles in one bulk request")
    in_flight_bytes: int = Field(
        default=256 * MIB, ge=1024, description="bodies that one process holds at once; more are answered 503"
    )
    profiles_per_s: float = Field(
        default=5000, gt=0, description="sustained rate of one sender, one process; above it 429"
    )
    profiles_burst: int = Field(
        default=50_000,
        ge=1,
        description="profiles that one sender may send at once before profiles_per_s holds",
    )
    failed_logins_per_min: int = Field(
        default=60, ge=1, description="refused credentials of one address in a minute; above it 429"
    )


class Grant(Section):
    """What a scope (and, where wanted, a group or a subject) of an issuer's tokens is good for."""

    scope: str = Field(
        min_length=1,
        max_length=200,
        description='word of the scope claim; "{site}" in it stands for a site name and is the site granted',
    )
    role: Literal["read", "submit", "admin"]
    sites: tuple[Site, ...] | Literal["*"] = Field(
        default=(), description='sites it may write for, "*" = all; not needed with {site} or role read'
    )
    group: str | None = Field(default=None, max_length=200, description="must be in wlcg.groups")
    subject: str | None = Field(default=None, max_length=200, description="must be the sub claim")

    @model_validator(mode="after")
    def _sites_make_sense(self) -> Grant:
        if self.scope.count("{site}") > 1:
            raise ValueError("scope: {site} may stand in it once")
        named = "{site}" in self.scope
        if self.role == "submit" and not (named or self.sites):
            raise ValueError('a submit grant needs sites: name them, write "*", or put {site} into scope')
        if self.role == "admin" and (named or self.sites != "*"):
            raise ValueError('an admin grant is for the whole service: write sites = "*"')
        return self


class IssuerSettings(Section):
    """One token issuer that is believed; no other is ever asked for keys."""

    issuer: Annotated[HttpsUrl, Field(max_length=95)] = Field(description="the iss claim, to the letter")
    audience: tuple[str, ...] = Field(
        min_length=1, description="values of aud that mean this service; at least one must be in the token"
    )
    jwks_url: HttpsUrl | None = Field(
        default=None, description="unset = asked of ISSUER/.well-known/openid-configuration"
    )
    ca_file: str | None = Field(default=None, description="PEM file to verify it by; unset = the system's")
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"], ...] = Field(
        default=("RS256", "ES256"),
        min_length=1,
        description="signatures taken (WLCG token profile: these two)",
    )
    grants: tuple[Grant, ...] = Field(min_length=1, description="what its tokens are good for")


class AuthSettings(Section):
    """Who may do what."""

    public_read: bool | None = Field(
        default=None,
        description="anybody may read; unset = only when the service listens on loopback and no proxy is trusted",
    )
    token_cache_s: float = Field(
        default=5, ge=0, le=300, description="after a revocation elsewhere, a token still works for so long"
    )
    clock_skew_s: int = Field(default=60, ge=0, le=600, description="how wrong an issuer's clock may be")
    keys_max_age_s: float = Field(
        default=3600, ge=60, le=86_400, description="keys of an issuer are fetched again after so long"
    )
    keys_max_stale_s: float = Field(
        default=86_400, ge=60, le=7 * 86_400, description="and used no longer if they cannot be fetched"
    )
    keys_min_interval_s: float = Field(
        default=30, ge=1, le=3600, description="unknown key ids cause at most one fetch in so long"
    )
    keys_timeout_s: float = Field(default=5, gt=0, le=60, description="bound on one fetch of keys")
    issuers: tuple[IssuerSettings, ...] = Field(default=(), description="token issuers that are believed")

    @model_validator(mode="after")
    def _issuers_once(self) -> AuthSettings:
        names = [one.issuer for one in self.issuers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"issuers: {twice} is there twice: give all its grants in one entry")
        return self


class RefreshSettings(Section):
    """The worker that turns what was received into the state of nodes."""

    interval_s: float = Field(default=2, gt=0, le=3600, description="pause when nothing is waiting")
    batch_nodes: int = Field(default=20, ge=1, le=10_000, description="nodes taken at a time")
    share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="of the time that it works while profiles come in, if there is one process; with several workers it is "
        "a process of its own with a lower priority",
    )


class FleetSection(Section):
    """Rules of the fleet that a service may set; the others are in capacity.fleet.model.FleetSettings."""

    stale_after_days: float = Field(
        default=7,
        gt=0,
        le=365,
        description="a node that was not seen for so long is stale and counts no more",
    )
    slot_window_hours: float = Field(
        default=24, gt=0, le=24 * 30, description="looks from slots of a node within this count as concurrent"
    )


class LogSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least level written"
    )
    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json: an object a line; text: for people; auto: text on a terminal"
    )
    requests: bool = Field(default=True, description="a line for each request")


class Config(Section):
    """All settings of `capacity`."""

    data_directory: str | None = Field(
        default=None,
        description="where SQLite and the archive are kept; unset = $XDG_DATA_HOME/sitecap or ~/.local/share/sitecap",
    )
    server: ServerSettings = Field(default_factory=ServerSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    refresh: RefreshSettings = Field(default_factory=RefreshSettings)
    fleet: FleetSection = Field(default_factory=FleetSection)
    log: LogSettings = Field(default_factory=LogSettings)

    @property
    def public_read(self) -> bool:
        """Whether anybody may read."""
        if self.auth.public_read is not None:
            return self.auth.public_read
        # Behind a proxy everybody comes from loopback.
        return self.server.loopback and not self.server.trusted_proxies
