# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that makes layers of the changes ahead."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.filter.layers import FilterModule

layers = FilterModule().filters()["layers"]


def test_layers() -> None:
    assert layers(["gate-1-1-0a", "gate-2"], "/srv/test", "apt") == [
        {"name": "gate-1-1-0a", "root": "/srv/test/gate-1-1-0a/latest/apt"},
        {"name": "gate-2", "root": "/srv/test/gate-2/latest/apt"},
    ]
    assert layers([], "/srv", "rpm") == []


@pytest.mark.parametrize(
    ("ahead", "kind"),
    [
        ("gate-1", "apt"),
        (["a"], "deb"),
        ({"a": 1}, "apt"),
        (None, "apt"),
        (["../x"], "apt"),
        (["a/b/c"], "rpm"),
        ([""], "apt"),
    ],
)
def test_bad_layers(ahead: t.Any, kind: str) -> None:
    with pytest.raises(AnsibleFilterError):
        layers(ahead, "/srv", kind)
