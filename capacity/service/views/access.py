"""Tokens, for admins, and who is logged in."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from capacity.service.views.common import View


class TokenRowView(View):
    """A token without its secret."""

    id: str
    role: str
    site: str | None = Field(description="null = every site")
    note: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    state: str = Field(description="active, expired or revoked")


class TokensView(View):
    """Everything the page of tokens shows."""

    generated_at: datetime
    tokens: tuple[TokenRowView, ...]


class LoginView(View):
    """Who is logged in, and what that allows."""

    subject: str | None = Field(description="null = nobody")
    roles: tuple[str, ...]
    public_read: bool = Field(description="pages can be read without a token")
    next: str = Field(description="page to go on to; always of this service")
    problem: str | None = None


def local_path(target: str | None) -> str:
    """A path of this service to go on to; anything else becomes the overview (no open redirect)."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    return target if target.isprintable() else "/"
