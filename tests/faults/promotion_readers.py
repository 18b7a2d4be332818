# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What readers of a channel find, looked at in each place by itself, and not by what promotion says."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import verify
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.tests.faults.reading import read_apt, read_rpm
from ansible_collections.distrogate.ci.tests.tools.registry_images import INDEX, Pusher

RUNS = {"first": "1.0", "second": "2.0"}
REPOSITORIES = ("cloud/nova", "cloud/glance", "cloud/chart")
Json = dict[str, t.Any]


def git(*arguments: str) -> str:
    """What git says, without anybody's configuration."""
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
    command = ["git", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **quiet})
    return done.stdout.strip()


class Readers:
    """The readers of the channel latest. ``digests`` are those of bundles, each with the run that made it."""

    folder: pathlib.Path
    store: str
    pusher: Pusher
    digests: dict[str, str]

    def digest(self, run: str) -> str:
        """That of the bundle of a run."""
        return next(digest for digest, name in self.digests.items() if name == run)

    def has(self) -> str | None:
        """The run whose bundle the channel points to."""
        with open_store(self.store) as store:
            pointer = store.get("channel/latest")
            return None if pointer is None else self.digests[pointer.value["digest"]]

    def found(self) -> dict[str, str]:
        """The run whose artifacts a reader finds in each place."""
        versions = {version: run for run, version in RUNS.items()}
        places = {
            "apt": read_apt(self._fetch("apt"), "bookworm"),
            "rpm": read_rpm(self._fetch("rpm")),
        }
        found = {
            kind: versions[max(label.partition("=")[2].partition("-")[0] for label in labels)]
            for kind, labels in places.items()
        }
        for repository in REPOSITORIES:
            found[repository] = self._image(repository)
        image = self.folder / "release/files/cloud/latest/cloud.qcow2"
        found["file"] = next(run for run in RUNS if image.read_bytes().startswith(run.encode()))
        return found

    def _fetch(self, kind: str) -> t.Callable[[str], bytes]:
        return lambda name: (self.folder / "release" / kind / name).read_bytes()

    def _image(self, repository: str) -> str:
        tag = self.pusher.tagged(repository, "latest")
        for run in RUNS:
            bundle = json.loads((self.folder / run / "bundle.json").read_text())
            for artifact in bundle["artifacts"]:
                if artifact.get("repository") == repository and f"sha256:{artifact['sha256']}" == tag:
                    return run
        raise AssertionError(f"{repository}:latest is {tag}, which is of no bundle")

    def _attached(self, repository: str) -> list[str]:
        """The promotions that are attached to what a reader of the channel gets, in their order."""
        tag = str(self.pusher.tagged(repository, "latest")).replace(":", "-")
        status, _headers, said = self.pusher.ask("GET", f"/v2/{repository}/manifests/{tag}", Accept=INDEX)
        assert status == 200, f"nothing is attached to {repository}: {said!r}"
        rows = json.loads(said)["manifests"]
        names = [str(row["annotations"]["org.opencontainers.image.title"]) for row in rows]
        assert len(names) == len(set(names)), "nothing is attached twice"
        return sorted(name for name in names if name.startswith("promotion-"))

    def check(self) -> str:
        """One bundle everywhere, nothing left; returns its run."""
        run = self.has()
        found = self.found()
        assert run is not None
        assert set(found.values()) == {run}, f"the channel has {run}, readers find {found}"
        with open_store(self.store) as store:
            assert store.list("journal/") == []
            assert [entry for entry in store.list("promotion/") if "/parts/" in entry.key] == []
            rows = [entry.value for entry in store.list("history/latest/")]
            tags = {entry.key.rpartition("/")[2]: entry.value for entry in store.list("tag/git_publish/")}
            verify("the promotion", rows[-1]["statement"], KnownKeys(store).keys())
        assert [row["serial"] for row in rows] == list(range(1, len(rows) + 1))
        for repository in REPOSITORIES:
            assert self._attached(repository)[-1].startswith(f"promotion-latest-{len(rows):06d}-")
        for version, tag in tags.items():
            commit = git("-C", str(self.folder / "hello.git"), "rev-parse", f"{version}^{{commit}}")
            assert commit, tag
        return run
