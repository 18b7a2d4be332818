# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two bundles on their way: to candidate, to a version on stable, held, and back again."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import outside, tiny
from ansible_collections.distrogate.ci.tests.demo.site import Site

# A channel of its own needs repositories of its own.
ROOT = "{{ distrogate_repositories }}/channels/{{ promote_channel }}"


class Promotions:
    """promote.yml as an operator calls it: two selectors, and rarely more."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.output = ""

    def promote(self, bundle: str, channel: str, fails: bool = False, **more: Any) -> str:
        """Call the playbook; returns what it said."""
        bare = tiny.project_of(self.site).bare
        tags = {
            "host": "{{ groups['repository_hosts'][0] }}",
            "plugin": "git_publish",
            "artifact_types": ["git_commit"],
            "arguments": {
                "root": str(self.site.root / "tags"),
                "protocols": ["file"],
                "push_urls": {tiny.NAME: f"file://{bare}"},
            },
        }
        where = {"promote_root": ROOT, "distrogate_promote_targets": [tags]}
        done = self.site.playbook("promote", bundle=bundle, channel=channel, **where, **more)
        self.output += done.stdout
        assert (done.returncode != 0) == fails, f"promote ended with status {done.returncode}"
        return done.stdout

    def say(self, digest: str, kind: str, reason: str) -> None:
        """A hold, or its release, as a person with the right key says it."""
        said = {"predicate_type": kind, "name": "security", "author": "Ada Example", "reason": reason}
        key = str(self.site.root / "keys/statement.pem")
        outside.ansible(
            self.site,
            "bundle",
            state="stated",
            bundle=digest,
            add=[said],
            signing_key=key,
            store=outside.store(self.site),
            archive=str(self.site.root / "archive"),
        )

    def info(self, **options: Any) -> dict[str, Any]:
        """What bundle_info says."""
        archive = str(self.site.root / "archive")
        return outside.ansible(
            self.site, "bundle_info", store=outside.store(self.site), archive=archive, **options
        )

    def packages(self, channel: str) -> set[str]:
        """The digests of the packages that apt finds in a channel's repository."""
        root = self.site.root / "repositories/channels" / channel / "apt"
        index = gzip.decompress((root / "dists/bookworm/main/binary-amd64/Packages.gz").read_bytes()).decode()
        return {line.split()[1] for line in index.splitlines() if line.startswith("SHA256: ")}


def debs(run: Path) -> set[str]:
    """The digests of the packages in a run's bundle."""
    artifacts = json.loads((run / "bundle.json").read_text())["artifacts"]
    return {artifact["sha256"] for artifact in artifacts if artifact["type"] == "deb"}


def promotion(site: Site, old: Path, new: Path) -> str:
    """Promote the bundles of two runs that the gate tested; returns what was printed."""
    promotions = Promotions(site)
    one, other = (json.loads((run / "bundle.json").read_text())["digest"] for run in (old, new))
    promotions.promote(one, "candidate", version="none")
    promotions.promote("candidate", "stable")
    before = promotions.packages("stable")
    assert before == debs(old), "stable does not have exactly what was tested"
    promotions.say(other, "hold", "A report is looked into.")
    said = promotions.promote(other, "stable", fails=True)
    assert "is held: security" in said or "A report is looked into" in said, said
    assert promotions.packages("stable") == before, "a refused promotion moved something"
    promotions.say(other, "hold_release", "It was another package.")
    promotions.promote(other, "stable")
    assert debs(new) <= promotions.packages("stable")
    promotions.promote("previous", "stable")
    assert promotions.packages("stable") == before, "the roll back did not bring what was there"
    check_history(promotions, one, other)
    return promotions.output


def check_history(promotions: Promotions, one: str, other: str) -> None:
    """The channel had one, the other and one again; each promotion has a number and a tag of its own."""
    history = promotions.info(channel="stable", history=True, difference=[one, other])
    rows = sorted(history["history"], key=lambda row: row["serial"])
    assert [row["digest"] for row in rows] == [one, other, one], rows
    versions = [row["version"] for row in rows]
    assert versions[0] == versions[2] != versions[1], versions
    assert all(version.endswith(".0.0") for version in versions), versions
    commits = history["difference"]["commits"]["added"]
    assert [commit["subject"] for commit in commits] == ["Second"], commits
    bare = tiny.project_of(promotions.site).bare
    tags = subprocess.run(["git", "-C", str(bare), "tag"], capture_output=True, text=True, check=True).stdout
    assert set(versions) <= set(tags.split()), tags
    print(f"stable had {' -> '.join(versions)}")
