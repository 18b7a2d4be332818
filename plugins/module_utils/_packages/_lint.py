# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lint of built packages: lintian(1) and rpmlint(1), in a sandbox, since packages are strangers' files."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Case, Suite
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox

_FOLDER = "/packages"
_USER = 1000
_LINTIAN = re.compile(r"^([EWI]): (\S+?):? (.*)$")
_RPMLINT = re.compile(r"^(\S+): ([EWI]): (.*)$")
_RPMLINT_ENDS = (0, 64, 65, 66)  # with errors, with warnings made errors, with too bad a score
_LEVELS = {"error": ("E",), "warning": ("E", "W"), "none": ()}


def _toml(values: t.Sequence[str]) -> str:
    quoted = ", ".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return f"Filters = [{quoted}]\n"


def lint_deb(
    box: Sandbox, folder: str, names: list[str], suppress: list[str], log: str
) -> list[tuple[str, str]]:
    """Tags of lintian as (level, text)."""
    argv = ["lintian", "--no-cfg", "--fail-on", "none"]
    if suppress:
        argv += ["--suppress-tags", ",".join(suppress)]
    files = [f"{_FOLDER}/{name}" for name in names]
    done = box.run([*argv, "--", *files], user=_USER, binds={_FOLDER: folder}, timeout=1800, check=False)
    _append(log, argv + files, done.stdout + done.stderr)
    _ran("lintian", done, (0,), log)
    matches = (_LINTIAN.match(line) for line in done.text.splitlines())
    return [(match[1], f"{match[2]}: {match[3]}") for match in matches if match]


def lint_rpm(
    box: Sandbox, folder: str, names: list[str], suppress: list[str], log: str
) -> list[tuple[str, str]]:
    """Messages of rpmlint as (level, text); ``suppress`` holds regular expressions."""
    # The sandbox does not know the key: install tests check signatures.
    box.run(["tee", "/etc/distrogate-rpmlint.toml"], stdin=_toml(["unknown-key", *suppress]).encode())
    argv = ["rpmlint", "--config", "/etc/distrogate-rpmlint.toml"]
    files = [f"{_FOLDER}/{name}" for name in names]
    done = box.run([*argv, *files], user=_USER, binds={_FOLDER: folder}, timeout=1800, check=False)
    _append(log, argv + files, done.stdout + done.stderr)
    _ran("rpmlint", done, _RPMLINT_ENDS, log)
    matches = (_RPMLINT.match(line) for line in done.text.splitlines())
    return [(match[2], f"{match[1]}: {match[3]}") for match in matches if match]


def _append(log: str, argv: list[str], output: bytes) -> None:
    with open(log, "ab") as stream:
        stream.write(("sandbox$ " + " ".join(argv) + "\n").encode("utf-8", "replace") + output)


def _ran(tool: str, done: _command.Completed, ends: tuple[int, ...], log: str) -> None:
    """A linter that did not run to its end found nothing, which must not pass for a clean package."""
    if done.status == 127:
        raise DistrogateError("missing_tool", f"The root filesystem has no {tool}. Add the package to it.")
    if done.status not in ends:
        raise _command.failed([tool], done, log)


def _texts(suppress: dict[str, t.Any], tool: str) -> list[str]:
    values = suppress.get(tool) or []
    if isinstance(values, str) or not all(isinstance(v, str) and "\n" not in v for v in values):
        raise DistrogateError("bad_options", f"suppress.{tool} is not a list of texts of one line.")
    return list(values)


def lint(
    rootfs: str, scratch: str, paths: list[str], *, suppress: dict[str, list[str]], fail_on: str, log: str
) -> dict[str, int]:
    """Lint packages that lie in one folder; returns how many errors and warnings each tool found.

    Error ``lint_failed`` lists what is at or above the level ``fail_on``.
    """
    counts: dict[str, int] = {}
    bad: list[str] = []
    with Sandbox(os.path.join(scratch, "lint"), rootfs) as box:
        for tool, suffix, call in (("lintian", ".deb", lint_deb), ("rpmlint", ".rpm", lint_rpm)):
            names = sorted(os.path.basename(path) for path in paths if path.endswith(suffix))
            if not names:
                continue
            found = call(box, os.path.dirname(paths[0]), names, _texts(suppress, tool), log)
            counts[f"{tool}_errors"] = sum(level == "E" for level, _text in found)
            counts[f"{tool}_warnings"] = sum(level == "W" for level, _text in found)
            bad += [f"{tool} {level}: {text}" for level, text in found if level in _LEVELS[fail_on]]
    if bad:
        more = f"\n… and {len(bad) - 20} more" if len(bad) > 20 else ""
        raise DistrogateError(
            "lint_failed", f"{len(bad)} findings:\n" + "\n".join(bad[:20]) + more, findings=bad
        )
    return counts


def lint_suite(name: str, counts: t.Iterable[str], error: DistrogateError | None) -> Suite:
    """What lint found, as test results: a failure for each finding that counts, else a test for each tool."""
    suite = Suite(name)
    tools = sorted({count.partition("_")[0] for count in counts})
    suite.cases = [Case(tool, tool) for tool in tools]
    findings = error.details.get("findings") if error else None
    for finding in findings or []:
        tool, _space, text = finding.partition(" ")
        level, _colon, said = text.partition(": ")
        suite.cases.append(Case(said, tool, verdict="failure", kind=level, message=said, text=finding))
    if error and not findings:
        suite.cases.append(Case("lint", name, verdict="error", kind=error.reason, message=error.message))
    return suite
