# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages that are published: made once, kept in a folder, and made anew when their recipe changes."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import publish_debs as debs
from ansible_collections.distrogate.ci.tests.benchmarks import publish_rpms as rpms
from ansible_collections.distrogate.ci.tests.demo.site import say

KINDS = {"deb": debs, "rpm": rpms}
_A_FOLDER = 1000  # packages


def path(folder: Path, kind: str, number: int) -> Path:
    return folder / kind / f"{number // _A_FOLDER:03d}" / KINDS[kind].file_name(number)


def make(folder: Path, kind: str, count: int) -> list[Path]:
    """The first ``count`` packages, most of them from the time before."""
    made = folder / f"{kind}.made"
    have = int(made.read_text()) if made.exists() else 0
    if have < count:
        say(f"making {count - have} {kind} packages")
        with multiprocessing.Pool() as pool:
            pool.starmap(_make, [(folder, kind, number) for number in range(have, count)], chunksize=200)
        made.write_text(str(count))
    packages = [path(folder, kind, number) for number in range(count)]
    for number, package in enumerate(packages):
        if package.stat().st_nlink != 1:  # somebody else has linked it: ours could not any more
            package.unlink()
            _make(folder, kind, number)
    return packages


def _make(folder: Path, kind: str, number: int) -> None:
    file = path(folder, kind, number)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(KINDS[kind].package(number))


def cache(root: Path) -> Path:
    """The folder for what is kept; what another recipe made is removed."""
    folder, stamp = root / "inputs", root / "inputs" / "recipe"
    recipe = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("publish_*.py")):
        if file.stem in ("publish_debs", "publish_rpms", "publish_rpm_format", "publish_words"):
            recipe.update(file.read_bytes())
    if not stamp.exists() or stamp.read_text() != recipe.hexdigest():
        remove(folder)
        folder.mkdir(parents=True)
        stamp.write_text(recipe.hexdigest())
    return folder


def copies(packages: list[Path], folder: Path) -> list[Path]:
    """Packages for a tool that may link them into its pool, which ours then could not."""
    remove(folder)
    folder.mkdir(parents=True)
    return [Path(shutil.copy(package, folder)) for package in packages]


def copy_tree(source: Path, target: Path) -> None:
    """A copy whose packages are hard links: no tool writes into a package."""

    def copy(old: str, new: str) -> None:
        if old.endswith((".deb", ".rpm")) and not os.path.islink(old):
            os.link(old, new)
        else:
            shutil.copy2(old, new, follow_symlinks=False)

    remove(target)
    shutil.copytree(source, target, symlinks=True, copy_function=copy)


def remove(folder: Path) -> None:
    """A tree that may not be there."""
    if folder.exists():
        shutil.rmtree(folder)
