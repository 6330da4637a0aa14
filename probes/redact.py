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
from collections.abc import Callable

from probes.answers import Json

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d\.)(?!\w)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]{3,39}(?![\w:])")
_MAC = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\w:])")
_UUID = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f])")
_HEX_ID = re.compile(r"(?<![0-9a-fA-F])[0-9a-f]{32}(?![0-9a-fA-F])")

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
        self._words: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = []
        for word, label in sorted(names.items(), key=lambda item: -len(item[0])):
            if len(word) > 1:
                pattern = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])")
                self._words.append((pattern, self._labelled(label)))
        self._words += [
            (_UUID, self._uuid),
            (_HEX_ID, lambda match: self._keep(match[0], self._digest(match[0])[:32])),
            (_MAC, self._mac),
            (_IPV4, self._ipv4),
            (_IPV6, self._ipv6),
        ]

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
        for pattern, replace in self._words:
            text = pattern.sub(replace, text)
        return text

    def _restore_text(self, text: str) -> str:
        for pseudonym, real in self._real.items():
            if pseudonym in text:
                text = text.replace(pseudonym, real)
        return text

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

    def _keep(self, real: str, pseudonym: str) -> str:
        if real in self._real:
            return real  # it is a pseudonym already
        self._real[pseudonym] = real
        return pseudonym

    def _labelled(self, label: str) -> Callable[[re.Match[str]], str]:
        return lambda match: self._keep(match[0], f"{label}-{self._digest(match[0])[:8]}")

    def _uuid(self, match: re.Match[str]) -> str:
        digest = self._digest(match[0])
        parts = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
        return self._keep(match[0], "-".join(parts))

    def _mac(self, match: re.Match[str]) -> str:
        if match[0] in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"):
            return match[0]
        digest = self._digest(match[0])
        # 02:… is the locally administered range, so no vendor is named.
        return self._keep(match[0], ":".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))]))

    def _ipv4(self, match: re.Match[str]) -> str:
        try:
            address = ipaddress.IPv4Address(match[0])
        except ValueError:
            return match[0]
        if address.is_loopback or address.is_unspecified or int(address) >> 24 >= 224:
            return match[0]
        number = int(self._digest(match[0])[:8], 16)
        # Private stays private (10.0.0.0/8) and public stays public-looking (198.18.0.0/15, RFC 2544): whether a
        # node sits behind NAT is a fact that a replay has to see.
        # `not is_global` counts the shared range of RFC 6598 (100.64.0.0/10, pods and carriers) as private.
        base, size = (0xC6120000, 17) if address.is_global else (0x0A000000, 24)
        return self._keep(match[0], str(ipaddress.IPv4Address(base | number >> (32 - size))))

    def _ipv6(self, match: re.Match[str]) -> str:
        try:
            address = ipaddress.IPv6Address(match[0])
        except ValueError:
            return match[0]
        if address.is_loopback or address.is_unspecified:
            return match[0]
        number = int(self._digest(match[0])[:16], 16)
        prefix = (
            0xFD00 << 112
            if address.is_private
            else 0xFE80 << 112
            if address.is_link_local
            else 0x20010DB8 << 96
        )
        return self._keep(match[0], str(ipaddress.IPv6Address(prefix | number)))
