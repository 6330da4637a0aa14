"""Names of Linux capabilities by their bits."""

from __future__ import annotations

from typing import Final

CAPABILITIES: Final = (
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
)
"""Names by bit number: <linux/capability.h>."""


def names_of(bits: int) -> tuple[str, ...]:
    """Names of the capabilities in a set; one that is newer than our table keeps its number."""
    names = [*CAPABILITIES, *(str(number) for number in range(len(CAPABILITIES), 64))]
    return tuple(names[number] for number in range(64) if bits >> number & 1)
