# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for modules that publish artifacts which are no packages."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import Files
from ansible_collections.distrogate.ci.tests.unit.publishing.git_helpers import Tags


@pytest.fixture
def files(tmp_path: pathlib.Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def tags(tmp_path: pathlib.Path) -> Tags:
    return Tags(tmp_path)
