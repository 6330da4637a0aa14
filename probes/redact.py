"""Pseudonyms for what identifies a person or a machine, both ways.

A recording is handed to strangers, so names, addresses and serial numbers must not be in it; and yet a probe that
was given a pseudonym must be able to ask about it ("connect to 198.18.3.7"). So the replacement is a bijection for
the length of a run: answers are redacted on the way out, questions are restored on the way in. Pseudonyms are keyed
hashes, so that the probes, which run in separate processes, agree on them without talking to each other.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterable

from probes.answers import Json

_PATTERNS = {
    "uuid": r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])",
    "hex": r"(?<![0-9a-fA-F])[0-9a-f]{32}(?![0-9a-fA-F])",
    "mac": r"(?<![\w:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\w:])",
    "ipv4": r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d\.)(?!\w)",
    "ipv6": r"(?<![\w:.])(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]{3,39}(?![\w:]|\.\d)",
}
"""What an identity looks like wherever it stands; tried in this order at each place of a text."""

_SECRET_NAMES = re.compile(r"(?i)(token|secret|passw|credential|api_?key|private_?key|cookie|authorization)")
SECRET = "[secret]"  # noqa: S105 - it stands where a secret stood
"""What stands in a recording where a secret stood; it is the one replacement that is not undone."""


class Redactor:
    """Replaces identities by pseudonyms (`hide`) and pseudonyms by identities (`restore`).

    Args:
        names: identity → label of words known beforehand, e.g. {"wn042.example.org": "host"}.
        key: secret of this run, shared by its processes, never written.
    """

    def __init__(self, names: dict[str, str], key: bytes) -> None:
        self._key = key
        self._real: dict[str, str] = {}
        self._restoring: re.Pattern[str] | None = None
        self._labels = {word: label for word, label in names.items() if len(word) > 1}
        self._kinds: dict[str, Callable[[str], str]] = {
            "word": self._word,
            "uuid": self._uuid,
            "hex": lambda real: self._keep(real, lambda digest: digest[:32]),
            "mac": self._mac,
            "ipv4": self._ipv4,
            "ipv6": self._ipv6,
        }
        patterns = {**_PATTERNS}
        if self._labels:
            patterns = {"word": _any_of(self._labels, set(self._labels.values())), **patterns}
        # One pass over the text, so that no pseudonym is taken for an identity and hidden once more.
        self._hiding = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in patterns.items()))

    def hide(self, value: Json) -> Json:
        """The same structure with every identity replaced by its pseudonym, keys of objects included."""
        return self._walk(value, self._hide_text)

    def restore(self, value: Json) -> Json:
        """The same structure with every pseudonym handed out so far replaced by what it stands for."""
        return self._walk(value, self._restore_text)

    @staticmethod
    def is_secret_name(name: str) -> bool:
        """Whether a variable of this name holds a secret, so that its value must not be kept at all."""
        return bool(_SECRET_NAMES.search(name)) and not name.endswith(("_FILE", "_DIR", "_PATH"))

    def _walk(self, value: Json, change: Callable[[str], str]) -> Json:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, dict):
            return {change(key): self._walk(item, change) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(item, change) for item in value]
        return value

    def _hide_text(self, text: str) -> str:
        return self._hiding.sub(lambda match: self._kinds[str(match.lastgroup)](match[0]), text)

    def _restore_text(self, text: str) -> str:
        if not self._real:
            return text
        if self._restoring is None:
            longest_first = sorted(self._real, key=len, reverse=True)
            either = "|".join(re.escape(pseudonym) for pseudonym in longest_first)
            # The bounds keep 10.1.2.3 from being found in 10.1.2.34.
            self._restoring = re.compile(rf"(?<![0-9A-Fa-f])(?:{either})(?![0-9A-Fa-f])")
        return self._restoring.sub(lambda match: self._real[match[0]], text)

    def _keep(self, real: str, shape: Callable[[str], str]) -> str:
        """The pseudonym of `real`, which `shape` makes of a hexadecimal digest of 64 digits."""
        if real in self._real:
            return real  # it is a pseudonym already
        pseudonym, attempt = shape(self._digest(real)), 0
        while self._real.setdefault(pseudonym, real) != real:
            # Two identities may meet in one pseudonym (addresses have few bits): the later one moves on.
            attempt += 1
            pseudonym = shape(self._digest(f"{real}\0{attempt}"))
        self._restoring = None
        return pseudonym

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

    def _word(self, real: str) -> str:
        return self._keep(real, lambda digest: f"{self._labels[real]}-{digest[:8]}")

    def _uuid(self, real: str) -> str:
        return self._keep(
            real, lambda hexa: f"{hexa[:8]}-{hexa[8:12]}-{hexa[12:16]}-{hexa[16:20]}-{hexa[20:32]}"
        )

    def _mac(self, real: str) -> str:
        if real.lower() in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"):
            return real
        # 02:… is the locally administered range, so no vendor is named.
        return self._keep(
            real, lambda digest: ":".join(["02", *(digest[at : at + 2] for at in range(0, 10, 2))])
        )

    def _ipv4(self, real: str) -> str:
        try:
            address = ipaddress.IPv4Address(real)
        except ValueError:
            return real
        if address.is_loopback or address.is_unspecified or int(address) >> 24 >= 224:
            return real
        # Private stays private (10.0.0.0/8) and public stays public-looking (198.18.0.0/15, RFC 2544): whether a
        # node sits behind NAT is a fact that a replay has to see.
        # `not is_global` counts the shared range of RFC 6598 (100.64.0.0/10, pods and carriers) as private.
        base, bits = (0xC6120000, 17) if address.is_global else (0x0A000000, 24)
        return self._keep(
            real, lambda digest: str(ipaddress.IPv4Address(base | int(digest[:8], 16) >> (32 - bits)))
        )

    def _ipv6(self, real: str) -> str:
        try:
            address = ipaddress.IPv6Address(real)
        except ValueError:
            return real
        if address.is_loopback or address.is_unspecified or address.is_multicast:
            return real
        if address.is_link_local:
            prefix = 0xFE80 << 112
        elif address.is_private:  # to ipaddress, link-local is private too
            prefix = 0xFD00 << 112
        else:
            prefix = 0x20010DB8 << 96
        return self._keep(real, lambda digest: str(ipaddress.IPv6Address(prefix | int(digest[:16], 16))))


def _any_of(words: Iterable[str], labels: set[str]) -> str:
    """Pattern of any of the words, the longest first, none of them inside another word or in a pseudonym of ours."""
    bounded = []
    for word in sorted(words, key=len, reverse=True):
        not_ours = "(?!-[0-9a-f]{8}(?![A-Za-z0-9_]))" if word in labels else ""
        bounded.append(re.escape(word) + not_ours)
    return rf"(?<![A-Za-z0-9_])(?:{'|'.join(bounded)})(?![A-Za-z0-9_])"
