# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository of each kind, made once: every test begins with ``reset``."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository
from ansible_collections.distrogate.ci.tests.faults.subjects import REPOSITORIES


@pytest.fixture(scope="session", params=sorted(REPOSITORIES))
def repository(request: t.Any, tmp_path_factory: t.Any) -> t.Iterator[Repository]:
    folder = pathlib.Path(tmp_path_factory.mktemp(request.param))
    yield REPOSITORIES[request.param](folder)
    end_agent(folder)
