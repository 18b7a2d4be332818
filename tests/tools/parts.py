"""Runs make targets one after the other, tells the seconds of each, and stops at the first that fails."""

from __future__ import annotations

import subprocess
import sys
import time


def main(parts: list[str]) -> int:
    passed: list[str] = []
    failed: list[str] = []
    for part in parts:
        print(f"=== {part}", flush=True)
        started = time.monotonic()
        status = subprocess.run(["make", "--no-print-directory", part], check=False).returncode
        verdict = "FAILED" if status else "ok"
        print(f"=== {part}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)
        (failed if status else passed).append(part)
        if failed:
            break
    skipped = len(parts) - len(passed) - len(failed)
    print(f"{len(passed)} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
