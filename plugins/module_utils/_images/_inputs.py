# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inputs of an image, each by name with what identifies it; the key is the digest of all of them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest, Source
from ansible_collections.distrogate.ci.plugins.module_utils._images._trees import file_digest, tree_digest

_FORMAT = 1
_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_STATIC = ("static",)  # links in it are for the image: they lead nowhere here
_IMPORT = re.compile(r"\._images(?:\.(_[a-z_]+) import| import (\([^)]*\)|[^\n(]+))")
# Modules beside the builders that decide nothing of what is in an image.
_ASIDE = re.compile(
    r"_(boot|disk_image|fetch|glance|image_|inputs|make|memo|published|request|rootfs|snapshots|state|store|trees)"
)


def inputs(
    request: ImageRequest,
    tools: dict[str, str],
    snapshots: dict[str, str],
    memo: Memo,
    elements: t.Mapping[str, str],
) -> dict[str, str]:
    """The flat map of inputs. ``elements`` are all that the image is made of, and the folder of each.

    ``snapshots`` are states of repositories by name, such as ``distribution:bookworm``. Errors: those of
    ``tree_digest``.
    """
    found = {f"tool:{name}": version for name, version in tools.items()}
    found.update(snapshots)
    for name, path in elements.items():
        found[f"element:{name}"] = tree_digest(path, memo, _STATIC)
    for source in request.sources:
        found[f"source:{source.project}"] = source.commit
    for number, repository in enumerate(request.repositories):
        found[f"repository:{number}:terms"] = _terms_of(repository.text)
        if repository.digest:
            found[f"repository:{number}"] = repository.digest
    for name in request.packages:
        found[f"package:{name}"] = "asked for"
    for name, value in request.environment.items():
        found[f"environment:{name}"] = "sha256:" + hashlib.sha256(value.encode("utf-8")).hexdigest()
    if request.base:
        found["base"] = file_digest(request.base, memo)
    found.update({f"parameter:{name}": value for name, value in _parameters(request).items()})
    return dict(sorted(found.items()))


def _terms_of(text: str) -> str:
    """What a deb822 text asks for, such as components; neither where that is nor who signs it."""
    plain = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    fields = [(name.lower(), " ".join(value.split())) for name, value in _FIELD.findall(plain)]
    return digest_json([[name, value] for name, value in fields if name not in ("uris", "signed-by")])


def _parameters(request: ImageRequest) -> dict[str, str]:
    found = {
        "name": request.name,
        "builder": request.builder,
        "suite": request.suite,
        "formats": " ".join(sorted(set(request.formats))),
        "size": str(request.size),
        "architecture": request.architecture,
        "mirror": "sha256:" + hashlib.sha256(request.mirror.encode("utf-8")).hexdigest(),
    }
    return {name: value for name, value in found.items() if value}


def key_of(found: dict[str, str]) -> str:
    """``sha256:…`` of a map of inputs."""
    return digest_json({"format": _FORMAT, "inputs": found})


def changed_inputs(old: dict[str, str] | None, new: dict[str, str]) -> list[str]:
    """The names of inputs that came, went or changed since the image of ``old``; none when there was none."""
    if old is None:
        return []
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def code_of(builder: str) -> str:
    """The digest of the code here that builds images with ``builder``: other code may give another image.

    It goes by what the files import from each other, and not by what this process has loaded besides.
    """
    package, own = __name__.rpartition(".")[0], f"_build_{builder}"
    found: dict[str, str] = {}
    queue = [own]
    while queue:
        name = queue.pop()
        if name in found or _ASIDE.match(name) or (name.startswith("_build_") and name != own):
            continue
        if name == own and importlib.util.find_spec(f"{package}.{name}") is None:
            break  # a builder that is none of ours
        found[name] = inspect.getsource(importlib.import_module(f"{package}.{name}"))
        for one, several in _IMPORT.findall(found[name]):
            queue += [one] if one else re.findall(r"_[a-z_]+", several)
    digest = hashlib.sha256()
    for name, text in sorted(found.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return "sha256:" + digest.hexdigest()


def check_sources(sources: t.Iterable[Source]) -> None:
    """Each commit is there, before anything is built of it. Error ``commit_missing``."""
    for source in sources:
        try:
            git_of(source.path, "cat-file", "-e", f"{source.commit}^{{commit}}")
        except DistrogateError as error:
            raise DistrogateError(
                "commit_missing",
                f"{source.path} does not hold the commit {source.commit} of {source.project}. Run the stage"
                " workspace again, or correct sources.",
            ) from error


def dates_of(sources: t.Iterable[Source]) -> list[int]:
    """When each commit was made, in seconds since the epoch."""
    return [int(git_of(s.path, "show", "--no-patch", "--format=%ct", s.commit).text) for s in sources]


def git_of(path: str, *arguments: str) -> _command.Completed:
    """Ask a repository on this host, without anybody's configuration. Error ``bad_source``."""
    settings = ["-c", "core.hooksPath=/dev/null", "-c", f"safe.directory={path}"]
    environment = _command.base_environment(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null")
    argv = ["git", *settings, "-C", path, *arguments]
    done = _command.run(argv, environment=environment, timeout=60, check=False)
    if done.status:
        raise DistrogateError("bad_source", f"{path} is no git checkout that can be used: {done.tail(1)}")
    return done
