# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that replays a run survives a shell, and Ansible's own way to read ``-e``."""

from __future__ import annotations

import shlex

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv

from ansible_collections.distrogate.ci.plugins.module_utils._runs._replay import replay_command

FROZEN = {"id": "check-1-1", "code": "sha256:0"}


def test_the_plain_one():
    assert replay_command(FROZEN) == "ansible-playbook distrogate.ci.replay -e run=report.tar.gz"
    assert replay_command({}).endswith(" -e accept_drift=true")


@pytest.mark.parametrize(
    "source",
    ["/srv/runs/a b", "it's", "$(reboot)", "a;b", 'say "x"', "a=b c=d", "{{ 1 }}", "--", "@/etc/passwd"],
)
def test_odd_places_arrive_whole(source):
    words = shlex.split(replay_command(FROZEN, source))
    assert words[:3] == ["ansible-playbook", "distrogate.ci.replay", "-e"]
    given = words[3]
    variables = DataLoader().load(given) if given[0] in "[{" else parse_kv(given)
    assert (variables, words[4:]) == ({"run": source}, [])
