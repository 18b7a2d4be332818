# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cloud for all tests of a session."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.real.glance.publisher import Publisher
from ansible_collections.distrogate.ci.tests.real.glance.service import Cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def publisher(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Publisher:
    """A name of its own for each test."""
    if cloud.glance.process is None:
        cloud.glance.start()
    return Publisher(
        cloud, tmp_path_factory.mktemp("publisher"), request.node.name[:60].replace("[", "-").strip("]")
    )
