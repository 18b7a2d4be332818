# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets that somebody removed from a tree of files, though a transaction could go back to them."""

from __future__ import annotations

import os
import shutil

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import Files

RELEASE = {"transaction": "release"}


def test_no_way_back_to_what_is_gone(files: Files) -> None:
    files(files.artifact("a", "first"))
    had = os.readlink(files.base / "latest")
    files(files.artifact("a", "second"), **RELEASE)
    (files.base / had / "a").unlink()
    with pytest.raises(DistrogateError, match=f"{had} lacks a. Nothing was changed") as caught:
        files(state="undone", **RELEASE)
    assert caught.value.reason == "set_gone" and files.read() == {"a": "second"}


def test_the_one_before_it_is_gone(files: Files) -> None:
    """It need not be there to go back, but no link leads to it."""
    for text in ("first", "second"):
        files(files.artifact("a", text))
    shutil.rmtree(files.base / os.readlink(files.base / "latest.previous"))
    files(files.artifact("a", "third"), **RELEASE)
    files(state="undone", **RELEASE)
    assert files.read() == {"a": "second"} and not os.path.lexists(files.base / "latest.previous")
