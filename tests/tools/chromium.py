# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Chromium without a screen for many pages: it takes two seconds to start, and a page a fraction of one.

It is told what to do by a pipe, so it listens on no port, and ends with the pipe's other end.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

Json = dict[str, t.Any]
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Chromium:
    """A browser, and the DevTools protocol as far as it takes to open pages."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium")
        assert program, "chromium is missing: it is in bindep.txt"
        theirs, self._out = os.pipe()
        self._in, answers = os.pipe()
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LANG": "C.UTF-8"}
        argv = [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        # Chromium reads from descriptor 3 and writes to 4, which may be anything here.
        script = f'exec 3<&{theirs} 4>&{answers} "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *argv],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs, answers),
        )
        os.close(theirs)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self._events: list[Json] = []  # what it told unasked, as long as a tab listens
        self._listens = False

    def close(self) -> None:
        """End it, and the processes that it started."""
        self._send("Browser.close")
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._out)
            os.close(self._in)

    def _send(self, method: str, session: str | None = None, **params: t.Any) -> int:
        self._number += 1
        message: Json = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self, deadline: float) -> Json:
        while b"\0" not in self._buffer:
            readable = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))[0]
            assert readable, "chromium does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, f"chromium ended with status {self._process.wait(20)}"
            self._buffer += data
        line, _zero, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))

    def _answer(self, method: str, session: str | None = None, **params: t.Any) -> Json:
        """One command, and what comes back; what the browser tells unasked is for a tab, or passed over."""
        number, deadline = self._send(method, session, **params), time.monotonic() + 60
        while True:
            message = self._receive(deadline)
            if message.get("id") == number:
                return message
            if self._listens:
                self._events.append(message)

    def call(self, method: str, session: str | None = None, **params: t.Any) -> Json:
        """One command, and its result."""
        message = self._answer(method, session, **params)
        assert "error" not in message, message["error"]
        return dict(message["result"])

    def page(self, address: str, ready: str) -> str:
        """The document of a new page, as soon as the expression ``ready`` is true in it, or after a while."""
        target = self.call("Target.createTarget", url=address)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            deadline = time.monotonic() + 30
            while not self._value(session, ready) and time.monotonic() < deadline:
                time.sleep(0.02)
            return str(self._value(session, "document.documentElement.outerHTML"))
        finally:
            self.call("Target.closeTarget", targetId=target)

    def _value(self, session: str, expression: str) -> t.Any:
        message = self._answer("Runtime.evaluate", session, expression=expression, returnByValue=True)
        # An error is an empty document that the page just took the place of.
        return message.get("result", {}).get("result", {}).get("value")

    @contextlib.contextmanager
    def tab(self) -> t.Iterator[Tab]:
        """A page that stays open while the body runs, and all that it tells meanwhile."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._events, self._listens = [], True
        try:
            yield Tab(self, session)
        finally:
            self._listens = False
            self.call("Target.closeTarget", targetId=target)

    def told(self, *methods: str) -> list[Json]:
        """The parameters of the events of these names, since the tab was opened."""
        return [one["params"] for one in self._events if one.get("method") in methods]

    def forget(self) -> None:
        self._events.clear()


class Tab:
    """One page: to be opened, asked and looked at."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: t.Any) -> Json:
        return self._browser.call(method, self._session, **params)

    def open(self, address: str, ready: str) -> None:
        """Go there, and wait until the expression is true."""
        self.call("Page.navigate", url=address)
        self.until(ready)

    def value(self, expression: str) -> t.Any:
        """What an expression (or a promise) comes to, as after a click of a person."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self.call("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < deadline, f"it never came to be: {expression}"
            time.sleep(0.02)

    def complaints(self) -> list[str]:
        """Errors and warnings of the page, of its workers, and of the browser about it."""
        self.value("1")  # what was told meanwhile arrives before the answer
        thrown = self._browser.told("Runtime.exceptionThrown", "Log.entryAdded")
        spoken = self._browser.told("Runtime.consoleAPICalled")
        spoken = [one for one in spoken if one["type"] in ("error", "warning")]
        return [json.dumps(one) for one in (*thrown, *spoken)]

    def forget(self) -> None:
        """What was told until now was as it should be."""
        self._browser.forget()

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        return [one["request"]["url"] for one in self._browser.told("Network.requestWillBeSent")]
