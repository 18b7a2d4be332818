# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A digest is read in another process, also when this one found the collection as no other process would."""

from __future__ import annotations

import pathlib
import sys

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._images import _image_files


def test_not_by_sys_path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").write_text("text\n")
    without = [path for path in sys.path if not pathlib.Path(path, "ansible_collections/distrogate").exists()]
    monkeypatch.setattr(sys, "path", without)  # as in a child of ansible-playbook
    assert _image_files.root_digest(str(tmp_path)) == _image_files.root_digest_here(str(tmp_path))
