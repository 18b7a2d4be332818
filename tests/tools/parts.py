"""Runs make targets so many at once, tells the seconds of each, and begins no other after one failed.

The first argument is how many, the others are the targets; whichever is done makes room for the next. When
several run at once, each line of their output begins with the target's name.
"""

from __future__ import annotations

import collections
import subprocess
import sys
import threading
import time


class Parts:
    """The targets, and what became of them."""

    def __init__(self, lanes: int, parts: list[str]) -> None:
        self.lanes = lanes
        self.waiting = collections.deque(parts)
        self.passed: list[str] = []
        self.failed: list[str] = []

    def run(self) -> int:
        """All of them; the status for the caller."""
        threads = [threading.Thread(target=self._lane) for _number in range(self.lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
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
            print(f"=== {part}", flush=True)
            started = time.monotonic()
            status = self._part(part)
            (self.failed if status else self.passed).append(part)
            verdict = "FAILED" if status else "ok"
            print(f"=== {part}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)

    def _part(self, part: str) -> int:
        argv = ["make", "--no-print-directory", part]
        if self.lanes == 1:
            return subprocess.run(argv, check=False).returncode
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                print(f"{part} | {text}".rstrip(), flush=True)
        return process.returncode


if __name__ == "__main__":
    sys.exit(Parts(int(sys.argv[1]), sys.argv[2:]).run())
