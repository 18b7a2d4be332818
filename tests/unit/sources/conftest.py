# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project and a machine."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    return Project(tmp_path / "review" / "hello")


@pytest.fixture
def machine(tmp_path: pathlib.Path, project: Project) -> Machine:
    return Machine(tmp_path / "machine", project)
