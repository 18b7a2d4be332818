# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt decides the same over a repository of ours as over those of reprepro and aptly."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks.publish_peers import SUITE, Aptly, Reprepro
from ansible_collections.distrogate.ci.tests.faults.apt_client import AptClient
from ansible_collections.distrogate.ci.tests.faults.run import run
from ansible_collections.distrogate.ci.tests.unit.packages.peer_debs import WANTED, packages, write_debs

_TOOLS = ("gpg", "apt-get", "reprepro", "aptly")
_MISSING = [name for name in _TOOLS if not shutil.which(name)]
# Where the file lies is each repository's own affair, as is which digests are named besides SHA256.
_OWN = {"Filename", "MD5sum", "SHA1", "SHA512", "Description-md5"}

pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")


class Machine(AptClient):
    """What apt says about a repository, without the names that the repository gives itself."""

    def stanzas(self) -> dict[tuple[str, str, str], dict[str, str]]:
        """The fields of each package that is offered."""
        found = {}
        names = sorted({name for name, *_more in packages()})
        for text in filter(str.strip, self._apt("apt-cache", "show", *names).split("\n\n")):
            pairs = re.findall(r"^(\S+): *((?:.|\n[ \t])*)", text, re.MULTILINE)
            fields = {name: value for name, value in pairs if name not in _OWN}
            found[(fields["Package"], fields["Version"], fields["Architecture"])] = fields
        return found

    def candidates(self) -> dict[str, str]:
        """The version of each name that policy prefers."""
        names = sorted({name for name, *_more in packages()})
        lines = self._apt("apt-cache", "policy", *names).splitlines()
        chosen = [line.split()[1] for line in lines if line.startswith("  Candidate:")]
        return dict(zip(names, chosen, strict=True))

    def plans(self) -> dict[str, list[str]]:
        """For each wanted package what would be installed, in that order; nothing where it cannot be."""
        return {name: self._plan(name) for name in WANTED}

    def _plan(self, name: str) -> list[str]:
        try:
            output = self._apt("apt-get", "-s", "install", name)
        except AssertionError as error:
            if not re.search("unmet dependencies|was not found", str(error)):
                raise
            return []
        return re.findall(r"^Inst (\S+ \(\S+)", output, re.MULTILINE)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Machine]]:
    """A machine for each tool, which has read what the tool published."""
    place = tmp_path_factory.mktemp("peers")
    home = place / "g"
    home.mkdir(0o700)
    os.environ["GNUPGHOME"] = str(home)
    try:
        gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
        name = "Test <t@example.org>"
        subprocess.run([*gpg, "--quick-generate-key", name, "rsa2048", "sign", "never"], check=True)
        key = place / "key.asc"
        key.write_bytes(
            subprocess.run(["gpg", "--armor", "--export"], check=True, capture_output=True).stdout
        )
        debs = write_debs(place / "debs")
        yield {
            tool: _machine(place / f"{tool}-client", root, key)
            for tool, root in {**_publish_peers(place, debs), "ours": _publish_ours(place, debs)}.items()
        }
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        del os.environ["GNUPGHOME"]


def _publish_ours(place: pathlib.Path, debs: list[pathlib.Path]) -> pathlib.Path:
    options = {
        "root": str(place / "ours"),
        "suite": SUITE,
        "packages": [str(path) for path in debs],
        "signing_key": _fingerprint(),
        "gnupg_home": os.environ["GNUPGHOME"],
    }
    outcome = run("apt_publish", options, place)
    assert len(outcome.result.get("added", [])) == len(debs), outcome
    return place / "ours"


def _publish_peers(place: pathlib.Path, debs: list[pathlib.Path]) -> dict[str, pathlib.Path]:
    key = _fingerprint()
    for peer in (Reprepro(key), Aptly(key)):
        root = place / peer.command
        peer.configure(root)
        for step in peer.fill(root, debs):
            done = subprocess.run(step.argv, cwd=step.cwd, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{step.argv}: {done.stdout}{done.stderr}"
    return {"reprepro": place / "reprepro", "aptly": place / "aptly/public"}


def _fingerprint() -> str:
    listing = ["gpg", "--batch", "--with-colons", "--list-secret-keys"]
    lines = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split(":")[9] for line in lines if line.startswith("fpr"))


def _machine(folder: pathlib.Path, root: pathlib.Path, key: pathlib.Path) -> Machine:
    machine = Machine(folder, f"file://{root}", SUITE, key)
    machine.update()
    return machine


def test_aptly_offers_the_same(machines: dict[str, Machine]) -> None:
    assert len(packages()) == 30
    assert len(machines["ours"].stanzas()) == 30
    assert machines["ours"].stanzas() == machines["aptly"].stanzas()


def test_reprepro_offers_the_same_of_what_it_keeps(machines: dict[str, Machine]) -> None:
    """It keeps the highest version of a name."""
    kept, ours = machines["reprepro"].stanzas(), machines["ours"].stanzas()
    assert {name: ours[name] for name in kept} == kept
    assert {name for name, *_more in kept} == {name for name, *_more in ours}


@pytest.mark.parametrize("tool", ["aptly", "reprepro"])
def test_apt_prefers_and_installs_the_same(machines: dict[str, Machine], tool: str) -> None:
    ours, theirs = machines["ours"], machines[tool]
    assert ours.candidates() == theirs.candidates()
    assert ours.candidates()["app"] == "1:0.5-1"
    plans, expected = ours.plans(), theirs.plans()
    assert plans["libx=1.10-1"] == ["libx (1.10-1"]
    if tool == "reprepro":  # which keeps the highest version only
        expected["libx=1.10-1"] = plans["libx=1.10-1"]
    assert plans == expected
    assert plans["broken"] == []
    assert "two-mta (1.0-1" in plans["app"]
