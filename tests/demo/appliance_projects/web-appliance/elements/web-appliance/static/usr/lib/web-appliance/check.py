# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the service for its page, and say so; with --serve, where no init runs, serve it meanwhile."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request

PORT = 8080
SECONDS = 120


def free_port():
    """Another one than the service's: a test machine may share its network."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether the page comes in time."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with opener.open(f"http://127.0.0.1:{port}/", timeout=10) as page:
                return page.read() == b"served by the appliance\n"
        except OSError:
            time.sleep(0.5)
    return False


def main():
    """Status 0 when the service serves."""
    if "--serve" not in sys.argv[1:]:
        good = answers(PORT)
    else:
        port = free_port()
        serve = [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "app:application"]
        with subprocess.Popen(serve, cwd="/usr/lib/web-appliance") as server:
            good = answers(port) and server.poll() is None
            server.terminate()
    print("web-appliance: the service " + ("answers" if good else "does not answer"), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
