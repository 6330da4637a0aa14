"""The steps of the network probe, each asked through the host door and each bounded in time.

A library of the network probe, not a probe.
"""

from __future__ import annotations

import ipaddress
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar

from probes.answers import HttpAnswer
from probes.errors import HostError
from probes.host import MIB, Host
from profiles.facts.network import AddressKind, FetchFacts, HttpAttempt, TlsAttempt

K = TypeVar("K")
V = TypeVar("V")

TLS_S = 2.0
HTTP_S = 2.0
FETCH_S = 3.5
FETCH_BYTES = 8 * MIB
STACK_BYTES = MIB // 2
"""Per thread: the default of 8 MiB times 200 threads would not fit into the address space of a probe."""

DATE_RESOLUTION_S = 1.0
"""An HTTP Date counts whole seconds (RFC 9110 §5.6.7), so on average it is half of this too early."""

INTERMEDIARY_FIELDS = ("via", "x-cache", "x-cache-lookup", "x-squid-error", "proxy-connection")
SYSTEM = "system"

# 198.18.0.0/15 and 2001:db8::/32 are left out on purpose: in a recording they stand for public addresses.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_ADDRESS_LIKE = re.compile(r"[0-9A-Fa-f:.]*[.:][0-9A-Fa-f:.]*[0-9A-Fa-f:]")


def side_by_side(tasks: Mapping[K, Callable[[], V]]) -> dict[K, V | HostError]:
    """Run all tasks at once, each in a thread; a refusal of the host becomes that task's outcome.

    Where the system gives no more threads, the rest runs here, one after another.
    """
    outcomes: dict[K, V | HostError | Exception] = {}

    def run(key: K, task: Callable[[], V]) -> None:
        try:
            outcomes[key] = task()
        except Exception as error:  # carried over to the caller's thread
            outcomes[key] = error

    threads: list[threading.Thread] = []
    previous_bytes = threading.stack_size(STACK_BYTES)
    try:
        for key, task in tasks.items():
            thread = threading.Thread(target=run, args=(key, task), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                run(key, task)
            else:
                threads.append(thread)
        for thread in threads:
            thread.join()
    finally:
        threading.stack_size(previous_bytes)
    done: dict[K, V | HostError] = {}
    for key in tasks:
        outcome = outcomes[key]
        if isinstance(outcome, Exception) and not isinstance(outcome, HostError):
            raise outcome
        done[key] = outcome
    return done


def is_address(host: str) -> bool:
    """Whether a configured host is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def without_addresses(text: str | None) -> str | None:
    """The same text with every IP address in it replaced, because an address identifies a machine."""
    if text is None:
        return None
    hidden = _ADDRESS_LIKE.sub(lambda match: _without_address(match[0]), text[:1024])
    return hidden.encode("utf-8", "replace").decode()


def _without_address(word: str) -> str:
    """A word of the alphabet of addresses, which a port or a full stop may follow."""
    if is_address(word):
        return "(address)"
    host, _, port = word.rpartition(":")
    return f"(address):{port}" if (port.isdigit() or not port) and is_address(host) else word


def address_kind(address: str) -> AddressKind | None:
    """Kind of an address of this node; None if it is not an address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if parsed.is_loopback:
        return "loopback"
    if any(parsed in network for network in _PRIVATE if network.version == parsed.version):
        return "private"
    return "link-local" if parsed.is_link_local else "global"


def seconds(value: float | None) -> float | None:
    """A duration that can be believed, else None."""
    good = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    return float(value) if good and value is not None else None


def shake_hands(
    host: Host, name: str, address: str, port: int, authorities: tuple[str | None, ...]
) -> TlsAttempt:
    """Verify with one set of authorities after the other until one knows the certificate.

    Raises:
        HostError: none of the sets can be used.
    """
    attempt: TlsAttempt | None = None
    refusal: HostError | None = None
    for ca_path in authorities:
        try:
            trial = host.tls(name, address, port, ca_path=ca_path, timeout_s=TLS_S)
        except HostError as error:
            refusal = refusal or error
            continue
        attempt = TlsAttempt(
            works=trial.works,
            verified=trial.verified,
            authorities=ca_path or SYSTEM,
            protocol=trial.protocol,
            issuer=without_addresses(trial.issuer),
            subject=without_addresses(trial.subject),
            fingerprint_sha256=trial.fingerprint_sha256,
            detail=without_addresses(trial.detail),
        )
        if attempt.verified or not attempt.works:
            break
    if attempt is None:
        raise refusal or HostError("EINVAL", "no certificate authorities to verify with")
    return attempt


def ask_header(host: Host, url: str, ca_path: str | None, *, never_html: bool) -> HttpAttempt:
    """Ask for the header of an object; take the other side's clock from it.

    Raises:
        HostError: no answer; the text says why.
    """
    # no-cache: the Date of an answer from a cache may be that of yesterday.
    headers = {"Cache-Control": "no-cache"}
    answer = host.http_get(url, headers=headers, ca_path=ca_path, timeout_s=HTTP_S, head=True)
    # The URL makes this question unlike those of other threads, which keeps a replay in order.
    local_s = host.observe("clock", [url], time.time)
    status = _status(answer)
    if status is None:
        raise HostError("EIO", without_addresses(answer.error) or "no answer over HTTP")
    fields = [f"{name}: {answer.headers[name]}" for name in INTERMEDIARY_FIELDS if name in answer.headers]
    skew_s, uncertainty_s = _skew(answer, local_s if isinstance(local_s, int | float) else None)
    accepted = status < 400 or status == 511 or "x-squid-error" in answer.headers
    return HttpAttempt(
        status=status,
        content_type=without_addresses(answer.headers.get("content-type")),
        intermediaries=tuple(without_addresses(field) or "" for field in fields),
        # A plain 404 page in HTML is the server's own; a portal says 200, a redirection or 511 (RFC 6585 §6).
        html_unexpected=never_html and _is_html(answer) and accepted,
        clock_skew_s=skew_s,
        clock_uncertainty_s=uncertainty_s,
    )


def fetch(host: Host, url: str, proxy: str | None) -> FetchFacts:
    """Download up to 8 MiB of an object, for the speed of it."""
    via: Literal["proxy", "direct"] = "direct" if proxy is None else "proxy"
    try:
        answer = host.http_get(url, proxy=proxy, timeout_s=FETCH_S, limit_bytes=FETCH_BYTES)
    except HostError as error:
        return FetchFacts(via=via, error=without_addresses(error.text))
    return FetchFacts(
        via=via,
        status=_status(answer),
        body_bytes=max(0, answer.body_bytes),
        duration_s=seconds(answer.duration_s),
        html=_is_html(answer),
        error=without_addresses(answer.error),
    )


def _status(answer: HttpAnswer) -> int | None:
    return answer.status if answer.status is not None and 100 <= answer.status <= 999 else None


def _is_html(answer: HttpAnswer) -> bool:
    return answer.headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml"))


def _skew(answer: HttpAnswer, local_s: float | None) -> tuple[float | None, float | None]:
    """Clock skew and its uncertainty in seconds; an Age says how old a cached Date is (RFC 9111 §5.1)."""
    duration_s = seconds(answer.duration_s)
    if local_s is None or not math.isfinite(local_s) or duration_s is None:
        return None, None
    try:
        date = parsedate_to_datetime(answer.headers["date"])
        age = answer.headers.get("age", "0").strip()
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        remote_s = aware.timestamp() + (int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, None
    half_s = DATE_RESOLUTION_S / 2
    return local_s - duration_s / 2 - (remote_s + half_s), duration_s / 2 + half_s
