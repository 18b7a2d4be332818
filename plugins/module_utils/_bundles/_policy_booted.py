# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only an image that booted is promoted: a verdict of the boot test names its digest."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import Json, Reason
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import newest_verdicts
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    BOOT_TEST,
    Statement,
)

NOT_BOOTED = "not_booted"
IMAGE = "image"
# What no machine boots as it is: it counts by a disk of the same build. (Formats, and files of other kinds.)
_NO_DISK = frozenset(("tar", "root", "vmlinuz", "initrd", "manifest", "packages"))
_HEX = re.compile(r"[0-9a-f]{64}")


def booted_reasons(artifacts: t.Iterable[Json], statements: t.Iterable[Statement]) -> list[Reason]:
    """The images of a bundle that its last boot test did not boot. No waiver speaks of that."""
    images = [artifact for artifact in artifacts if artifact["type"] == IMAGE]
    if not images:
        return []
    verdict = newest_verdicts(statements).get(BOOT_TEST)
    booted = _digests(verdict)
    keys = {image.get("key") for image in images if image["sha256"] in booted} - {None}
    return [_reason(image, verdict) for image in images if not _is_booted(image, booted, keys)]


def _is_booted(image: Json, booted: t.Collection[str], keys: t.Collection[t.Any]) -> bool:
    same_build = image.get("format") in _NO_DISK and image.get("key") in keys
    return image["sha256"] in booted or same_build


def _digests(verdict: Statement | None) -> frozenset[str]:
    """The digests that a verdict of success is about."""
    if verdict is None or verdict.predicate.get("result") != "PASSED":
        return frozenset()
    said = verdict.predicate.get("tested")
    listed = said if isinstance(said, list) else []
    return frozenset(one for one in listed if isinstance(one, str) and _HEX.fullmatch(one))


def _reason(image: Json, verdict: Statement | None) -> Reason:
    name, digest = image["name"], image["sha256"]
    if verdict is None:
        why = f"There is no trusted verdict of {BOOT_TEST} on its bundle."
    elif verdict.predicate.get("result") != "PASSED":
        why = f"The last verdict of {BOOT_TEST} is {verdict.predicate.get('result')} ({verdict.name})."
    else:
        why = f"The last verdict of {BOOT_TEST} ({verdict.name}) is about other digests."
    return Reason(
        NOT_BOOTED,
        f"Nobody has seen the image {name} (sha256 {digest}) boot. {why}",
        f"Run the stage {BOOT_TEST} on exactly this image, and seal. Nobody can waive it.",
        name,
    )
