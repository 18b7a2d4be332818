# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What oci_publish does with its options, state by state."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_attach import (
    Attached,
    Attachment,
    Envelope,
    attachments,
    read_envelopes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_auth import (
    Access,
    Credentials,
    read_auth_file,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_contents import Contents
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_http import Client
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_journal import OURS, Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import Manifest
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import (
    Origin,
    checked_registry,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_outcome import (
    nothing,
    rows_of,
    shaped,
    tags_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import (
    Item,
    items_of,
    request_digest,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_tags import Tags
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_transaction import Ending, used
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference

Json = dict[str, t.Any]


def perform(params: Json, check_mode: bool, difference: Difference) -> Json:
    """One call of the module; returns its result."""
    for name in ("threads", "timeout"):
        if params[name] < 1:
            raise DistrogateError("bad_option", f"{name} must be at least 1.")
    timeout, retries = params["timeout"], max(0, params["retries"])
    with Client(timeout, retries, min(params["threads"], 64), params["ca_path"]) as client:
        return Publisher(params, check_mode, difference, client).run()


class Publisher:
    """One call of the module."""

    def __init__(self, params: Json, check_mode: bool, difference: Difference, client: Client) -> None:
        self._params, self._check_mode, self._difference = params, check_mode, difference
        self._client = client
        self._origin = checked_registry(params["registry"])
        self._known = read_auth_file(params["auth_file"]) if params["auth_file"] else {}
        self._registry_at = functools.lru_cache(maxsize=None)(self._open)
        self._registry = self._registry_at(self._origin)

    def _open(self, origin: Origin) -> Registry:
        access = Access(self._client, origin, self._credentials(origin), tuple(self._params["token_hosts"]))
        return Registry(self._client, origin, access)

    def _credentials(self, origin: Origin) -> Credentials | None:
        """The user's password is for the registry that the task names, never for one that a bundle names."""
        if origin == self._origin and self._params["username"] is not None:
            if ":" in self._params["username"]:
                raise DistrogateError("bad_option", "A username has no colon.")
            return self._params["username"], self._params["password"]
        return self._known.get(origin.netloc)

    def run(self) -> Json:
        """Do what ``state`` says."""
        state = self._params["state"]
        if state == "attached":
            return self._attach_alone()
        target = f"{self._origin.url} {self._params['repository']}"
        journal = Journal(self._params["state_folder"], target, self._identifier())
        if self._check_mode:
            return self._step(journal)
        with journal.held(self._params["timeout"]):
            result = self._step(journal)
            journal.prune()
            return result

    def _identifier(self) -> str:
        """The transaction's id. One call that does it all has the same one when it is repeated."""
        if self._params["transaction"]:
            return str(self._params["transaction"])
        return "whole-" + request_digest(self._params, items_of(self._params)).partition(":")[2][:32]

    def _step(self, journal: Journal) -> Json:
        if self._params["state"] == "prepared":
            return self._prepare(journal)
        if self._params["state"] == "published":
            return self._publish(journal)
        ending = Ending(journal, self._registry, self._difference, self._check_mode)
        return ending.commit() if self._params["state"] == "committed" else ending.undo()

    def _prepare(self, journal: Journal) -> Json:
        items = items_of(self._params)
        envelopes = read_envelopes(self._params["attach"])
        asked, record = request_digest(self._params, items), journal.read()
        if record is not None and record["phase"] != "preparing":
            if record["request"] != asked:
                raise used(journal, f"is {record['phase']} with other artifacts or options")
            if record["phase"] == "undone":
                raise used(journal, "was undone")
            return shaped(record, self._registry)
        return self._bring(journal, asked, items, envelopes)

    def _publish(self, journal: Journal) -> Json:
        """Both steps in one call, which goes on where one like it was killed."""
        if self._params["attach"]:
            raise DistrogateError("bad_option", "attach is not for published. Call it with attached then.")
        items = items_of(self._params)
        asked, record = request_digest(self._params, items), journal.read()
        if record is not None and record["request"] != asked:
            raise used(journal, f"is {record['phase']} with other artifacts or options")
        if record is not None and record["phase"] == "undoing" and not self._check_mode:
            Ending(journal, self._registry, Difference(), False).undo()
        if record is None or record["phase"] not in ("prepared", "committing"):
            result = self._bring(journal, asked, items, [])
        if not self._check_mode:
            result = Ending(journal, self._registry, self._difference, False).commit()
        for side in (self._difference.before, self._difference.after):
            side.pop("transaction", None)
        return result

    def _bring(
        self, journal: Journal, asked: str, items: list[Item], envelopes: t.Sequence[Envelope]
    ) -> Json:
        tags = tags_of(rows_of(items))
        look = Tags(self._registry)
        before = look.look(tags)
        look.refuse_taken(tags, before)  # before anything is brought for nothing
        record = {
            "phase": "preparing",
            "transaction": journal.transaction,
            "target": journal.target,
            "request": asked,
            "items": rows_of(items),
            "before": before,
            "attach": [[one.name, one.data.decode("utf-8")] for one in envelopes],
            "attached": [],
        }
        if not self._check_mode:
            journal.write(record)
        manifests = self._contents(items)
        if not self._check_mode:
            journal.keep(OURS, manifests.values())
            record["phase"] = "prepared"
            journal.write(record)
        for tag in tags:
            self._difference.add(look.reference(tag), before[look.reference(tag)] or "", tag.digest)
        self._difference.add("transaction", "", "prepared")
        return shaped(record, self._registry)

    def _contents(self, items: t.Sequence[Item]) -> dict[str, Manifest]:
        try:
            return self._brought(items)
        except DistrogateError as error:
            # What was promoted before is there, though its origin may be cleaned up.
            home = [one._replace(source=self._origin, source_repository=one.repository) for one in items]
            if error.reason != "manifest_missing" or home == list(items):
                raise
            try:
                return self._brought(home)
            except DistrogateError as other:
                raise (error if other.reason == "manifest_missing" else other) from other

    def _brought(self, items: t.Sequence[Item]) -> dict[str, Manifest]:
        return Contents(self._client, self._registry_at, self._registry, self._check_mode).bring(items)

    def _attach_alone(self) -> Json:
        """One at a time: where a registry has no referrers, their list is read, changed and written back."""
        if self._check_mode:
            return self._attach()
        with Journal(self._params["state_folder"], f"{self._origin.url} attached", "attached").held(
            self._params["timeout"]
        ):
            return self._attach()

    def _attach(self) -> Json:
        """Attach envelopes to what is there already, and move no tag."""
        items, envelopes = items_of(self._params), read_envelopes(self._params["attach"])
        attached = Attached(self._registry)

        def one(place: tuple[str, str]) -> list[Attachment]:
            repository, digest = place
            manifest = self._registry.manifest(repository, digest)
            if manifest is None:
                where = self._registry.reference(repository, digest)
                raise DistrogateError(
                    "manifest_missing", f"{where} is not there. Promote it first.", digest=digest
                )
            (group,) = attachments([(repository, manifest)], envelopes)
            missing = attached.missing(group)
            if missing and not self._check_mode:
                attached.attach(missing)
            return missing

        places = list(dict.fromkeys((item.repository, item.digest) for item in items))
        for group in self._client.each_apart(places, one, lambda place: place[0]):
            for new in group:
                where = self._registry.reference(new.repository, new.subject.digest)
                self._difference.add(f"{where} {new.envelope.name}", "", new.digest)
        return nothing()
