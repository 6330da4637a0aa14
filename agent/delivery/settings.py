"""Settings of delivery with their units, bounds and defaults."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from probes.section import Section

DAY_S = 86_400


def _service(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be https://HOST[:PORT][/PATH] of the service")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no name or password: the service wants a bearer token")
    if parts.query or parts.fragment:
        raise ValueError("must have no ? and no #: the agent adds the path itself")
    return url.rstrip("/")


class DeliverySettings(Section):
    """How profiles are handed in to the service, and where they wait until then."""

    url: Annotated[str, AfterValidator(_service)] | None = Field(
        default=None,
        max_length=2000,
        description="address of the service, https://HOST[:PORT]; unset = nothing is sent, profiles are left as files",
    )
    plain_http: bool = Field(
        default=False,
        description="send over http:// to other machines, too: whoever listens on the way can read the token",
    )
    token_file: str | None = Field(
        default=None,
        description="file of the bearer token, read again before each attempt; unset = WLCG discovery "
        "(BEARER_TOKEN, BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<uid>, /tmp/bt_u<uid>)",
    )
    audience: tuple[str, ...] = Field(
        default=(),
        max_length=16,
        description="values of the aud claim that mean this service: a token made for others only is not sent; "
        "empty = any",
    )
    proxy: SecretStr | None = Field(
        default=None,
        description="outbound proxy, http://[NAME:PASSWORD@]HOST:PORT; unset = HTTPS_PROXY, HTTP_PROXY and NO_PROXY "
        "of the environment; empty = none",
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file or directory of authorities to verify the service by; unset = the system's",
    )
    connect_s: float = Field(default=10, gt=0, le=120, description="bound on making one connection")
    answer_s: float = Field(default=90, gt=0, le=3600, description="bound on one request with its answer")
    batch_documents: int = Field(
        default=250, ge=1, le=512, description="profiles of one request; the service commits 250 at a time"
    )
    batch_bytes: int = Field(
        default=8 * 1024**2, ge=1024, le=64 * 1024**2, description="profiles of one request before gzip"
    )
    backoff_first_s: float = Field(
        default=1, gt=0, le=3600, description="pause after a first failure; doubles with each that follows"
    )
    backoff_max_s: float = Field(default=300, gt=0, le=DAY_S, description="longest pause of that kind")
    retry_after_max_s: float = Field(
        default=3600,
        gt=0,
        le=DAY_S,
        description="longest pause that a Retry-After of the service may ask for",
    )
    spool_directory: str | None = Field(
        default=None,
        description="where profiles wait; may be shared by many agents; unset = $XDG_STATE_HOME/sitecap/spool, "
        "else ~/.local/state/sitecap/spool",
    )
    spool_max_bytes: int = Field(
        default=256 * 1024**2,
        ge=64 * 1024,
        description="bound on all that is in the spool; to keep a new profile, what was set aside goes first, then "
        "the oldest",
    )
    spool_max_age_s: float = Field(
        default=30 * DAY_S,
        ge=60,
        description="a profile that waited for so long is set aside; what was set aside for so long is deleted",
    )
    output_directory: str | None = Field(
        default=None,
        description="where a profile is left as a file if delivery.url is unset; unset = the current directory",
    )
