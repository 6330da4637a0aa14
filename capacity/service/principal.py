"""Who asks, and what they may do. Doors find out who; everything else only sees a `Principal`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capacity.errors import RefusedError


class Role(StrEnum):
    """What a token may be used for; admin includes the others, submit does not include read."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


@dataclass(frozen=True)
class Principal:
    """An authenticated sender or reader.

    Attributes:
        subject: token id, or ``subject@issuer`` of a JWT; kept beside what was submitted.
        roles: what it may be used for.
        sites: sites it may write for; None = every site.
    """

    subject: str
    roles: frozenset[Role]
    sites: frozenset[str] | None = None

    def require(self, role: Role) -> None:
        """Refuse what the roles do not cover.

        Raises:
            RefusedError: with the role that is missing.
        """
        if role not in self.roles and Role.ADMIN not in self.roles:
            raise RefusedError(f"{self.subject} has no {role.value} role: ask for a token that has it")

    def may_write_for(self, site: str) -> bool:
        """Whether profiles and scores of that site are taken from this sender."""
        return self.sites is None or site in self.sites

    @property
    def only_site(self) -> str | None:
        """The one site that it may write for; None if there are several or all."""
        return next(iter(self.sites)) if self.sites is not None and len(self.sites) == 1 else None
