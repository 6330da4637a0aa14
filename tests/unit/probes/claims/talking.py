"""A machine that says what a test wants it to say, behind the real host door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probes.answers import Json
from probes.errors import HostError
from probes.host import Host


class TalkingDoor:
    """Answers from dictionaries; whatever is not there is absent, as on a machine."""

    def __init__(
        self,
        env: dict[str, str],
        files: dict[str, str | HostError],
        commands: dict[str, tuple[int, str, str] | HostError],
        pages: dict[str, tuple[int | None, str]],
        node: str,
    ) -> None:
        self.env, self.files, self.commands, self.pages, self.node = env, files, commands, pages, node

    def ask(self, kind: str, args: list[Json]) -> Any:
        answer: Callable[..., Any] = getattr(self, f"_{kind}")
        return answer(*args)

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:
        return live()

    def _env(self, name: str) -> str | None:
        return self.env.get(name)

    def _has_env(self, name: str) -> bool:
        return name in self.env

    def _env_names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.env if name.startswith(prefix))

    def _file(self, path: str, limit_bytes: int) -> bytes:
        said = self.files.get(path, HostError("ENOENT", f"{path}: No such file or directory"))
        if isinstance(said, HostError):
            raise said
        content = said.encode()
        if len(content) > limit_bytes:
            raise HostError("ETOOLARGE", f"{path}: larger than {limit_bytes} bytes")
        return content

    def _dir(self, path: str) -> list[str]:
        names = sorted(name.removeprefix(f"{path}/") for name in self.files if name.startswith(f"{path}/"))
        if not names:
            raise HostError("ENOENT", f"{path}: No such file or directory")
        return names

    def _run(self, argv: list[str], timeout_s: float, limit_bytes: int, env: dict[str, str]) -> list[Json]:
        missing = HostError("ENOENT", f"{argv[0]}: No such file or directory")
        said = self.commands.get(" ".join(argv), missing)
        if isinstance(said, HostError):
            raise said
        return list(said)

    def _http(self, url: str, *rest: Json) -> list[Json]:
        status, body = self.pages.get(url, (404, "not found"))
        return [status, {}, body, len(body), None if status else "connection refused", 0.01]

    def _uname(self) -> list[str]:
        return ["Linux", self.node, "6.1.0", "#1 SMP", "x86_64"]


def machine(
    env: dict[str, str] | None = None,
    *,
    files: dict[str, str | HostError] | None = None,
    commands: dict[str, tuple[int, str, str] | HostError] | None = None,
    pages: dict[str, tuple[int | None, str]] | None = None,
    node: str = "wn7.example.org",
) -> Host:
    """A host that says this and nothing else."""
    return Host(TalkingDoor(env or {}, files or {}, commands or {}, pages or {}, node))
