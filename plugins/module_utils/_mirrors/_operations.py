# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rsync, described once: each operation is one argument list."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import STAGING

# --protect-args: names reach the other side as they are, past any shell there.
_ALWAYS = ["--protect-args", "--from0", "--stats", "--no-human-readable", "--times"]
# --chmod: what a mirror holds is for everybody to read, and for nobody to run.
# Never --no-implied-dirs: a link where a folder of ours should be is replaced by a folder
# only because that folder is in rsync's list. Without, rsync writes and deletes behind the link.
_TO = ["--omit-dir-times", "--perms", "--chmod=D755,F644"]
# Links, devices and fifos there are passed over. What comes is for us alone.
_FROM = ["--perms", "--chmod=D700,F600", "--ignore-missing-args"]
_PROGRESS = ["--info=progress2"]
_ITEMS = ["--out-format=%i %n"]
_OVERHEAD = 11  # bytes of an argument besides the name: "./", its end, and a pointer
_LOOK = ["/.distrogate/", "/.distrogate/mirror.json", "/.distrogate/claims/", "/.distrogate/claims/*.json"]


class Operation(t.NamedTuple):
    """``items``: rsync tells of each file, else of its progress. ``start``: what a recursive one reads."""

    options: t.Sequence[str]
    pull: bool = False
    items: bool = False
    start: str | None = None


OPERATIONS: dict[str, Operation] = {
    # New names: nothing there that the difference to it would be worth looking for.
    "send": Operation([*_TO, *_PROGRESS, "--whole-file"]),
    # Many of them: written at once under their names, which nobody knows yet. What has such a name already is
    # left alone; whether it is right, or was left half written by a transfer that broke off, "compare" tells.
    "fill": Operation([*_TO, *_PROGRESS, "--whole-file", "--inplace", "--ignore-existing"]),
    # --checksum: the quick check compares whole seconds, and two publishes fit into one.
    "repair": Operation([*_TO, *_PROGRESS, "--checksum"]),
    "compare": Operation([*_TO, "--checksum", "--dry-run"], items=True),
    # A file that lies in the partial folder is rsync's basis, and with --delay-updates the very
    # file that is renamed. --link-dest would remove the old file before it links the new one.
    # --ignore-times: what waits is always renamed, so that no staging folder is left.
    "switch": Operation(
        [*_TO, *_PROGRESS, "--ignore-times", "--delay-updates", f"--partial-dir={os.fsdecode(STAGING)}"]
    ),
    # Without --force, a folder that lies where a file of ours was keeps what is in it.
    "finish": Operation([*_TO, *_PROGRESS, "--ignore-times", "--delete-missing-args"]),
    "delete": Operation([*_TO, "--existing", "--delete-missing-args"]),
    "discard": Operation([*_TO, "--existing", "--delete-missing-args", "--force"]),
    "write": Operation([*_TO, "--ignore-times"], items=True),
    # --inplace: where a name is replaced by a rename, one who lists that folder meanwhile may miss it.
    "rewrite": Operation([*_TO, "--ignore-times", "--existing", "--inplace"], items=True),
    "fetch": Operation([*_FROM, *_PROGRESS], pull=True),
    "exists": Operation([*_FROM, "--dry-run", "--out-format=%i %l %n"], pull=True, items=True),
    # The folder is read as a whole, not through --files-from: so a link in its place is not followed.
    "look": Operation(
        [*_FROM, *_PROGRESS, "--recursive", *(f"--filter=+ {name}" for name in _LOOK), "--filter=- *"],
        pull=True,
        start=".distrogate",
    ),
    "names": Operation(
        [*_FROM, "--dry-run", "--recursive", "--links", "--devices", "--specials"],
        pull=True,
        items=True,
        start="",
    ),
}


def batches(names: t.Iterable[bytes]) -> t.Iterator[list[bytes]]:
    """The names in as many parts as are needed for each to fit on a command line."""
    room = os.sysconf("SC_ARG_MAX") // 4 * 3
    batch: list[bytes] = []
    size = 0
    for name in names:
        size += len(name) + _OVERHEAD
        if size > room and batch:
            yield batch
            batch, size = [], len(name) + _OVERHEAD
        batch.append(name)
    if batch:
        yield batch


Argument = t.Union[str, bytes]


def command(
    mirror: Mirror,
    access: Access,
    operation: str,
    folder: str,
    names: str | t.Sequence[bytes] | None,
) -> list[Argument]:
    """The argument list of one operation between ``folder`` here and the mirror.

    ``names`` is the path of a list of names, or the names themselves: then it
    must be run in ``folder``, and it must send.
    """
    what = OPERATIONS[operation]
    here, there = folder.rstrip("/") + "/", mirror.target + (what.start or "")
    told = _ITEMS if what.items and not any(word.startswith("--out-format") for word in what.options) else []
    argv: list[Argument] = ["rsync", *_ALWAYS, *what.options, *told, *access.options(mirror)]
    if isinstance(names, str):
        return [*argv, f"--files-from={names}", "--", *([there, here] if what.pull else [here, there])]
    if names is not None:
        # "./": a name with a colon is no host's.
        return [*argv, "--relative", "--dirs", "--", *(b"./" + name for name in names), there]
    return [*argv, "--", *([there, here] if what.pull else [here, there])]
