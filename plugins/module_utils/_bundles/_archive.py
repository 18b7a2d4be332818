# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive: every bundle and what was said about it, in a folder on the controller.

    ARCHIVE/<2 hexadecimal digits>/<64 hexadecimal digits>/bundle.json
    ARCHIVE/<2 hexadecimal digits>/<64 hexadecimal digits>/statements/*.json

Files are written once and never changed; statements are only added. A process
that is killed leaves whole files, and perhaps a folder without bundle.json,
which is no bundle yet. What lies in ``.distrogate`` can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import digest_hex, parse_bundle
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._run_files import (
    read_folder,
    read_text,
    write_once,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sync_directory

OWN = ".distrogate"  # the folder of what is made from the files
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,180}\.json")
_PART = re.compile(r"[0-9a-f]{2}")
_CLOSED = "0 0 0"  # the stamp of what may not be looked at: it is there, and reading it says why not
_HEX = re.compile(r"[0-9a-f]{64}")

Json = dict[str, t.Any]


def archive_name(name: str, text: str) -> str:
    """The name under which the archive takes a statement, whose file anybody may have named."""
    if _NAME.fullmatch(name):
        return name
    return f"statement-{hashlib.sha256(text.encode('utf-8')).hexdigest()[:32]}.json"


class Archive:
    """One archive. ``root`` need not exist before something is added."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)

    def folder(self, digest: str) -> str:
        """Where the bundle of this digest lies, or would."""
        hexadecimal = digest_hex(digest)
        return f"{self.root}/{hexadecimal[:2]}/{hexadecimal}"

    def add(
        self, digest: str, bundle_text: str | None, statements: t.Mapping[str, str], check_mode: bool = False
    ) -> list[str]:
        """Add a bundle, and statements about it; returns the names of the files that were not there.

        ``bundle_text`` None means that the bundle is there already. The same bundle may have been sealed in
        two run directories, which differ in the paths and in times: the first bundle.json stays, and a
        statement whose name is taken gets another one.
        """
        folder = self.folder(digest)
        for last in (False, False, True):
            try:
                return self._add(folder, digest, bundle_text, statements, check_mode)
            except DistrogateError as error:
                # Another took a name between the look and the writing: look again.
                if last or error.reason not in ("bundle_sealed", "statement_exists"):
                    raise
            except OSError as error:
                raise from_os_error(error, self.root) from error
        raise AssertionError("unreachable")

    def _add(
        self,
        folder: str,
        digest: str,
        bundle_text: str | None,
        statements: t.Mapping[str, str],
        check_mode: bool,
    ) -> list[str]:
        there = read_text(f"{folder}/bundle.json")
        files: dict[str, str] = {}
        if there is None:
            if bundle_text is None:
                raise DistrogateError(
                    "unknown_bundle",
                    f"The archive {self.root} has no bundle {digest}. Seal it with this archive.",
                )
            if digest_hex(parse_bundle(bundle_text)["digest"]) != digest_hex(digest):
                raise DistrogateError(
                    "bad_bundle", f"A bundle of another digest was to be archived as {digest}."
                )
            files["bundle.json"] = bundle_text
        files.update(self._named(folder, statements))
        if files and not check_mode:
            _make_folders(self.root, f"{folder}/statements")
        return write_once(folder, files, check_mode)

    @staticmethod
    def _named(folder: str, statements: t.Mapping[str, str]) -> dict[str, str]:
        """The statements that are not there, by the name that each gets."""
        found = {}
        for name, text in sorted(statements.items()):
            if not _NAME.fullmatch(name):
                raise DistrogateError("bad_name", f"{name!r} is not the name of a statement's file.")
            taken = read_text(f"{folder}/statements/{name}")
            if taken is None:
                found[f"statements/{name}"] = text
            elif taken != text:
                found[f"statements/{_other_name(name, text)}"] = text
        return {name: text for name, text in found.items() if read_text(f"{folder}/{name}") != text}

    def has(self, digest: str) -> bool:
        """Whether there is such a bundle."""
        return os.path.isfile(f"{self.folder(digest)}/bundle.json")

    def bundle_text(self, digest: str) -> str:
        """The text of bundle.json, which nobody has checked."""
        text = read_text(f"{self.folder(digest)}/bundle.json")
        if text is None:
            raise DistrogateError(
                "unknown_bundle", f"The archive {self.root} has no bundle {digest}. Look with bundle_info."
            )
        return text

    def bundle(self, digest: str) -> Json:
        """The bundle; one that was edited is refused, as far as the digest can tell."""
        return self.read(digest)[0]

    def read(self, digest: str) -> tuple[Json, str]:
        """The bundle, as ``bundle`` gives it, and the sha256 of its file, which provenance states."""
        name, text = f"{self.folder(digest)}/bundle.json", self.bundle_text(digest)
        bundle = parse_bundle(text, name)
        if digest_hex(bundle["digest"]) != digest_hex(digest):
            raise DistrogateError("bad_bundle", f"{name} is the bundle {bundle['digest']}: it was moved.")
        return bundle, hashlib.sha256(text.encode("utf-8")).hexdigest()

    def statements(self, digest: str) -> dict[str, str]:
        """The texts of the envelopes by file name, which nobody has checked."""
        return read_folder(f"{self.folder(digest)}/statements")

    def stamps(self) -> dict[str, str]:
        """A text for each bundle that changes when its files do, by the hexadecimal part of its digest.

        Two calls of stat(2) a bundle, so that 10,000 of them cost a tenth of a second.
        """
        found: dict[str, str] = {}
        lstat = os.lstat
        for part in _names(self.root, _PART):
            folder = f"{self.root}/{part}"
            for name in _names(folder, _HEX):
                if not name.startswith(part):
                    continue
                try:
                    bundle = lstat(f"{folder}/{name}/bundle.json")
                except PermissionError:
                    found[name] = _CLOSED
                    continue
                except OSError:
                    continue  # not sealed yet: whoever wrote this was killed, or still writes
                if not stat.S_ISREG(bundle.st_mode):
                    continue
                said = 0
                with contextlib.suppress(OSError):
                    said = lstat(f"{folder}/{name}/statements").st_mtime_ns
                found[name] = f"{bundle.st_size} {bundle.st_mtime_ns} {said}"
        return found


def together(archived: t.Mapping[str, str], more: t.Mapping[str, str]) -> dict[str, str]:
    """All statements of both. A file's name is nobody's word: another text of one name counts beside it."""
    found = dict(archived)
    known = set(archived.values())
    for name, text in sorted(more.items()):
        if text in known:
            continue
        free = name
        while free in found:
            free = _other_name(free, text)
        found[free] = text
    return found


def _other_name(name: str, text: str) -> str:
    """For a statement whose name is taken."""
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    return f"{name[: -len('.json')]}-{sha256}.json"


def newest_change(stamp: str) -> int:
    """When what a stamp stands for was changed last, in nanoseconds since the epoch."""
    _size, bundle, said = stamp.split(" ")
    return max(int(bundle), int(said))


def _names(folder: str, pattern: t.Pattern[str]) -> list[str]:
    try:
        return sorted(filter(pattern.fullmatch, os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise from_os_error(error, folder) from error


def _make_folders(root: str, folder: str) -> None:
    """Make a folder and those above it, durable: what is written into it must not be lost with its name."""
    missing = []
    while not os.path.isdir(folder) and len(folder) > len(os.path.dirname(root)):
        missing.append(folder)
        folder = os.path.dirname(folder)
    os.makedirs(folder, exist_ok=True)
    for name in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(name)
        sync_directory(os.path.dirname(name))
