"""File trees of nodes with accelerators."""

from __future__ import annotations

from pathlib import Path


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def pci(root: Path, slot: str, vendor: str, device: str, class_code: str, driver: str | None = None) -> Path:
    path = root / "sys/bus/pci/devices" / slot
    put(path, {"vendor": f"{vendor}\n", "device": f"{device}\n", "class": f"{class_code}\n"})
    if driver:
        (path / "driver").symlink_to(f"../../../../bus/pci/drivers/{driver}")
    return path
