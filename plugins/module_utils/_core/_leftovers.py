# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What killed runs leave beside results: notes, unfinished files, results to share, Ansible's own files.

All of it is small, and in nobody's way; it goes when it was not touched for ``idle_days``.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process, _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Finding, Rules, folders
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY, read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run

_UNFINISHED = ".tmp-"  # what write_atomic and clone_file are still writing
# Where stages write such files; a workspace holds a project's own.
_WRITTEN = ("", "stages", "logs", "results", "artifacts", "statements", _under_way.FOLDER)
_RANDOM = "[a-z0-9_]{8}"  # as Python makes names of temporary files
# Of a playbook, of a task on a host, of a module there (or made by one of ours), and what an asynchronous
# one tells.
_PLAYBOOK = re.compile(f"ansible-local-(?P<pid>[0-9]+){_RANDOM}")
_TASK = re.compile(r"ansible-tmp-[0-9.]+-(?P<pid>[0-9]+)-[0-9]+")
_MODULE = re.compile(f"ansible_[A-Za-z0-9_.]+_payload_{_RANDOM}|{TEMPORARY}(clean-)?{_RANDOM}")
# Python writes such a file, and removes it, to see where temporary files may be (tempfile.gettempdir).
_TRIAL, _TRIED = re.compile(_RANDOM), b"blat"
_RESULT = re.compile(r"(?P<job>j?[0-9]+\.[0-9]+)(\.tmp)?")
_PROGRESS = re.compile(r"progress-[0-9a-f]{16}\.json(" + re.escape(_under_way.HEARD) + ")?")


def find_killed(runs: str | None, rules: Rules) -> t.Iterator[Finding]:
    """In run directories: notes that nobody works on, unfinished files."""
    for path in folders(runs):
        if os.path.exists(os.path.join(path, "run.json")):
            yield from _notes(path, rules)
            for folder in _WRITTEN:
                yield from find_unfinished(os.path.join(path, folder), rules)


def _notes(path: str, rules: Rules) -> t.Iterator[Finding]:
    run = Run(path)
    for name in _under_way.names(run):
        note = os.path.join(path, _under_way.FOLDER, f"{name}.json")
        with contextlib.suppress(DistrogateError, OSError):
            who = _under_way.note(run, name) or {}
            if _process.alive(who.get("controller")) or _process.alive(who.get("process")):
                yield Finding("note", note, "a process works on the stage", False)
                continue
        yield _by_age("note", note, rules, "nobody works on the stage")


def find_unfinished(folder: str | None, rules: Rules) -> t.Iterator[Finding]:
    """Files in a folder that were never given their name."""
    for path in _regular(folder, lambda name: name.startswith(_UNFINISHED)):
        yield _by_age("unfinished", path, rules, "its writer is gone")


def find_shared(folder: str | None, rules: Rules) -> t.Iterator[Finding]:
    """Results offered to other runs (``_reuse``) whose run directory is gone."""
    yield from find_unfinished(folder, rules)
    for path in _regular(folder, lambda name: name.endswith(".json")):
        run = ""
        with contextlib.suppress(DistrogateError, OSError, KeyError, TypeError):
            run = str(read_json(path, limit=1 << 16)["run"])
        if not os.path.isdir(run):
            yield _by_age("shared", path, rules, "its run is gone")


def find_temporary(places: t.Iterable[str], rules: Rules, own: str = "") -> t.Iterator[Finding]:
    """Ansible's temporary files of this user. ``own``: the folder of the module that looks.

    Which folder belongs to a module that runs from it, nobody can see: only its age protects it.
    """
    arguments = _arguments()
    for folder in dict.fromkeys([*places, tempfile.gettempdir()]):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if _is_ansibles(path, name) and not _wanted(path, name, arguments, own):
                in_use = rules.in_use(path)
                yield (
                    Finding("temporary", path, in_use, False)
                    if in_use
                    else _by_age("temporary", path, rules, "its playbook is gone")
                )


def _is_ansibles(path: str, name: str) -> bool:
    """By its name and kind; and it must be ours."""
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        if status.st_uid != os.geteuid():
            return False
        if stat.S_ISDIR(status.st_mode):
            return any(form.fullmatch(name) for form in (_PLAYBOOK, _TASK, _MODULE))
        plain = stat.S_ISREG(status.st_mode)
        if plain and _TRIAL.fullmatch(name):
            return _is_trial(path, name, status.st_size)
        return plain and any(form.fullmatch(name) for form in (_RESULT, _PROGRESS))
    return False


def _is_trial(path: str, name: str, size: int) -> bool:
    """An empty one must not have a name that somebody gave it, who would write words."""
    if size == 0:
        return bool(re.search("[0-9]", name))
    if size != len(_TRIED):
        return False
    with open(path, "rb", opener=_nofollow) as stream:
        return stream.read(64) == _TRIED


def _nofollow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _wanted(path: str, name: str, arguments: set[str], own: str) -> bool:
    """Whether somebody may still need it: the module that looks, a playbook, a program in it, its job."""
    if any(name and (name + "/").startswith(path + "/") for name in (own, os.path.realpath(__file__))):
        return True
    if any(word == path or word.startswith(path + "/") for word in arguments):
        return True
    result = _RESULT.fullmatch(name)
    if result:  # the wrapper of an asynchronous module is called with the number alone
        return result["job"] in arguments or result["job"].lstrip("j") in arguments
    found = _PLAYBOOK.fullmatch(name) or _TASK.fullmatch(name)
    return found is not None and os.path.exists(f"/proc/{found['pid']}")


def _arguments() -> set[str]:
    found: set[str] = set()
    for process in (name for name in os.listdir("/proc") if name.isdigit()):
        with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as stream:
            words = stream.read(1 << 20).decode("utf-8", "surrogateescape").split("\0")
            # A shell's command line holds paths within one word.
            found |= {part for word in words for part in re.split(r"[\s'\"]+", word)}
    return found


def _regular(folder: str | None, wanted: t.Callable[[str], bool]) -> t.Iterator[str]:
    """The plain files in a folder with such a name; links are no files."""
    if not folder or not os.path.isdir(folder) or os.path.islink(folder):
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):
            if wanted(name) and stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _by_age(kind: str, path: str, rules: Rules, why: str) -> Finding:
    age = rules.days(path)
    return Finding(kind, path, f"{why}; not touched for {age:.1f} days", age >= rules.idle_days)
