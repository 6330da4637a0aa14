"""Find Apptainer or Singularity where a pilot would, and try it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from probes.answers import CommandResult
from probes.errors import HostError
from probes.host import Host
from profiles.facts.container import ImageTrial, PilotRuntime

COMMAND_TIMEOUT_S: Final = 2.0
OVERRIDE: Final = "GLIDEIN_SINGULARITY_BINARY_OVERRIDE"
BIN_VARIABLES: Final = (OVERRIDE, "SINGULARITY_BIN", "APPTAINER_BIN")
PROGRAMS: Final = ("apptainer", "singularity")
CVMFS_COPIES: Final = (
    "/cvmfs/oasis.opensciencegrid.org/mis/apptainer/bin/apptainer",
    "/cvmfs/oasis.opensciencegrid.org/mis/singularity/bin/singularity",
)
"""The copies that OSG publishes for nodes without one of their own; glideinWMS tries them last."""

CVMFS: Final = "/cvmfs"
SET_UID: Final = 0o4000
_VERSION: Final = re.compile(r"\b\d{1,4}\.\d{1,4}[0-9A-Za-z.+~-]{0,64}")


def find(host: Host) -> tuple[PilotRuntime, ...]:
    """Every runtime that a pilot would try, in its order: override, variables, PATH, CVMFS.

    The order is that of glideinWMS (`singularity_lib.sh`); environment modules are left out, for they need a
    shell with the site's set-up.
    """
    found: dict[str, PilotRuntime] = {}
    for found_by, path in _candidates(host):
        if path not in found:
            found[path] = _looked_at(host, found_by, path)
    return tuple(found.values())


def try_image(host: Host, runtime: PilotRuntime, images: tuple[str, ...]) -> ImageTrial | None:
    """Run a tiny payload in the first of `images` that exists; None if none does.

    Both the exit status and standard error count: a runtime may say FATAL and still end with 0.
    """
    image = next((image for image in images if _may_exist(host, image)), None)
    if image is None:
        return None
    try:
        done = host.run([runtime.path, "exec", image, "/bin/true"], timeout_s=COMMAND_TIMEOUT_S)
    except HostError as error:
        if error.errno_name == "ETIMEDOUT":
            reason = f"it did not end within {COMMAND_TIMEOUT_S:g} s"
            return ImageTrial(
                image=image, works=None, detail=None, absent={"works": reason, "detail": reason}
            )
        return ImageTrial(image=image, works=False, detail=str(error)[:500])
    said = _complaint(done)
    if done.returncode == 0 and "FATAL" not in done.stderr:
        return ImageTrial(image=image, works=True, detail=None, absent={"detail": "it worked"})
    return ImageTrial(image=image, works=False, detail=said)


def _candidates(host: Host) -> Iterator[tuple[str, str]]:
    for variable in BIN_VARIABLES:
        value = host.env(variable)
        # The variables may also hold a word such as OSG or PATH that asks for the ordinary search.
        if value and value.startswith("/") and len(value) < 4096:
            yield from ((variable, path) for path in _programs_at(host, value))
    for program in PROGRAMS:
        path = host.which(program)
        if path:
            yield "PATH", path
    if host.exists(CVMFS):
        yield from (("CVMFS", path) for path in CVMFS_COPIES if host.exists(path))


def _programs_at(host: Host, value: str) -> list[str]:
    """The variable names the program itself or the directory that holds it."""
    try:
        kind = host.stat(value).kind
    except HostError:
        return []
    if kind != "directory":
        return [value]
    paths = [f"{value.rstrip('/')}/{program}" for program in PROGRAMS]
    return [path for path in paths if host.exists(path)]


def _looked_at(host: Host, found_by: str, path: str) -> PilotRuntime:
    absent: dict[str, str] = {}
    version: str | None = None
    try:
        done = host.run([path, "--version"], timeout_s=COMMAND_TIMEOUT_S, limit_bytes=65_536)
    except HostError as error:
        absent["version"] = str(error)[:500]
    else:
        match = _VERSION.search(done.stdout)
        if done.returncode == 0 and match and "FATAL" not in done.stderr:
            version = match[0]
        else:
            absent["version"] = f"--version: {_complaint(done)}"
    return PilotRuntime(
        path=path, found_by=found_by, version=version, setuid=_has_setuid_starter(host, path), absent=absent
    )


def _has_setuid_starter(host: Host, path: str) -> bool:
    """Whether the installation has `starter-suid`, which lies at PREFIX/libexec/NAME/bin."""
    prefix = path.rsplit("/", 2)[0]
    for library in ("libexec", "lib", f"lib/{host_triplet(host)}"):
        for name in PROGRAMS:
            try:
                status = host.stat(f"{prefix}/{library}/{name}/bin/starter-suid")
            except HostError:
                continue
            if status.mode & SET_UID and status.uid == 0:
                return True
    return False


def host_triplet(host: Host) -> str:
    """Debian's multiarch directory name."""
    try:
        return f"{host.system_name().machine}-linux-gnu"
    except HostError:
        return "linux-gnu"


def _may_exist(host: Host, image: str) -> bool:
    return (not image.startswith(f"{CVMFS}/") or host.exists(CVMFS)) and host.exists(image)


def _complaint(done: CommandResult) -> str:
    """The line that says what went wrong."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    fatal = next((line for line in lines if "FATAL" in line), None)
    return (fatal or (lines[-1] if lines else f"exit status {done.returncode} without a word"))[:500]
