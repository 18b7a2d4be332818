"""Runs make targets so many at once, tells what each cost, and begins no other after one failed.

The first argument is how many, the others are the targets; whichever is done makes room for the next. When
several run at once, each line of their output begins with the target's name, and the end of what failed is
told once more as the last of all: it is far up where another target took longer.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import threading
import time

# What is told again of a target that failed: the short summary of pytest is within it.
END = 12
WIDTH = 300


def say(line: str) -> None:
    """In one piece: print() writes the end of the line by itself, and another thread comes between."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Parts:
    """The targets, and what became of them."""

    def __init__(self, lanes: int, parts: list[str]) -> None:
        self.lanes = lanes
        self.waiting = collections.deque(parts)
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.ends: dict[str, collections.deque[str]] = {}

    def run(self) -> int:
        """All of them; the status for the caller."""
        threads = [threading.Thread(target=self._lane) for _number in range(self.lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for part in self.failed if self.lanes > 1 else ():
            print(f"=== {part} FAILED, and ended with:", *self.ends[part], sep="\n")
        skipped = len(self.waiting)
        print(f"{len(self.passed)} passed, {len(self.failed)} failed", end="")
        print(f" ({', '.join(self.failed)})" if self.failed else "", end="")
        print(f", {skipped} skipped" if skipped else "")
        return 1 if self.failed else 0

    def _lane(self) -> None:
        while not self.failed:
            try:
                part = self.waiting.popleft()
            except IndexError:
                return
            say(f"=== {part}")
            started = time.monotonic()
            status, cpu = self._part(part)
            (self.failed if status else self.passed).append(part)
            verdict = "FAILED" if status else "ok"
            wall = time.monotonic() - started
            say(f"=== {part}: {verdict}, {wall:.0f} s, {cpu:.0f} s of CPU")

    def _part(self, part: str) -> tuple[int, float]:
        """Its status, and the CPU seconds of it and of all that it waited for."""
        argv = ["make", "--no-print-directory", part]
        streams = {} if self.lanes == 1 else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(argv, **streams) as process:
            end = self.ends[part] = collections.deque(maxlen=END)
            for line in process.stdout or ():
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                end.append(text[:WIDTH])
                say(f"{part} | {text}".rstrip())
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(Parts(int(sys.argv[1]), sys.argv[2:]).run())
