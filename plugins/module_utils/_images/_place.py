# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place in which one image is built: a private folder, and namespaces that end with the caller."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command, _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images import _place_init
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import (
    WORK,
    clean_places,
    release,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_limits import Limits

__all__ = ["BuildPlace", "clean_places"]

CACHE = ".cache"
_NOT_MADE = 125  # the first process's status when the namespaces could not be set up


def _absolute(binds: t.Mapping[str, str]) -> dict[str, str]:
    return {inside: os.path.abspath(path) for inside, path in binds.items()}


def _told(spec: dict[str, t.Any]) -> int:
    """A descriptor to read the specification from."""
    descriptor = os.memfd_create("place", 0)
    os.write(descriptor, json.dumps(spec).encode())
    return descriptor


class BuildPlace(Limits):
    """A private folder below ``OUTPUT/.work`` that is gone afterwards, and what is run in it.

    ``directory`` is for the builder's files, ``out`` for results (same file
    system as ``output``). What runs inside may put links there: write what it
    is to read into ``given``. ``cache`` is shared with other builds and never
    written in place. ``timeout`` counts from entering; ``free_space`` bytes
    must stay free; ``say`` is told what goes on, in a few words.
    """

    def __init__(
        self,
        output: str,
        name: str,
        *,
        log: str,
        timeout: float = 7200,
        free_space: int = 1 << 30,
        say: t.Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(output, name, log, timeout, free_space)
        self.say = say or (lambda _words: None)
        self.cache = os.path.join(self.output, CACHE)
        self.place = ""
        self._stack = contextlib.ExitStack()

    @property
    def directory(self) -> str:
        return os.path.join(self.place, "work")

    @property
    def out(self) -> str:
        return os.path.join(self.place, "out")

    @property
    def given(self) -> str:
        return os.path.join(self.place, "given")

    def __enter__(self) -> BuildPlace:
        work = os.path.join(self.output, WORK)
        os.makedirs(work, mode=0o700, exist_ok=True)
        os.makedirs(self.cache, exist_ok=True)
        self.deadline = time.monotonic() + self.timeout
        for released in clean_places(self.output):
            self.note(f"left by a build that was killed, now released: {released}")
        self.check_space()
        with file_lock(os.path.join(work, "lock")):
            self.place = tempfile.mkdtemp(prefix=f"{self.name}-", dir=work)
            held = os.open(os.path.join(self.place, "held"), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            self._stack.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX)
        try:  # nobody but the caller comes through the folder above these
            for name, mode in (
                ("given", 0o755),
                ("work", 0o777),
                ("out", 0o777),
                ("tmp", 0o1777),
                ("root", 0o755),
            ):
                os.mkdir(os.path.join(self.place, name))
                os.chmod(os.path.join(self.place, name), mode)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            release(self.place)
        finally:
            self._stack.close()

    def own(self, path: str) -> None:
        """Make a result the caller's own; those of an ordinary user's builds belong to subordinate ids."""
        if os.getuid() == 0:
            os.lchown(path, 0, 0)
        else:
            _command.run([*_sandbox.unshare(), "chown", "-h", "0:0", "--", path], timeout=60)

    def note(self, line: str) -> None:
        """One line of the log."""
        with open(self.log, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"# {line}\n")

    def run(
        self,
        argv: t.Sequence[str],
        *,
        environment: t.Mapping[str, str] | None = None,
        check: bool = True,
        binds: t.Mapping[str, str] | None = None,
        writable: t.Mapping[str, str] | None = None,
        directory: str = "",
        label: str = "",
        accept: t.Sequence[int] = (),
        look: t.Callable[[], None] = lambda: None,
    ) -> _command.Completed:
        """Run ``argv`` as root of its own namespaces, its output appended to the log; wait for it.

        It sees the host's programs and ``/etc``, read-only, the network, and at their own paths
        ``directory``, ``out`` and (read-only) ``given``. ``binds`` (read-only) and ``writable`` map
        further paths inside to paths outside. Its users are subordinate ids of the caller, which own
        nothing else. Log and errors call it ``label`` (the command); ``accept`` are statuses that are
        no failure; ``look`` is called every now and then. Errors: ``timeout``,
        ``disk_full``, ``command_failed``, ``place_failed``.
        """
        argv = list(argv)
        self.check_space()
        reading, writing = os.pipe()  # the caller alone holds the writing end: a lifeline
        program = _sandbox.init_program(_place_init)
        spec = {
            "place": self.place,
            "binds": {self.given: self.given, **_absolute(binds or {})},
            "writable": {self.directory: self.directory, self.out: self.out, **(writable or {})},
            "hostname": "builder",
            "argv": argv,
            "environment": {**_command.base_environment(HOME="/tmp"), **(environment or {})},  # noqa: S108
            "directory": directory or self.directory,
            "lifeline": reading,
        }
        flags = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        told = _told(spec)
        # The folder's name is there to be found by, should we be killed; all else may be secret.
        first = [_sandbox.PYTHON, "-I", f"/proc/self/fd/{program}", self.place, str(told)]
        label = label or " ".join(argv)
        begin = self._announce(label)
        try:
            # The log has one writer, so that nothing of it is lost where it is cut.
            process = subprocess.Popen(
                [*_sandbox.WITH_CALLER, *_sandbox.unshare(*flags), *first],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_command.base_environment(),
                cwd=self.place,
                start_new_session=True,
                pass_fds=[reading, program, told],
            )
            self.wait(process, begin, look)
        finally:
            for descriptor in (reading, writing, program, told):
                os.close(descriptor)
        done = _command.Completed(argv, process.returncode, _command.tail_of(self.log, begin), b"")
        if done.status == _NOT_MADE and b"\nplace: " in b"\n" + done.stdout:
            raise DistrogateError(
                "place_failed", f"The place to build in could not be made: {done.tail(3)}", log=self.log
            )
        if check and done.status and done.status not in accept:
            raise self.failed(label.split(" ")[0], done)
        return done

    def _announce(self, label: str) -> int:
        with open(self.log, "ab") as stream:
            stream.write(f"$ {label}\n".encode("utf-8", "replace"))
        return os.path.getsize(self.log)
