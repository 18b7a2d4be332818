# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deep comparison says, and what it predicts in check mode."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._answers import failed
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller, publish
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_states import refused, shows


def test_a_repair_counts_what_is_repaired(sync: Caller, locals_: list[pathlib.Path]) -> None:
    sync()
    damaged = locals_[0] / "apt/pool/a_1_amd64.deb"
    status = damaged.stat()
    damaged.write_text("a" * status.st_size)
    os.utime(damaged, ns=(status.st_atime_ns, status.st_mtime_ns))
    for check in (True, False):
        rows = sync(check=check, deep=True)["mirrors"]
        found = [(row["added"], row["switched"], row["bytes"]) for row in rows]
        assert found == [(1, 0, status.st_size), (0, 0, 0)]


def test_check_mode_predicts_a_changed_source_too(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync()
    publish(source / "apt", "two", pool="b_1_amd64.deb")
    predicted = sync(check=True, deep=True)
    done = sync(deep=True)
    assert [row["outcome"] for row in predicted["mirrors"]] == ["switched", "switched"]
    assert predicted["changed"] and predicted["diff"] == done["diff"]
    assert predicted["found"] == done["found"] and shows(locals_[1]) == "two"


def test_a_mirror_that_cannot_be_compared_counts(sync: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check mode fails where the run would."""
    sync()
    address = sync.options["mirrors"][1]
    differing = Peer.differing

    def broken(peer: Peer, folder: str, names: t.Collection[bytes]) -> list[bytes]:
        if peer.address == address:
            raise failed(address, "the connection broke")
        return differing(peer, folder, names)

    monkeypatch.setattr(Peer, "differing", broken)
    for check in (True, False):
        with refused("quorum_not_met"):
            sync(check=check, deep=True)
        assert sync(check=check, deep=True, quorum="1")["mirrors"][1]["outcome"] == "away"
