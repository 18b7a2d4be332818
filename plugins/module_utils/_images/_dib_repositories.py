# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the element source-repositories will fetch: which sources are used, and what floats.

A file ``source-repository-NAME`` of an element has lines ``NAME TYPE PATH
LOCATION [REF]``. What ``sources`` does not give and a branch names, is looked
up here: the commit becomes an input, and the build fetches that one.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest, Source

_LINE = re.compile(r"([^ ]+) (git|tar|file|package) ?(/[^ ]+)? ?([^ ]+)? ?([^ ]*)")  # as it reads them
_OTHER = re.compile(r"[^A-Za-z0-9]")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REMOTE = re.compile(r"(https?|git)://[^\s]+")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_LIMIT = 1 << 20  # bytes of a file that is looked at


def word_of(name: str) -> str:
    """The name in DIB_REPOREF_… and its kin."""
    return _OTHER.sub("_", name)


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of an element's file."""

    element: str
    name: str
    kind: str
    location: str
    ref: str


def sources_by_word(sources: t.Sequence[Source]) -> dict[str, Source]:
    """By what elements may call them: the project, or its last part where it is that of one project alone.

    Error ``ambiguous_source``: two projects that no element could tell from each other.
    """
    found: dict[str, Source] = {}
    for source in sources:
        other = found.setdefault(word_of(source.project), source)
        if other is not source:
            raise _ambiguous(word_of(source.project), [other, source])
    last: dict[str, list[Source]] = {}
    for source in sources:
        last.setdefault(word_of(source.project.rpartition("/")[2]), []).append(source)
    found.update({word: many[0] for word, many in last.items() if len(many) == 1 and word not in found})
    return found


def check_used(request: ImageRequest, elements: t.Mapping[str, str]) -> None:
    """Each of ``sources`` is named by an element. Errors: ``unused_source``, ``ambiguous_source``."""
    if not request.sources:
        return
    known = sources_by_word(request.sources)
    named = {word_of(line.name) for line in lines_of(elements)}
    for word in sorted(named - set(known)):
        many = [one for one in request.sources if word_of(one.project.rpartition("/")[2]) == word]
        if many:
            raise _ambiguous(word, many)
    used = {source.project for word, source in known.items() if word in named}
    left = [source for source in request.sources if source.project not in used]
    texts = _texts(elements) if left else b""
    unused = [one.project for one in left if not any(_says(texts, w) for w, s in known.items() if s is one)]
    if unused:
        raise DistrogateError(
            "unused_source",
            f"No element uses {', '.join(unused)} of sources; elements name"
            f" {', '.join(sorted({line.name for line in lines_of(elements)})) or 'no project'}. Correct the"
            " name, or take it out: else something else would be in the image.",
            sources=unused,
        )


def floating(
    request: ImageRequest, elements: t.Mapping[str, str], before: t.Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Commits, by their words, of branches that elements name; and what else may change without the key.

    What is in ``before`` is not looked up again. Error ``no_such_ref``.
    """
    commits, warnings = {}, []
    given = request.environment
    known = {} if given.get("NO_SOURCE_REPOSITORIES") else sources_by_word(request.sources)
    for line in [] if given.get("NO_SOURCE_REPOSITORIES") else lines_of(elements):
        word = word_of(line.name)
        if word in known or given.get(f"DIB_INSTALLTYPE_{word}", "source") != "source":
            continue
        kind = given.get(f"DIB_REPOTYPE_{word}", line.kind)
        place = given.get(f"DIB_REPOLOCATION_{word}", line.location)
        ref = given.get(f"DIB_REPOREF_{word}", line.ref or "master")
        if kind == "git" and _COMMIT.fullmatch(ref):
            continue
        plain = kind == "git" and _REMOTE.fullmatch(place) and _REF.fullmatch(ref) and "$" not in place
        if plain and "DIB_GITREPOBASE" not in given:
            commits[word] = before.get(word) or _commit(line, place, ref)
        elif kind != "package":
            warnings.append(
                f"The element {line.element} fetches {line.name} ({kind}) from {place[:200]!r} when it is"
                " built, which the key does not cover: name a commit, or give a project in sources."
            )
    return commits, warnings


def lines_of(elements: t.Mapping[str, str]) -> list[Line]:
    """The lines of all files source-repository-*; none without the element that reads them."""
    found = []
    for element, path in sorted(elements.items()) if "source-repositories" in elements else []:
        for name in sorted(os.listdir(path)):
            if not name.startswith("source-repository-") or name.endswith("~"):
                continue
            for text in _read(os.path.join(path, name)).decode("utf-8", "replace").splitlines():
                match = _LINE.fullmatch(" ".join(text.split()))
                if match and not text.lstrip().startswith("#"):
                    found.append(Line(element, match[1], match[2], match[4] or "", match[5]))
    return found


def _commit(line: Line, location: str, ref: str) -> str:
    """What a branch or tag is at this moment; the address is a stranger's, so it gets no rights of ours."""
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", ref]
    environment = _command.base_environment(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_ALLOW_PROTOCOL="http:https:git",
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="/bin/false",
        **proxies(),
    )
    argv = ["git", "ls-remote", "--quiet", "--", location, *names]
    done = _command.run(argv, environment=environment, directory="/", timeout=60, check=False)
    rows = [row.split("\t", 1) for row in done.text.splitlines() if "\t" in row]
    known = {name: commit for commit, name in rows}
    commit = next((known[name] for name in names if name in known), "")
    if done.status or not _COMMIT.fullmatch(commit):
        raise DistrogateError(
            "no_such_ref",
            f"The element {line.element} wants {ref} of {location[:200]}, which cannot be found:"
            f" {done.tail(2) or 'there is no such branch or tag'}. Give the project in sources, or correct"
            " the element.",
        )
    return commit


def _ambiguous(word: str, sources: t.Sequence[Source]) -> DistrogateError:
    return DistrogateError(
        "ambiguous_source",
        f"{' and '.join(source.project for source in sources)} of sources would both be DIB_REPOREF_{word}."
        " Leave one of them out, or name the whole project in the element.",
    )


def _says(text: bytes, word: str) -> bool:
    return re.search(rb"DIB_REPO(LOCATION|REF)_" + word.encode() + rb"(?![A-Za-z0-9_])", text) is not None


def _texts(elements: t.Mapping[str, str]) -> bytes:
    """All scripts of the elements that are not diskimage-builder's own."""
    found = []
    for path in elements.values():
        for folder, _folders, names in os.walk(path) if not path.startswith("/usr/") else ():
            found += [_read(os.path.join(folder, name)) for name in names]
    return b"\n".join(found)


def _read(path: str) -> bytes:
    """The beginning of a plain file; what else there may be has nothing to say."""
    if os.path.islink(path) or not os.path.isfile(path):
        return b""
    with open(path, "rb") as stream:
        return stream.read(_LIMIT)
