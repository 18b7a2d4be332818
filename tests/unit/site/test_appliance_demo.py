# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The appliance that is demonstrated, and the site it is made at."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.tests.demo.appliance_site import APPLIANCE, FILES
from ansible_collections.distrogate.ci.tests.demo.site import Site

UNITS = FILES / APPLIANCE / "elements" / APPLIANCE / "static/etc/systemd/system"


def wanted() -> set[str]:
    """The units that a target starts: by a link, as systemd ignores other files there, or by a drop-in."""
    links = {path.name for path in UNITS.glob("*.wants/*") if path.is_symlink()}
    lines = [line for path in UNITS.glob("*.d/*.conf") for line in path.read_text().splitlines()]
    return links | {name for line in lines if line.startswith("Wants=") for name in line[6:].split()}


def test_its_services_are_started() -> None:
    assert wanted() == {path.name for path in UNITS.glob("*.service")} != set()


def test_root_filesystems_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISTROGATE_ROOTFS", raising=False)
    assert Site(tmp_path).rootfs == tmp_path / "rootfs"
    monkeypatch.setenv("DISTROGATE_ROOTFS", str(tmp_path / "shared"))
    site = Site(tmp_path)
    assert site.rootfs == tmp_path / "shared"
    assert site.environment["DISTROGATE_ROOTFS"] == str(site.rootfs)
