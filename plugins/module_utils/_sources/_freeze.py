# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freezing a run: what each name meant at this moment, before any stage begins."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import (
    Git,
    checked_commit,
    checked_ref,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_queue

# A bundle covers the first four, and Python. The others are written down to find a difference by.
_TOOLS = ("git", "mmdebstrap", "rpm", "gpg", "apt", "dpkg", "lintian", "rpmbuild", "rpmlint")
_SLOW = ("lintian", "mmdebstrap", "rpmlint")  # they take 0.1 s and more to say their versions


def cached(cache: str, url: str) -> Git:
    """The bare repository that keeps what was fetched from ``url``."""
    path = os.path.join(cache, hashlib.sha256(url.encode()).hexdigest()[:16] + ".git")
    if not os.path.isdir(path):
        os.makedirs(cache, exist_ok=True)
        with file_lock(os.path.join(cache, "lock")):
            if not os.path.isdir(path):
                shutil.rmtree(path + ".new", ignore_errors=True)  # of a caller that was killed
                Git(cache).call("init", "--quiet", "--bare", path + ".new")
                os.rename(path + ".new", path)
    return Git(path)


def _check_url(url: str) -> None:
    if url.startswith("-") or "::" in url:
        raise DistrogateError("bad_url", f"{url!r} is not an address that is fetched from.")


def fetch(git: Git, url: str, branch: str, refs: t.Iterable[str]) -> None:
    """Bring a branch and the refs of changes into the cache."""
    _check_url(url)
    wanted = [f"+refs/heads/{branch}:refs/distrogate/heads/{branch}"]
    wanted += [f"+{checked_ref(ref)}:refs/distrogate/changes/{ref[5:]}" for ref in refs if ref]
    with file_lock(os.path.join(git.directory, "distrogate.lock")):
        git.call("fetch", "--quiet", "--no-tags", "--end-of-options", url, *wanted)


def has_commit(git: Git, commit: str) -> bool:
    return git.call("cat-file", "-e", f"{commit}^{{commit}}", check=False).status == 0


def bring(git: Git, url: str, commits: t.Iterable[str], branch: str = "", refs: t.Iterable[str] = ()) -> None:
    """Have commits in the cache, also when their branch has moved on.

    By their ids, which a server may refuse; then with the branch and the refs that had them.
    """
    wanted = [checked_commit(commit) for commit in commits]
    missing = [commit for commit in wanted if not has_commit(git, commit)]
    if not missing:
        return
    _check_url(url)
    with file_lock(os.path.join(git.directory, "distrogate.lock")):
        kept = [f"+{commit}:refs/distrogate/commits/{commit}" for commit in missing]
        done = git.call("fetch", "--quiet", "--no-tags", "--end-of-options", url, *kept, check=False)
    if done.status and branch:
        for ref in ["", *refs]:  # each alone: one that is gone must not hide the others
            with contextlib.suppress(DistrogateError):
                fetch(git, url, branch, [ref])


def tools() -> dict[str, str]:
    """Versions of the tools that a build's result may depend on; absent ones are left out."""
    found = {"python": platform.python_version()}
    packaged = _packaged()
    for name in _TOOLS:
        if name in packaged:
            found[name] = packaged[name]
        elif shutil.which(name):
            done = _command.run([name, "--version"], timeout=60, check=False)
            said = done.text.strip().splitlines()
            if done.status == 0 and said:
                found[name] = said[0].strip()
    return found


def _packaged() -> dict[str, str]:
    """Of the slow ones, what the package manager knows."""
    if not shutil.which("dpkg-query"):
        return {}
    shown = "--showformat=${Package}\t${db:Status-Status}\t${Version}\n"
    done = _command.run(["dpkg-query", "--show", shown, *_SLOW], timeout=60, check=False)
    rows = [line.split("\t") for line in done.text.splitlines()]
    return {row[0]: f"{row[0]} {row[2]}" for row in rows if len(row) == 3 and row[1] == "installed"}


def new_path(runs: str, pipeline: str, queue: t.Sequence[dict[str, t.Any]]) -> str:
    """A path for a new run directory: sortable by time, and never used twice."""
    change = normal_queue(queue)[-1]
    name = re.sub(r"[^A-Za-z0-9.-]", "-", f"{change['change_id']}-{change['patch_set']}")[:60]
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return os.path.join(runs, f"{pipeline}-{name}-{stamp}-{os.urandom(2).hex()}")


def images(rootfs: str | None) -> dict[str, str]:
    """The key of each root filesystem that stages are going to find as ``current``."""
    if not rootfs or not os.path.isdir(rootfs):
        return {}
    links = {name: os.path.join(rootfs, name, "current") for name in sorted(os.listdir(rootfs))}
    return {name: os.readlink(link) for name, link in links.items() if os.path.islink(link)}
