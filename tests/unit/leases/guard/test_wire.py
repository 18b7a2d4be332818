# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which commands the guard reads, and what it says about all others."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard._wire import RefusedError, parse
from ansible_collections.distrogate.ci.tests.faults.hostile.guard_commands import commands, read


@pytest.mark.parametrize(
    ("text", "pool", "name", "arguments"),
    [
        ("raise te1 7 60", True, "raise", {"te": "te1", "fence": "7", "ttl": "60"}),
        ("end te1 1000000007", True, "end", {"te": "te1", "fence": "1000000007"}),
        ("status", True, "status", {}),
        ("status te1", True, "status", {"te": "te1"}),
        ("renew 60", False, "renew", {"ttl": "60"}),
        ("te te1 renew 60", False, "renew", {"te": "te1", "ttl": "60"}),
        ("image root 5", False, "image", {"disk": "root", "size": "5"}),
        ("image 'root' 5 " + "a" * 64, False, "image", {"disk": "root", "size": "5", "sha256": "a" * 64}),
        ("power reset", False, "power", {"action": "reset"}),
        ("  console\t".replace("\t", " "), False, "console", {}),
        ("console 5", False, "console", {"bytes": "5"}),
    ],
)
def test_read(text: str, pool: bool, name: str, arguments: dict[str, str]) -> None:
    assert parse(text, pool) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no_command"),
        ("", "no_command"),
        ("  ", "no_command"),
        ("power on; id", "bad_command"),
        ("power 'on", "bad_command"),
        ("power on\nrenew 5", "bad_command"),
        ("power on\0", "bad_command"),
        ("power \udcff", "bad_command"),
        ("power ön", "bad_command"),
        ("power on " + "x" * (1 << 20), "bad_command"),
        ("image root", "bad_command"),
        ("te te1", "bad_command"),
        ("power $(id)", "bad_argument"),
        ("power `id`", "bad_argument"),
        ("te ../te1 renew 5", "bad_argument"),
        ("image ../root 5", "bad_argument"),
        ("image /etc/passwd 5", "bad_argument"),
        ("image root -5", "bad_argument"),
        ("image root 5 sha256", "bad_argument"),
        ("renew 0", "bad_argument"),
        ("renew 1e9", "bad_argument"),
        ("renew 604801", "bad_argument"),
        ("renew 999999999999999999999999", "bad_argument"),
        ("renew ٣", "bad_command"),
        ("console 16777217", "bad_argument"),
        ("raise te1 7 60", "unknown_operation"),
        ("scp -t /", "unknown_operation"),
        ("internal-sftp", "unknown_operation"),
        ("sh -c id", "unknown_operation"),
    ],
)
def test_refused(text: str | None, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(text, pool=False)
    assert caught.value.reason == reason
    assert len(caught.value.message) < 300


@settings(max_examples=400)
@given(commands(), st.booleans())
def test_anything(text: str, pool: bool) -> None:
    read(text, pool)


@given(st.text(string.printable, max_size=30))
def test_only_whole_arguments(rest: str) -> None:
    """Nothing may stand behind an argument that is right."""
    if rest.strip(" "):
        with pytest.raises(RefusedError):
            parse(f"power on{rest}", pool=False)
