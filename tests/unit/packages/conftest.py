# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a repository, and packages for it."""

from __future__ import annotations

import hashlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite, control, deb


@pytest.fixture
def suite(tmp_path: t.Any) -> Suite:
    return Suite(tmp_path / "repository")


@pytest.fixture
def make(tmp_path: t.Any) -> t.Callable[..., t.Any]:
    """Write a package and return its path."""

    def write(name: str = "nova", version: str = "1.0-1", body: bytes = b"x", **more: t.Any) -> t.Any:
        path = tmp_path / f"{name}-{version}-{hashlib.sha256(body).hexdigest()[:4]}.deb"
        path.write_bytes(deb(control(name, version, **more), body=body))
        return path

    return write
