"""Whole machines under QEMU's emulation (no /dev/kvm needed): other processors, sockets, NUMA, cgroup v2.

A machine boots Debian's kernel with one initramfs: the cached tree of :mod:`tests.lab.foreign`, sitecap's own
packages as they are now, and the files of tests/lab/guest/. It then serves commands on its console until the
session ends, so that one boot answers all tests of it.
"""

from __future__ import annotations

import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import LabUnavailableError, need_commands, skip_or_fail
from tests.lab.cache import artefact
from tests.lab.cross import EMULATED
from tests.lab.foreign import (
    AMD64,
    ARM64,
    PPC64EL,
    SITE_PACKAGES,
    SUITE,
    Apt,
    Architecture,
    put_project,
    python_tree,
    run_or_unavailable,
)
from tests.lab.initramfs import Initramfs
from tests.lab.private import private_directory
from tests.lab.vm_console import MachineError, VirtualMachine

GUEST_FILES = Path(__file__).parent / "guest"
MEMORY_MIB = 1024
POWER_OFF_TIMEOUT_S = 20.0
KERNEL_RECIPE = "1"


@dataclass(frozen=True)
class Machine:
    """What to emulate."""

    name: str
    architecture: Architecture
    kernel_package: str
    """Debian's metapackage of the kernel."""
    qemu: tuple[str, ...]
    console: str


_MIB_PER_NODE = MEMORY_MIB // 2

X86_V2 = Machine(
    "x86-v2",
    AMD64,
    "linux-image-cloud-amd64",
    (
        *("qemu-system-x86_64", "-cpu", "max", "-smp", "4,sockets=2,cores=2,threads=1"),
        *("-object", f"memory-backend-ram,id=ram0,size={_MIB_PER_NODE}M"),
        *("-object", f"memory-backend-ram,id=ram1,size={_MIB_PER_NODE}M"),
        *("-numa", "node,nodeid=0,cpus=0-1,memdev=ram0", "-numa", "node,nodeid=1,cpus=2-3,memdev=ram1"),
    ),
    "ttyS0",
)
NEOVERSE_N1 = Machine(
    "neoverse-n1",
    ARM64,
    "linux-image-arm64",
    ("qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "neoverse-n1", "-smp", "2"),
    "ttyAMA0",
)
# x-vof: a minimal firmware, 8 s faster than SLOF. The cap-* are mitigations that emulation does not offer.
POWER9 = Machine(
    "power9",
    PPC64EL,
    "linux-image-powerpc64le",
    (
        *("qemu-system-ppc64", "-cpu", "POWER9", "-smp", "2", "-M"),
        "pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
    ),
    "hvc0",
)


NESTED_SLICE = """
for group in job/step job; do
    if [ -d /sys/fs/cgroup/$group ]; then rmdir /sys/fs/cgroup/$group; fi
done
cd /sys/fs/cgroup
mkdir job
echo '150000 100000' >job/cpu.max
echo 192M >job/memory.max
echo '+cpu +cpuset +memory +pids' >job/cgroup.subtree_control
mkdir job/step
echo '300000 100000' >job/step/cpu.max
echo 512M >job/step/memory.max
echo 100 >job/step/pids.max
echo 0-2 >job/step/cpuset.cpus
"""
"""Makes the cgroup ``job/step``: 3 CPUs by cpuset, limits of 3 CPUs and 512 MiB of its own, and above it, in
``job``, of 1.5 CPUs and 192 MiB: what a batch system that limits the job and not the step leaves behind."""


@contextmanager
def booted(machine: Machine) -> Iterator[VirtualMachine]:
    """Boot a machine and stop it in the end.

    Raises:
        LabUnavailableError: QEMU is not installed, or a package that it boots cannot be had.
        MachineError: it does not boot.
    """
    need_commands(machine.qemu[0], "setpriv")
    kernel = _kernel(machine)
    with private_directory("vm") as private:
        initramfs = private / "initramfs"
        _write_initramfs(machine, initramfs)
        with (
            (private / "qemu.log").open("w+b") as log,
            _started(machine, kernel, initramfs, log) as process,
        ):
            running = VirtualMachine(process)
            try:
                running.wait_until_up()
            except MachineError as error:
                log.seek(0)
                raise MachineError(f"{machine.name}: {error} {log.read().decode()}") from None
            initramfs.unlink()
            yield running
            running.power_off()


@contextmanager
def _started(machine: Machine, kernel: Path, initramfs: Path, log: Any) -> Iterator[subprocess.Popen[bytes]]:
    argv = [
        # The machine must not outlive a test run that is killed.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *machine.qemu,
        *("-accel", "tcg,thread=multi", "-m", f"{MEMORY_MIB}M"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"),
        *("-kernel", str(kernel), "-initrd", str(initramfs)),
        *("-append", f"console={machine.console} quiet panic=-1 lab_name={machine.name}"),
    ]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0)
    try:
        yield process
        with suppress(subprocess.TimeoutExpired):
            process.wait(POWER_OFF_TIMEOUT_S)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def vm_x86_v2() -> Iterator[VirtualMachine]:
    """x86-64, two sockets with two cores each, two NUMA nodes, cgroup v2 with all controllers."""
    yield from _booted_or_skipped(X86_V2)


@pytest.fixture(scope="session")
def vm_neoverse_n1() -> Iterator[VirtualMachine]:
    """ARM Neoverse-N1, two cores."""
    yield from _booted_or_skipped(NEOVERSE_N1)


@pytest.fixture(scope="session")
def vm_power9() -> Iterator[VirtualMachine]:
    """POWER9, little-endian, two cores."""
    yield from _booted_or_skipped(POWER9)


def _booted_or_skipped(machine: Machine) -> Iterator[VirtualMachine]:
    try:
        with booted(machine) as running:
            yield running
    except LabUnavailableError as reason:
        skip_or_fail(reason)


def _kernel(machine: Machine) -> Path:
    """Debian's newest 6.1 kernel for a machine: the image alone, since all that the labs need is built in."""

    def make(path: Path) -> None:
        private = path.parent / "apt"
        apt = Apt(machine.architecture, private)
        (deb,) = apt.download([apt.first_dependency(machine.kernel_package)])
        unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards "./boot/vmlinu*"'
        run_or_unavailable(["sh", "-c", unpack, "sh", str(deb), str(private)], f"unpacking {deb.name} failed")
        (image,) = private.glob("boot/vmlinu*")
        image.rename(path)

    return artefact(f"kernel-{SUITE}-{machine.architecture.debian}", KERNEL_RECIPE, make)


def _write_initramfs(machine: Machine, path: Path) -> None:
    with path.open("wb") as out, tempfile.TemporaryDirectory() as private:
        archive = Initramfs(out)
        archive.add_tree(python_tree(machine.architecture))
        put_project(Path(private) / SITE_PACKAGES, Path(private))
        archive.add_tree(Path(private))
        for folder in ("proc", "sys", "dev", "tmp", "run", "lab"):
            archive.add(folder, stat.S_IFDIR | 0o755)
        archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        archive.add("init", stat.S_IFREG | 0o755, (GUEST_FILES / "init.sh").read_bytes())
        archive.add("lab/guest.py", stat.S_IFREG | 0o644, (GUEST_FILES / "guest.py").read_bytes())
        archive.add("lab/ask_door.py", stat.S_IFREG | 0o644, (EMULATED / "ask_door.py").read_bytes())
        for name, text in _ETC.items():
            archive.add(f"etc/{name}", stat.S_IFREG | 0o644, text.encode())
        archive.close()


_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\npilot:x:1000:1000::/tmp:/bin/sh\n",
    "group": "root:x:0:\npilot:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n",
    "resolv.conf": "nameserver 127.0.0.1\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
