"""Runs make targets in lanes side by side, tells the seconds of each, and begins no other after one failed.

Each argument is a lane: targets with commas between them, which run one after the other. With several lanes,
each line of their output begins with the target's name.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time


class Lanes:
    """The targets of all lanes, and what became of them."""

    def __init__(self, lanes: list[list[str]]) -> None:
        self.lanes = lanes
        self.passed: list[str] = []
        self.failed: list[str] = []

    def run(self) -> int:
        """All of them; the status for the caller."""
        threads = [threading.Thread(target=self._lane, args=(lane,)) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        skipped = sum(map(len, self.lanes)) - len(self.passed) - len(self.failed)
        print(f"{len(self.passed)} passed, {len(self.failed)} failed", end="")
        print(f" ({', '.join(self.failed)})" if self.failed else "", end="")
        print(f", {skipped} skipped" if skipped else "")
        return 1 if self.failed else 0

    def _lane(self, parts: list[str]) -> None:
        for part in parts:
            if self.failed:
                return
            print(f"=== {part}", flush=True)
            started = time.monotonic()
            status = self._part(part)
            (self.failed if status else self.passed).append(part)
            verdict = "FAILED" if status else "ok"
            print(f"=== {part}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)

    def _part(self, part: str) -> int:
        argv = ["make", "--no-print-directory", part]
        if len(self.lanes) == 1:
            return subprocess.run(argv, check=False).returncode
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                print(f"{part} | {text}".rstrip(), flush=True)
        return process.returncode


if __name__ == "__main__":
    sys.exit(Lanes([argument.split(",") for argument in sys.argv[1:]]).run())
