# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sealing a run comes to: the bundle, and the statements that are not there yet."""

from __future__ import annotations

import hashlib
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _remarks, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import (
    SEAL,
    make_bundle,
    parse_bundle,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy import artifact_reasons
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import RemoteRun

Json = dict[str, t.Any]


def sealed_bundle(run: RemoteRun, stages: dict[str, t.Any]) -> Json:
    """The bundle as the stages tell it, which must be what lies there, in files and in bundle.json."""
    old = None if run.bundle_text is None else parse_bundle(run.bundle_text, f"{run.run_dir}/bundle.json")
    # What was sealed by an earlier release stays in the form that it had.
    form = {} if old is None else {"version": old["version"]}
    bundle = make_bundle(run.frozen, stages, run.run_dir, **form)
    reasons = artifact_reasons(bundle["artifacts"], run.found)
    if reasons:
        raise DistrogateError(
            "artifact_changed",
            " ".join(reason.message for reason in reasons) + " Run the stage that makes it again.",
            refused=[reason.as_dict() for reason in reasons],
        )
    if old is not None and old != bundle:
        raise DistrogateError(
            "bundle_sealed",
            f"{run.run_dir} is sealed as {old['digest']}, and its stages now tell of {bundle['digest']}."
            " Give the new artifacts a run directory of their own.",
            sealed=old["digest"],
        )
    return bundle


def missing(
    run: RemoteRun,
    stages: dict[str, Json],
    bundle: Json,
    *,
    text: str,
    key: _statements.SigningKey,
    sealed: str,
) -> dict[str, Json]:
    """The statements of sealing that the run directory does not have yet, by file name."""
    provenance = f"provenance-{key.public.keyid[:16]}.json"
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    found = {provenance: _statements.provenance_statement(bundle, sha256, run.frozen, run.host, sealed)}
    for name, record in stages.items():
        stated = None if name == SEAL else _statements.stage_statement(bundle["digest"], record)
        if stated is not None:
            found[stated[0]] = stated[1]
    return {name: value for name, value in found.items() if name not in run.statements}


def remarked(
    run: RemoteRun, digest: str, key: _statements.SigningKey, added: list[tuple[str, Json]]
) -> dict[str, Json]:
    """What was said from outside of the run, and is not there yet, by file name."""
    there = run.statements
    return dict(
        _remarks.remark(kind, digest, said, _remarks.comes_at(kind, said, there, digest, time.time_ns()))
        for kind, said in added
        if not _remarks.said_already(kind, said, there, digest, key.public, now=time.time())
    )
