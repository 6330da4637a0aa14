"""Real Apptainer from Debian sid, run by an ordinary user, as a pilot job runs it.

Bookworm has no Apptainer, so it lives in a root tree of its own suite.  A mount namespace with that tree
as its root is kept open for the session (pivot_root, because user namespaces are refused inside a
chroot); each command enters it and drops to an ordinary user.  The cached tree is the lower half of an
overlay, so nothing of a session stays in it.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from agent.portable import PortableAgent
from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.asking import Question, answers, door_command
from tests.lab.cache import artefact, cache_dir, debootstrap_root
from tests.lab.containers import debian_root

SUITE = "sid"
PACKAGES = ("apptainer", "fuse-overlayfs", "fuse2fs", "squashfs-tools", "squashfuse", "uidmap")
IMAGE_RECIPE = "1"
USER_ID = 1000
START_S = 30
BUILD_TIMEOUT_S = 300
RUN_TIMEOUT_S = 120

# Runs in a fresh mount namespace as `sh -eu -c SETUP sh TREE FOLDER CACHE [SOURCE...]`.
_SETUP = f"""\
tree=$1; folder=$2; cache=$3; shift 3
mount --make-rprivate /
mkdir -p "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
root=$folder/root
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
# FUSE for an ordinary user, without touching this machine's own device node.
mknod -m 666 "$root/fuse" c 10 229
mount --bind "$root/fuse" "$root/dev/fuse"
mkdir -p "$root/cache" "$root/old" "$root/home/pilot" "$root/agent"
chown {USER_ID}:{USER_ID} "$root/home/pilot"
echo 'pilot:x:{USER_ID}:{USER_ID}::/home/pilot:/bin/sh' >>"$root/etc/passwd"
echo 'pilot:x:{USER_ID}:' >>"$root/etc/group"
mount --bind "$cache" "$root/cache"
# What the agent is made of may lie in folders that an ordinary user cannot reach: bind each by itself.
number=0
for source; do
    mkdir "$root/agent/$number"
    mount --bind "$source" "$root/agent/$number"
    mount -o remount,bind,ro "$root/agent/$number"
    number=$((number + 1))
done
cd "$root"
pivot_root . old
umount -l /old
touch /ready
exec sleep infinity
"""


@dataclass(frozen=True)
class Apptainer:
    """Apptainer in its own root, with one image.

    Attributes:
        holder_pid: the process that holds the mount namespace.
        image: the SIF, by its path in that root: Debian bookworm, minimal, no Python.
        agent: the agent to carry in.
    """

    holder_pid: int
    image: str
    agent: PortableAgent

    def cli(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        as_root: bool = False,
        timeout_s: float = RUN_TIMEOUT_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``apptainer ARGS`` as the ordinary user (or root) in the lab's root."""
        identity = f"setpriv --reuid={USER_ID} --regid={USER_ID} --clear-groups".split()
        home = "/root" if as_root else "/home/pilot"
        return subprocess.run(
            [
                "nsenter",
                f"--target={self.holder_pid}",
                "--mount",
                *([] if as_root else identity),
                "apptainer",
                *args,
            ],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "LC_ALL": "C.UTF-8", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )

    def version(self) -> str:
        """What ``apptainer --version`` says, such as ``1.4.5``."""
        return self.cli("--version").stdout.split()[-1]

    def run(
        self, argv: Sequence[str], *, extra: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container of the image; ``extra`` are options of ``apptainer exec``."""
        return self.cli("exec", *extra, self.image, *argv, env=env)

    def run_agent(
        self, args: Sequence[str], *, extra: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the agent with ``args`` (such as ``probe``, ``--json``) in a container of the image."""
        return self.run([*self.agent.argv, *args], extra=[*self.agent_options(), *extra], env=env)

    def ask(
        self,
        questions: Sequence[Question],
        *,
        extra: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> list[Any]:
        """What the host door answers in a container.

        Raises:
            AskError: the door came to grief, or the container did not start.
        """
        command = door_command(self.agent, questions)
        return answers(self.run(command, extra=[*self.agent_options(), *extra], env=env))

    def agent_options(self) -> list[str]:
        """The options that bring the agent into a container."""
        options = []
        for number, mount in enumerate(self.agent.mounts):
            options += ["--bind", f"/agent/{number}:{mount.target}:ro"]
        for name, value in self.agent.env.items():
            options += ["--env", f"{name}={value}"]
        return options


@pytest.fixture(scope="session")
def apptainer(portable_agent: PortableAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apptainer]:
    """Real Apptainer, run as an ordinary user.

    Debian sid moves: where it cannot be installed any more, the tests are skipped with apt's last words.
    """
    try:
        need_root()
        need_commands("unshare", "nsenter", "pivot_root")
        tree = debootstrap_root(SUITE, PACKAGES)
        base = debian_root()
        folder = tmp_path_factory.mktemp("apptainer")
        with _root(tree, folder, [mount.source for mount in portable_agent.mounts]) as holder_pid:
            lab = Apptainer(holder_pid, "", portable_agent)
            image = artefact(f"sif-{base.name}", IMAGE_RECIPE, lambda path: _build(lab, base, path))
            yield replace(lab, image=f"/cache/{image.name}")
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@contextlib.contextmanager
def _root(tree: Path, folder: Path, sources: Sequence[Path]) -> Iterator[int]:
    """The tree as the root of a mount namespace; gives the process that holds it open."""
    command = ["unshare", "--mount", "--propagation=private", "sh", "-euc", _SETUP, "sh"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, str(tree), str(folder), str(cache_dir()), *map(str, sources)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_S
        # The overlay's upper half is where the new root's files appear to this machine.
        while not (folder / "upper/ready").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabUnavailableError(
                    f"cannot enter the {SUITE} root: {log.read_text(errors='replace')[-300:]}"
                )
            time.sleep(0.05)
        yield process.pid
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _build(lab: Apptainer, base: Path, path: Path) -> None:
    inside = f"/cache/{path.relative_to(cache_dir())}"
    # Twice the size for a fifth of the time: this image is read, never shipped.
    quick = ("--mksquashfs-args", "-comp zstd -Xcompression-level 1")
    done = lab.cli("build", *quick, inside, f"/cache/{base.name}", as_root=True, timeout_s=BUILD_TIMEOUT_S)
    if done.returncode != 0:
        raise LabUnavailableError(f"apptainer build failed: {(done.stdout + done.stderr).strip()[-300:]}")
    path.chmod(0o644)
