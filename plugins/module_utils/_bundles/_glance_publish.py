# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What glance_publish does: an image is brought unseen and verified, then its names move.

The cloud has the state, in the properties of its images. The folder on this host has the lock and the
transactions alone.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _glance_images as known
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import Plan
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_shape import pairs
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_state import (
    Retention,
    links,
    point,
    undo_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_tree import (
    checked_link,
    checked_name,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_decide import GlanceDecider
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_leftovers import (
    ABANDONED,
    Leftovers,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_login import connect
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_move import (
    DEACTIVATED,
    gone_back,
    send,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import (
    Wanted,
    new_values,
    place_of,
    values_of,
    wanted_image,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_result import (
    result_of,
    with_image,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_upload import Upload
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import Ledger
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction

Json = dict[str, t.Any]


@dataclasses.dataclass
class GlancePlan(Plan):
    """``wanted`` has to be brought, None when Glance has it; ``work`` says how names move."""

    wanted: Wanted | None = None


class GlancePublisher(GlanceDecider[GlancePlan]):
    """One call of glance_publish."""

    kind = "glance"

    def __init__(self, call: Call, progress: Progress, glance: Glance | None = None) -> None:
        params = call.params
        checked_name(params["name"])
        for kind in ("channel", "version"):
            if params[kind]:
                checked_link(kind, params[kind])
        begins = params["state"] in ("present", "prepared")
        self._wanted = wanted_image(params) if begins else None
        super().__init__(call, inside(os.path.abspath(params["state_folder"]), place_of(params)))
        self.progress = progress
        self.glance = glance or connect(params)
        limit = max(ABANDONED, params["upload_timeout"] + params["ttl"])
        self._leftovers = Leftovers(self.glance, self.root, self.clock() - limit)
        self._left: list[str] = []
        self._coming = self._wanted.identity if self._wanted else ""

    def run(self) -> Json:
        result = super().run()
        return {**result, "left": self._left}

    def plan(self, ledger: Ledger) -> GlancePlan:
        params, wanted = self.params, self._wanted
        if wanted is None or not (params["channel"] or params["version"]):
            raise DistrogateError("bad_name", "Say by which channel or version the image is to be found.")
        there = self.images()
        image = known.chosen(there).get(wanted.identity)
        _check_known(wanted, image)
        if image is None:
            self._incoming()
        asked = [params["name"], params["channel"], params["version"], wanted.identity, wanted.file.sha256]
        plan = GlancePlan(asked, {}, ledger.data, wanted=None if image else wanted)
        after = known.data_of(there)
        point(after, params["channel"] or None, params["version"] or None, wanted.identity)
        row = [wanted.file.sha256, wanted.file.size]
        one = after["sets"].setdefault(wanted.identity, {"unused": None})
        one["files"] = {wanted.file.name: row}
        self._settle(plan, ledger, there, after)
        with_image(plan.result, str(image["id"]) if image else "", self.glance.url)
        return plan

    def _settle(self, plan: GlancePlan, ledger: Ledger, there: list[Json], after: Json) -> None:
        """Which names move, what is removed, and what is returned."""
        before, wanted = known.data_of(there), self._wanted
        serial = max(ledger.serial, known.last_serial(there)) + 1
        plan.undo = undo_record(before, after) if wanted else {}
        if links(before) != links(after) or before["sets"].keys() != after["sets"].keys():
            rule = Retention(*(self.params[name] for name in Retention._fields))
            rule.apply(after, plan.undo if self.identifier else {}, serial, int(self.clock()))
        plan.work = {
            "data": after,
            "undo": plan.undo,
            "serial": serial,
            "goal": wanted.identity if wanted else "",
            "values": values_of(self.params, wanted) if wanted else {},
            "image": None,
        }
        todo = known.moves(there, plan.work)
        plan.changes = [
            ("images", sorted(before["sets"]), sorted(after["sets"])),
            ("links", *pairs(links(before), links(after))),
            ("properties", {}, {move.identity: move.changed for move in todo}),
        ]
        plan.result = result_of(self.params["channel"], before, after, wanted)

    def plan_undo(self, ledger: Ledger, undo: Json) -> GlancePlan:
        there = self.images()
        plan = GlancePlan(None, {}, ledger.data)
        self._settle(plan, ledger, there, gone_back(there, undo))
        return plan

    def stage(self, transaction: Transaction, plan: GlancePlan) -> None:  # noqa: ARG002 -- nothing lies here
        """Bring the image, unseen. Names are taken back before that is written down."""
        if plan.asked is None:
            send(self.glance, self.images(), plan.work)
        elif plan.wanted is not None:
            plan.work["image"] = self._bring(plan.wanted)
            with_image(plan.result, plan.work["image"], self.glance.url)

    def _bring(self, wanted: Wanted) -> str:
        limit = self.params["upload_timeout"]
        upload = Upload(self.glance, self._incoming(), wanted.file, limit, self.progress)
        for image in self._leftovers.unpublished(self.images(), self._kept()):
            if known.identity_of(image) == wanted.identity and upload.is_same(image):
                return str(image["id"])
        more = {known.STATE: known.INCOMING, known.WRITER: self._leftovers.writer()}
        return upload.bring(new_values(self.params, wanted, more))

    def _incoming(self) -> str:
        if not self.params["incoming"]:
            raise DistrogateError(
                "artifact_missing",
                "Glance does not have this image, but incoming does not say where its file is.",
            )
        return str(os.path.abspath(self.params["incoming"]))

    def tidy(self) -> None:
        """Remove what was left behind; what this call is going to bring may be there already."""
        spared, self._coming = self._coming, ""  # once: what is left afterwards is not wanted
        self._left = self._leftovers.remove(self.images(), self._kept(), spared)

    def _kept(self) -> str | None:
        waiting = self.log.reservation()
        return t.cast("str | None", waiting.meta["work"]["image"]) if waiting is not None else None

    def nothing(self, ledger: Ledger) -> Json:  # noqa: ARG002 -- Glance has the state
        data = known.data_of(self.images())
        return result_of(self.params["channel"], data, data)


def _check_known(wanted: Wanted, image: Json | None) -> None:
    """What has a key never becomes something else, and what somebody withdrew is not published again."""
    if image is not None and image.get(known.SHA256) != wanted.file.sha256:
        raise DistrogateError(
            "key_taken",
            f"The image {image['id']} has the key sha256:{wanted.identity} and the sha256"
            f" {image.get(known.SHA256)}, and not {wanted.file.sha256}. What was built twice by one key"
            " differs: publish the one that was published first, or build by a new key.",
            image=image["id"],
        )
    if image is not None and not known.is_whole(image):
        raise DistrogateError(
            DEACTIVATED,
            f"The image {image['id']} of the key sha256:{wanted.identity} is deactivated: somebody withdrew"
            " it. Nothing was changed. Reactivate it when it is good, or publish another image.",
            image=image["id"],
        )
