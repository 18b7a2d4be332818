# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write one state of a small apt repository: ``publish.py FOLDER TEXT``."""

from __future__ import annotations

import hashlib
import pathlib
import sys

folder, text = pathlib.Path(sys.argv[1]) / "dists" / "stable", sys.argv[2]
digest = hashlib.sha256(text.encode()).hexdigest()
release = f"Acquire-By-Hash: yes\nSHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n"
for name, content in (
    (f"main/binary-amd64/by-hash/SHA256/{digest}", text),
    ("main/binary-amd64/Packages", text),
    ("InRelease", release),
):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(".tmp-new")
    new.write_text(content)
    new.rename(path)
