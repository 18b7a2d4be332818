# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Annotated tags of a bundle's commits: checked names, commits and texts, and the objects they become."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_access import checked_url
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")
_PLACE = re.compile(r"\{([a-z]+)\}")
_PERSON = re.compile(r"[^<>\n\r\0]{1,200}")
_MAIL = re.compile(r"[^<>\s\0]{1,200}")
_MOST = 2000  # commits of one bundle, and
_LONGEST = 64 << 10  # characters of one message

Json = dict[str, t.Any]


class Wanted(t.NamedTuple):
    """A tag that is to be on a remote; ``url`` is where it is pushed to."""

    name: str
    url: str
    tag: str
    commit: str
    tree: str
    text: str  # of the tag object, all but the date

    @property
    def digest(self) -> str:
        return digest_json({"commit": self.commit, "tree": self.tree})

    def object_text(self, moment: int) -> str:
        return self.text.replace("\0", str(moment), 1)

    def object_name(self, moment: int) -> str:
        """The name that git gives the tag object."""
        data = self.object_text(moment).encode("utf-8")
        kind = hashlib.sha256 if len(self.commit) == 64 else hashlib.sha1
        return kind(b"tag %d\0" % len(data) + data).hexdigest()


def wanted_tags(params: Json) -> list[Wanted]:
    """What is asked for, in the order of the remotes' addresses."""
    artifacts = params["artifacts"]
    if not artifacts or len(artifacts) > _MOST:
        raise DistrogateError(
            "bad_artifact", f"There are {len(artifacts)} commits to tag: it takes 1 to {_MOST}."
        )
    found: dict[tuple[str, str], Wanted] = {}
    for artifact in artifacts:
        one = _wanted(artifact, params)
        if found.setdefault((one.url, one.tag), one) != one:
            raise DistrogateError(
                "artifact_conflict",
                f"Two commits of the bundle would be tagged {one.tag} in {one.url}. Give tag a {{name}}.",
            )
    return [found[key] for key in sorted(found)]


def _wanted(raw: t.Any, params: Json) -> Wanted:
    values = {key: raw.get(key) for key in ("name", "url", "commit", "tree")} if isinstance(raw, dict) else {}
    name, commit, tree = (values.get(key) for key in ("name", "commit", "tree"))
    plain = isinstance(name, str) and name.isprintable() and 0 < len(name) <= 255
    if not plain or not all(isinstance(one, str) and _COMMIT.fullmatch(one) for one in (commit, tree)):
        raise DistrogateError(
            "bad_artifact",
            f"An artifact ({str(raw)[:200]!r}) has no usable name, or no full commit and tree.",
        )
    other = params["push_urls"]
    pushed = other.get(str(values["url"])) or other.get(name) or values["url"]
    known = {**values, "version": params["version"], "channel": params["channel"]}
    known["subject"] = raw.get("subject")
    tag = checked_tag(_filled("tag", params["tag"], known))
    head = f"object {commit}\ntype commit\ntag {tag}\ntagger {_tagger(params)} \0 +0000\n\n"
    text = head + _message(_filled("tag_message", params["tag_message"], known))
    url = checked_url(pushed, params["protocols"])
    one = Wanted(t.cast(str, name), url, tag, t.cast(str, commit), t.cast(str, tree), text)
    claimed = raw.get("sha256")
    if claimed is not None and f"sha256:{claimed}" != one.digest:
        raise DistrogateError(
            "digest_mismatch",
            f"The artifact {name} says that its digest is {claimed}, but its commit and tree have"
            f" {one.digest}. Seal the bundle again.",
        )
    return one


def _filled(option: str, template: str, values: t.Mapping[str, t.Any]) -> str:
    """A template with its places filled in, once: what a stranger wrote is not a template."""

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            raise DistrogateError(
                "bad_option", f"{option} has {match[0]}, but there is no {match[1]}. Set it, or leave it out."
            )
        return str(value)

    return _PLACE.sub(fill, template)


def checked_tag(tag: str) -> str:
    """A tag's name that means one thing to git, to a shell and to a file system."""
    whole = ".." not in tag and not any(part.endswith((".", ".lock")) for part in tag.split("/"))
    if not _TAG.fullmatch(tag) or not whole or len(tag) > 200:
        raise DistrogateError(
            "bad_name", f"The tag {tag!r} may have letters, digits and ._+-/ only, and be what git takes."
        )
    return tag


def _tagger(params: Json) -> str:
    name, mail = params["tagger_name"].strip(), params["tagger_email"]
    if not _PERSON.fullmatch(name) or not name.isprintable() or not _MAIL.fullmatch(mail):
        raise DistrogateError(
            "bad_name", f"{name!r} with {mail!r} is not the name and mail address of a tagger."
        )
    return f"{name} <{mail}>"


def _message(text: str) -> str:
    text = text.strip()
    if not text.replace("\n", "").replace("\t", "").isprintable() or not text or len(text) > _LONGEST:
        raise DistrogateError(
            "bad_option", f"The message of a tag is empty, longer than {_LONGEST}, or has control characters."
        )
    return text + "\n"


def taken(one: Wanted, there: str, commit: str) -> DistrogateError:
    """The error for a tag that is something else already."""
    what = f"the commit {commit}" if commit else f"{there} and no annotated tag"
    return DistrogateError(
        "tag_taken",
        f"The tag {one.tag} of {one.url} is {what}, and no tag is ever moved ({one.commit} is asked for)."
        " Use the next version.",
        taken_by=commit or there,
    )
