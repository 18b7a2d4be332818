# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that can take part in a promotion, and what of each a promotion must know."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import Json
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# What promotion says, so that no target can: which artifacts, under which names, in which transaction.
RESERVED = frozenset(
    (
        "artifacts",
        "bundle",
        "channel",
        "digests",
        "immutable",
        "packages",
        "restore",
        "state",
        "transaction",
        "version",
    )
)
# A target's arguments stay in the store, and in the history of the channel.
SECRET = frozenset(("password", "token", "passphrase"))
_OF_AUTH = SECRET | {"application_credential_secret", "passcode", "client_secret", "access_token"}
_NAMED_AS_ONE = frozenset(("file_publish", "glance_publish"))  # all that is published together has the names


@dataclasses.dataclass(frozen=True)
class Adapter:
    """One module. ``rank`` says when it is committed: names that readers resolve come last.

    ``place`` are the arguments that say where it publishes. One that ``restores``
    keeps its own states, and goes back to one by its digest; the others publish
    an earlier bundle again, which moves their names back.
    """

    rank: int
    place: tuple[str, ...]
    restores: bool = False
    files: bool = False  # it takes artifacts that lie in the run directory
    moves: bool = True  # it has names that may move; the others stay when a channel goes back


ADAPTERS = {
    "oci_publish": Adapter(0, ("registry", "repository")),
    "git_publish": Adapter(0, ("root",), moves=False),
    "apt_publish": Adapter(1, ("root",), restores=True, files=True),
    "rpm_publish": Adapter(1, ("root",), restores=True, files=True),
    "file_publish": Adapter(2, ("root", "name"), files=True),
    "glance_publish": Adapter(2, ("name", "cloud", "region_name"), files=True),
}
RESTORING = frozenset(name for name, adapter in ADAPTERS.items() if adapter.restores)


def adapter_of(target: Json) -> tuple[str, Adapter]:
    """The module of a target, by its short name; a target that cannot be promoted to is refused."""
    plugin = target["plugin"].rpartition(".")[2]
    adapter = ADAPTERS.get(plugin)
    if adapter is None:
        raise DistrogateError(
            "bad_target",
            f"{target['plugin']} cannot take part in a promotion. Use one of {', '.join(sorted(ADAPTERS))}.",
        )
    arguments = target["arguments"]
    if not arguments.get(adapter.place[0]) or RESERVED & set(arguments):
        raise DistrogateError(
            "bad_target",
            f"The arguments of {plugin} on {target['host']} need {adapter.place[0]}, and may not have any of"
            f" {', '.join(sorted(RESERVED))}: promotion sets these.",
        )
    secrets = _secrets(arguments)
    if secrets:
        raise DistrogateError(
            "bad_target",
            f"The arguments of {plugin} on {target['host']} hold a secret ({', '.join(sorted(secrets))}), and"
            " promotion writes them down. Name the controller's environment variable that has it in"
            " from_environment.",
        )
    return plugin, adapter


def _secrets(arguments: Json) -> set[str]:
    auth = arguments.get("auth")
    return {*(SECRET & set(arguments)), *(_OF_AUTH & set(auth) if isinstance(auth, dict) else ())}


def told(target: Json, environment: t.Mapping[str, str]) -> Json:
    """A target's arguments, with those that are secrets and so in the controller's environment alone."""
    found = dict(target["arguments"])
    for name, variable in (target.get("from_environment") or {}).items():
        if name in RESERVED or not environment.get(variable):
            raise DistrogateError(
                "bad_target",
                f"The target on {target['host']} takes {name} from the variable {variable} of the controller,"
                " which is not set there, or promotion sets that argument. Set it, or leave it out.",
            )
        found[name] = environment[variable]
    return found


def place_in(adapter: Adapter, arguments: Json) -> str:
    """Where a target publishes, as one word."""
    said = [str(arguments[name]).rstrip("/") for name in adapter.place if arguments.get(name)]
    return "/".join(said)


def names_of(plan: Json, result: Json, journal: Json) -> t.Iterator[tuple[str, str, str]]:
    """(place, tag, digest) of each name that a target is going to give, as far as its result tells."""
    if plan["plugin"] in _NAMED_AS_ONE:
        for word in (journal["channel"], journal["version"]):
            if word and result.get("state_digest"):
                yield plan["place"], word, result["state_digest"]
        return
    for row in result.get("published") or []:
        for name in row.get("tags") or [row.get("address")]:
            place, word = _split(str(name or ""))
            if place and word and row.get("digest"):
                yield place, word, str(row["digest"])


def _split(name: str) -> tuple[str, str]:
    """The place and the tag of a name: of a repository's address, or of an image."""
    place, mark, word = name.partition("#refs/tags/")
    if mark:
        return place, word
    place, _colon, word = name.rpartition(":")
    # A name with the digest in it is no tag, nor is a port.
    return ("", "") if "/" in word or "@" in place else (place, word)
