# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person at a terminal reads from the playbook ``mirror``."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

COLLECTIONS = pathlib.Path(__file__).resolve().parents[3] / ".venv/collections"


def played(folder: pathlib.Path, *options: str, **variables: t.Any) -> str:
    """Its output, with a host that is this machine."""
    inventory = folder / "hosts"
    inventory.write_text("[repository_hosts]\nrepository ansible_connection=local\n")
    given = json.dumps({"ansible_python_interpreter": sys.executable, **variables})
    program = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    argv = [program, "-i", str(inventory), "-e", given, *options]
    argv.append("distrogate.ci.mirror")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_says_why_and_what_was_found(tmp_path: pathlib.Path) -> None:
    source, mirror, away = tmp_path / "release", tmp_path / "mirror", tmp_path / "away"
    for folder in (source, mirror):
        folder.mkdir()
    (source / "file").write_text("one")
    given = {
        "distrogate_repositories": str(tmp_path),
        "distrogate_mirrors": [str(mirror), str(away)],
        "distrogate_mirror_quorum": "1/2",
    }
    planned = played(tmp_path, "--check", **given)
    assert f"{mirror} switched: would get 1 files" in planned and not list(mirror.iterdir())
    assert f"{mirror} switched, {away} away: there is no such folder" in played(tmp_path, **given)
    (mirror / "stranger").write_text("two")
    found = played(tmp_path, **given, deep=True)
    assert f"{mirror} unchanged, {away} away: there" in found and '"stranger"' in found
