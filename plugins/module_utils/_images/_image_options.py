# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of disk_image to a request: names of the workspace become paths and commits."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import (
    codename,
    machine_sources,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import shown
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import git_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    ImageRequest,
    Repository,
    Source,
    checked,
    size_in_bytes,
)

_NETWORK = re.compile(r"https?:", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def request_of(params: dict[str, t.Any], run: Run | None) -> ImageRequest:
    """The checked request. Errors: ``bad_request``, ``no_workspace``, ``unknown_project``."""
    suite = params["suite"] or codename()
    sources = tuple(_source(name, run) for name in params["sources"])
    environment = {str(name): _text(value) for name, value in params["environment"].items()}
    return checked(
        ImageRequest(
            name=params["name"],
            builder=params["builder"],
            suite=suite,
            elements=tuple(params["elements"]),
            element_path=tuple(_folder(path, run) for path in params["element_path"]),
            packages=tuple(params["packages"]),
            sources=sources,
            repositories=tuple(_repository(one) for one in params["repositories"]),
            base=params["base"] or "",
            formats=tuple(params["formats"]),
            size=size_in_bytes(params["size"]),
            environment=environment,
            mirror=params["mirror"] or machine_sources(suite),
            architecture=params["architecture"] or _architecture(),
        )
    )


def _text(value: t.Any) -> str:
    """A variable's value; YAML's true and false as programs read them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _architecture() -> str:
    return _command.run(["dpkg", "--print-architecture"], timeout=60).text.strip()


def workspace(run: Run) -> dict[str, dict[str, t.Any]]:
    """The projects of the run's workspace. Error ``no_workspace``."""
    record = run.stage("workspace")
    if record is None or record["verdict"] != SUCCESS:
        raise DistrogateError(
            "no_workspace", f"{run.path} has no workspace to build from. Run the stage workspace first."
        )
    projects: dict[str, dict[str, t.Any]] = record["facts"]["projects"]
    return projects


def _source(name: str, run: Run | None) -> Source:
    """A project of the workspace; or by its absolute path the checkout that lies there."""
    if name.startswith("/"):
        commit = git_of(name, "rev-parse", "--verify", "HEAD^{commit}").text.strip()
        return Source(os.path.basename(name.rstrip("/")), name, commit)
    if run is None:
        raise DistrogateError(
            "bad_request",
            f"sources: {name!r} is no absolute path. Without run_dir there is no workspace with projects.",
        )
    known = workspace(run)
    if name not in known:
        raise DistrogateError(
            "unknown_project", f"The workspace has no project {name}; it has {sorted(known)}."
        )
    return Source(name, run.file(*known[name]["path"].split("/")), known[name]["commit"])


def _folder(path: str, run: Run | None) -> str:
    """A folder of elements; a relative one lies in the workspace."""
    if path.startswith("/"):
        return path
    if run is None:
        raise DistrogateError(
            "bad_request",
            f"element_path: {path!r} is no absolute path. Without run_dir there is no workspace.",
        )
    workspace(run)
    return inside(run.file("workspace"), path)


def _repository(one: t.Any) -> Repository:
    """A deb822 text, or a mapping with the text and the digest of its packages."""
    known = {"text": one} if isinstance(one, str) else one
    if (
        not isinstance(known, dict)
        or not isinstance(known.get("text"), str)
        or set(known) - {"text", "digest"}
    ):
        raise DistrogateError(
            "bad_request", "repositories: each is a deb822 text, or a mapping with text and digest."
        )
    digest = str(known.get("digest") or "")
    if digest and not _DIGEST.fullmatch(digest):
        raise DistrogateError("bad_request", f"repositories: {digest[:100]!r} is no digest (sha256:…).")
    return Repository(known["text"], digest)


def wanted_channel(params: dict[str, t.Any], run: Run | None) -> str:
    """The channel or version whose image is to be taken; empty when one has to be built.

    Errors: ``bad_request``, a rule that could not apply to anything; ``no_published_key``.
    """
    rule: str = params["when_unchanged"]
    verb, _space, channel = rule.partition(" ")
    if rule == "build":
        return ""
    if verb != "use" or not channel:
        raise DistrogateError(
            "bad_request",
            f"when_unchanged: {rule!r} is neither build nor use and the name of a channel"
            " or version, such as: use latest.",
        )
    if not params["published"]:
        raise DistrogateError("bad_request", "when_unchanged needs published: where images are published.")
    if _NETWORK.match(params["published"]) and not params["published_key"]:
        raise DistrogateError(
            "no_published_key",
            f"The image {params['name']} may come from {shown(params['published'])}, and published_key is not"
            " set: whoever answers there could give another one, with checksums to match. Export the public"
            " key that signs what is published (gpg --armor --export FINGERPRINT) into a file on this host,"
            " and name it in published_key.",
        )
    projects = set(params["projects"] or params["sources"])
    if run is None:
        return channel
    if not projects:
        raise DistrogateError(
            "bad_request",
            "when_unchanged needs projects: those whose changes ask for an image of their own. Else no change"
            " would ever be tested with one.",
        )
    touched = sorted(projects & {change["project"] for change in run.frozen["queue"]})
    return "" if touched else channel
