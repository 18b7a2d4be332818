# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world with images."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.tools.memory_folder import memory_folder

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # for the module beside the tests

from image_world import World


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[pathlib.Path]:
    """In memory: each image waits for the disk."""
    with memory_folder(tmp_path_factory.getbasetemp()) as folder:
        yield folder


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    """Everything is in it, and nothing is built."""
    return World(tmp_path)
