# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a repository with the client that its users have, before they see it.

The client gets a state of its own: nothing of this machine's settings, keys,
caches or packages decides, and nothing of them changes. All that it reads are
files: the repository (or as much of it as is new) lies in a folder, the view.
"""

from __future__ import annotations

import glob
import inspect
import json
import os
import re
import shutil
import tempfile
import time
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _client_dnf

Wanted = tuple[str, str, str]  # name, version, architecture

_BATCH = 500  # packages that one command names
_COMPLAINT = re.compile(r"^(?:W|E|Err): ?", re.MULTILINE)
_ARCHITECTURES = re.compile(r"^Architectures: *([a-z0-9 -]{1,2000})$", re.MULTILINE)


def _refused(client: str, view: str, what: str, why: str) -> DistrogateError:
    return DistrogateError(
        "client_refused",
        f"{client} refused the repository {view} while it read {what}:\n{why}",
        client=client,
    )


class _Apt:
    """apt-get with a state of its own in the folder ``home`` (apt.conf(5), sources.list(5))."""

    def __init__(self, view: str, home: str, deadline: float) -> None:
        self._view, self._home, self._deadline = view, home, deadline

    def configure(self, suite: str, components: list[str], packages: list[Wanted], key: str) -> None:
        """Write apt's configuration, which takes the place of the machine's, and the source."""
        for name in ("lists/partial", "cache/archives/partial", "packages"):
            os.makedirs(f"{self._home}/{name}")
        open(f"{self._home}/status", "w").close()
        sources = self._source("deb", suite, components, key)
        if any(one[2] == "source" for one in packages):  # an installer's component has none
            plain = [one for one in components if not one.endswith("/debian-installer")]
            sources += "\n" + self._source("deb-src", suite, plain, key)
        with open(f"{self._home}/view.sources", "w") as stream:
            stream.write(sources)
        architectures = sorted({one[2] for one in packages} - {"all", "source"}) or self._released(suite)
        settings = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null",
            "Dir::Etc::trustedparts": "/dev/null",
            "Dir::Etc::sourcelist": f"{self._home}/view.sources",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": self._home,
            "Dir::State::lists": f"{self._home}/lists",
            "Dir::State::status": f"{self._home}/status",
            "Dir::Cache": f"{self._home}/cache",
            "Dir::Log": self._home,
            "APT::Architecture": architectures[0],
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
        }
        with open(f"{self._home}/apt.conf", "w") as stream:
            stream.write("".join(f'{name} "{value}";\n' for name, value in settings.items()))
            stream.write("".join(f'APT::Architectures:: "{one}";\n' for one in architectures))

    def _source(self, kind: str, suite: str, components: list[str], key: str) -> str:
        """A stanza of a deb822 source."""
        names = f"Components: {' '.join(components)}\n" if components else ""
        armor = "".join(f" {line or '.'}\n" for line in key.strip().split("\n"))
        return f"Types: {kind}\nURIs: {_url(self._view)}\nSuites: {suite}\n{names}Signed-By:\n{armor}"

    def _released(self, suite: str) -> list[str]:
        """What the Release file offers; packages of the architecture "all" alone do not say it."""
        for folder in (suite, f"dists/{suite}"):
            try:
                with open(os.path.join(self._view, folder, "InRelease"), errors="replace") as stream:
                    found = _ARCHITECTURES.search(stream.read(1 << 20))
            except OSError:
                continue
            if found and found.group(1).split():
                return found.group(1).split()
        return ["amd64"]

    def run(self, what: str, *arguments: str) -> None:
        """One call of apt-get; a warning is an error."""
        home = self._home
        done = _command.run(
            ["apt-get", "--quiet", *arguments],
            environment=_command.base_environment(APT_CONFIG=f"{home}/apt.conf", TMPDIR=home, HOME=home),
            directory=f"{home}/packages",
            timeout=max(self._deadline - time.monotonic(), 0.1),
            check=False,
        )
        if done.status or _COMPLAINT.search(done.stderr.decode("utf-8", "replace")):
            raise _refused("apt-get", self._view, what, done.tail())

    def check(self, package: Wanted) -> None:
        """A package was fetched: apt takes a name that it does not know for a pattern."""
        name, version, architecture = package
        stem = f"{name}_{version.replace(':', '%3a')}_{architecture}"
        if architecture == "source":
            stem = f"{name}_{version.partition(':')[2] or version}"
        if not glob.glob(f"{self._home}/packages/{glob.escape(stem)}.*"):
            raise _refused("apt-get", self._view, " ".join(package), "It did not fetch this package.")


def verify_apt(
    view: str,
    suite: str,
    components: list[str],
    packages: list[Wanted],
    *,
    keyring_armor: str,
    scratch: str,
    timeout: float,
) -> None:
    """Read the suite in the folder ``view`` with apt-get and fetch ``packages`` from it.

    A flat repository's ``suite`` ends in "/" and it has no ``components``; source
    packages have the architecture "source". ``timeout`` is in seconds, for all of it.
    Errors: ``client_refused``, ``command_timeout``, ``missing_tool``.
    """
    with tempfile.TemporaryDirectory(prefix="apt-", dir=scratch) as home:
        apt = _Apt(view, home, time.monotonic() + timeout)
        apt.configure(suite, components, packages, keyring_armor)
        apt.run(f"the indexes of {suite}", "update")
        sources = [one for one in packages if one[2] == "source"]
        binaries = [one for one in packages if one[2] != "source"]
        for batch in _batches(binaries):
            # Those of "all" belong to every architecture: apt takes them without one.
            names = [f"{name}{'' if of == 'all' else f':{of}'}={version}" for name, version, of in batch]
            apt.run("the packages", "download", "--", *names)
        for batch in _batches(sources):
            names = [f"{name}={version}" for name, version, _of in batch]
            apt.run("the source packages", "source", "--only-source", "--download-only", "--", *names)
        for package in packages:
            apt.check(package)


def verify_rpm(
    view: str, packages: list[Wanted], *, key_path: str, scratch: str, timeout: float, signed: bool = True
) -> None:
    """Read the repository in the folder ``view`` with dnf 4 and fetch ``packages`` from it.

    Versions are "[epoch:]version-release"; source packages have the architecture "src".
    The metadata must be signed by a key in the file ``key_path``; the packages, too, if
    ``signed``. ``timeout`` is in seconds. Errors: as for apt.
    """
    with tempfile.TemporaryDirectory(prefix="dnf-", dir=scratch) as home:
        wanted = {
            "scratch": home,
            "url": _url(view),
            "key": _url(key_path),
            "signed": signed,
            "packages": packages,
        }
        done = _command.run(
            [_dnf_python(), "-I", "-B", "-c", inspect.getsource(_client_dnf)],
            environment=_command.base_environment(HOME=home, TMPDIR=home),
            directory=home,
            stdin=json.dumps(wanted).encode(),
            timeout=timeout,
            check=False,
            name="dnf",
        )
        if done.status:
            raise _refused("dnf", view, "it", done.tail())


def _dnf_python() -> str:
    """The interpreter that dnf 4 is written for; dnf 5 is no Python program."""
    path = _command.base_environment()["PATH"]
    program = shutil.which("dnf-3", path=path) or shutil.which("dnf", path=path)
    if program:
        with open(program, "rb") as stream:
            first = stream.readline(200).decode("utf-8", "replace").split()
        if first and first[0].startswith("#!/"):
            return first[0][2:]
    raise DistrogateError("missing_tool", "The program dnf (4) is not installed on this machine.", tool="dnf")


def _batches(packages: list[Wanted]) -> t.Iterator[list[Wanted]]:
    for start in range(0, len(packages), _BATCH):
        yield packages[start : start + _BATCH]


def _url(path: str) -> str:
    return "file://" + urllib.parse.quote(os.path.abspath(path))
