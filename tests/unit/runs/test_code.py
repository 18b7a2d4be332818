# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of the collection's code: the same wherever it lies, another when any of it differs."""

from __future__ import annotations

import os
import pathlib
import shutil

from ansible_collections.distrogate.ci.plugins.plugin_utils._code import code_digest, digest_of

ROOT = pathlib.Path(__file__).parents[3]


def collection(folder: pathlib.Path) -> pathlib.Path:
    for name, text in (
        ("plugins/modules/one.py", "one = 1\n"),
        ("roles/build/tasks/main.yml", "---\n"),
        ("playbooks/check.yml", "---\n"),
        ("playbooks/files/common/check.yml", "---\n"),
        ("docs/page.rst", "text\n"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_it_does_not_depend_on_the_place_nor_on_what_python_makes(tmp_path):
    one = digest_of(str(collection(tmp_path / "one")))
    other = collection(tmp_path / "other")
    (other / "plugins/modules/__pycache__").mkdir()
    (other / "plugins/modules/__pycache__/one.cpython-39.pyc").write_bytes(b"\0")
    (other / "plugins/modules/.one.py.swp").write_bytes(b"\0")
    (other / "docs/page.rst").write_text("other\n")
    (other / "playbooks/files/common/check.yml").write_text("# an example\n")
    assert digest_of(str(other)) == one


def test_it_differs_with_any_file_and_any_name(tmp_path):
    whole = collection(tmp_path / "whole")
    seen = {digest_of(str(whole))}
    for number, name in enumerate(
        ("plugins/modules/one.py", "roles/build/tasks/main.yml", "playbooks/check.yml")
    ):
        copy = tmp_path / str(number)
        shutil.copytree(whole, copy)
        (copy / name).write_text("changed\n")
        seen.add(digest_of(str(copy)))
    os.rename(whole / "plugins/modules/one.py", whole / "plugins/modules/two.py")
    seen.add(digest_of(str(whole)))
    assert len(seen) == 5


def test_links_are_not_followed(tmp_path):
    whole = collection(tmp_path / "whole")
    before = digest_of(str(whole))
    os.symlink("/", whole / "plugins/root")
    assert digest_of(str(whole)) == before


def test_the_collections_own():
    assert code_digest() == digest_of(str(ROOT))
