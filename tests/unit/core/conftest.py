# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who makes sandboxes: whoever runs the tests, and an ordinary user besides when that is root."""

from __future__ import annotations

import os
import pwd
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.unit.core.people import Person, ordinary_user, place

WHO = ["caller", "ordinary"] if os.getuid() == 0 else ["caller"]


@pytest.fixture(scope="session", params=WHO)
def person(request: t.Any) -> t.Iterator[Person]:
    """A user with a small root filesystem."""
    if request.param == "caller":
        with place() as folder:
            yield Person(pwd.getpwuid(os.getuid()).pw_name, folder)
    else:
        with ordinary_user() as name, place() as folder:
            yield Person(name, folder)
