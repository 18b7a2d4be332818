# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk with every amount of free space from none to enough; see full_disk.py."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.faults.full_disk import OPERATIONS, SUBJECTS, shrink


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_a_full_disk(name: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = shrink(name, tmp_path, 1, *OPERATIONS[name])
    with capsys.disabled():
        print(f"\nfull disk, {name}: {failed} attempts failed and left all as it was", end=" ", flush=True)
