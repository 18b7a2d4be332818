# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running other programs: argument lists only, bounded in time, logged, ended as a group."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_TAIL = 20


@dataclasses.dataclass(frozen=True)
class Completed:
    """A command that ended: ``argv``, ``status`` and its output (standard output and error)."""

    argv: list[str]
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    def tail(self, lines: int = _TAIL) -> str:
        """The last lines that matter to a reader: of standard error, else of standard output."""
        output = (self.stderr or self.stdout).decode("utf-8", "replace")
        return "\n".join(output.splitlines()[-lines:])


def base_environment(**extra: str) -> dict[str, str]:
    """A small fixed environment: no locale, no caller's settings."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        **extra,
    }


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(
    argv: list[str],
    *,
    environment: dict[str, str] | None = None,
    directory: str | None = None,
    timeout: float = 3600,
    log: str | None = None,
    stdin: bytes | t.BinaryIO = b"",
    check: bool = True,
    pass_fds: t.Sequence[int] = (),
    announce: bool = True,
    name: str = "",
) -> Completed:
    """Run ``argv`` in its own process group.

    With ``log`` both outputs are appended to that file (and ``stdout`` holds
    the last 64 KiB of it); else they are captured. ``timeout`` is in seconds. The
    log names the command unless ``announce`` is false; errors call it ``name``.
    Errors: ``missing_tool``, ``no_folder``, ``command_timeout``, ``command_failed``.
    """
    with contextlib.ExitStack() as stack:
        sink: t.Any = subprocess.PIPE
        begin = 0
        if log is not None:
            sink = stack.enter_context(open(log, "ab"))
            if announce:
                sink.write(("$ " + " ".join(argv) + "\n").encode("utf-8", "replace"))
                sink.flush()
            begin = os.fstat(sink.fileno()).st_size
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
                stdout=sink,
                stderr=subprocess.STDOUT if log is not None else subprocess.PIPE,
                env=environment if environment is not None else base_environment(),
                cwd=directory,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except (OSError, ValueError) as error:
            raise _not_started(argv, directory, error) from error
        try:
            stdout, stderr = process.communicate(stdin if isinstance(stdin, bytes) else None, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            end_group(process)
            raise DistrogateError(
                "command_timeout",
                f"{name or argv[0]} did not end within {timeout:g} s and was killed.",
                log=log,
            ) from error
        except BaseException:
            end_group(process)
            raise
    if log is not None:
        stdout, stderr = tail_of(log, begin), b""
    completed = Completed(argv, process.returncode, stdout, stderr)
    if check and process.returncode:
        raise failed(argv, completed, log)
    return completed


def _not_started(argv: list[str], directory: str | None, error: Exception) -> DistrogateError:
    """Why a command could not even begin; the working folder is looked at first, as the kernel does."""
    if directory is not None and not os.path.isdir(directory):
        return DistrogateError("no_folder", f"There is no folder {directory} to run {argv[0]} in.")
    if isinstance(error, FileNotFoundError):
        return DistrogateError(
            "missing_tool", f"The program {argv[0]} is not installed on this machine.", tool=argv[0]
        )
    return DistrogateError("command_failed", f"{argv[0]} could not be started: {error}", command=argv)


def failed(argv: list[str], completed: Completed, log: str | None) -> DistrogateError:
    """The error for a command that ended with a status other than 0."""
    return DistrogateError(
        "command_failed",
        f"{argv[0]} ended with status {completed.status}:\n{completed.tail()}",
        command=argv,
        status=completed.status,
        log=log,
    )


def tail_of(path: str, begin: int = 0, size: int = 65536) -> bytes:
    """The last ``size`` bytes of a file, none from before ``begin``."""
    with open(path, "rb") as stream:
        stream.seek(max(begin, os.fstat(stream.fileno()).st_size - size))
        return stream.read()
