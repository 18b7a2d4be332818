# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sealed run on disk with all that is said of it, and whether it may be promoted or sealed again."""

from __future__ import annotations

import copy
import os
import pathlib
import typing as t

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import (
    _bundle,
    _policy,
    _policy_form,
    _run_files,
    _statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.bundles.bundle_samples import (
    CONTENTS,
    FROZEN,
    all_types,
    signed,
    stage,
)

Json = dict[str, t.Any]
NOW = 1767312000.0  # 2026-01-02
_SAID: tuple[tuple[str, Json], ...] = (
    (
        _statements.WAIVER,
        {
            "rule": "verdicts",
            "stage": "system_test",
            "author": "Ada",
            "reason": "x",
            "expires": "2027-01-01T00:00:00Z",
        },
    ),
    (_statements.HOLD, {"name": "cve", "author": "Ada", "reason": "x", "at_ns": 1}),
    (_statements.HOLD_RELEASE, {"name": "cve", "author": "Ada", "reason": "x", "at_ns": 2}),
)
POLICY: Json = {"version": 1, "verdicts": ["build", "install_test", "system_test"], "minimum_age": 3600}


def make_key(folder: pathlib.Path, name: str) -> _statements.SigningKey:
    """A key that signs."""
    path = folder / f"{name}.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*form))
    return _statements.load_signing_key(str(path), None, {})


class SealedRun:
    """A run directory whose bundle may be promoted as it is; every statement in it is needed for that."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.key = make_key(folder, "ci")
        self.stranger = make_key(folder, "stranger")
        self.stages = all_types()
        self.bundle = _bundle.make_bundle(FROZEN, self.stages, "/runs/42")
        self.statements = self.said_of(self.bundle, self.key)
        other = _bundle.make_bundle(
            {**FROZEN, "pipeline": "check"}, {**self.stages, "more": stage("more")}, "/x"
        )
        self.statements_of_another = self.said_of(other, self.key)
        self.folder = folder / "run"
        self._files: dict[str, bytes] = {}
        self._whole: dict[str, bytes] = {
            "run.json": b"{}",
            "bundle.json": self.text.encode(),
            **CONTENTS,
            **{f"statements/{name}": text.encode() for name, text in self.statements.items()},
        }

    @property
    def text(self) -> str:
        return _bundle.bundle_text(self.bundle)

    def said_of(self, bundle: Json, key: _statements.SigningKey) -> dict[str, str]:
        """All statements that its promotion needs, signed by one key."""
        texts = signed(bundle, key, self.stages)
        for number, (kind, predicate) in enumerate(_SAID):
            value = _statements.statement(bundle["digest"], kind, predicate)
            texts[f"said-{number}.json"] = _statements.sign(value, key)
        return texts

    def files(self) -> dict[str, bytes | None]:
        """All files as they were sealed, to be changed by somebody."""
        return dict(self._whole)

    def records(self) -> dict[str, Json]:
        """The stages' records, to be changed by somebody."""
        return copy.deepcopy(self.stages)

    def sealable(self) -> tuple[Json, dict[str, Json]]:
        """run.json and the stages' records, to be changed by somebody."""
        return copy.deepcopy(FROZEN), self.records()

    def refusal(self, files: t.Mapping[str, bytes | None]) -> str:
        """Why the run directory with these files is not promoted; empty when it is."""
        self._write(files)
        try:
            read = _run_files.read_run(str(self.folder), ["bundle"])
        except DistrogateError as error:
            return error.reason
        _found, reasons, _waived = _policy.evaluate(
            bundle_text=read["bundle"],
            digest=self.bundle["digest"],
            statements=read["statements"],
            found=read["found"],
            keys=[self.key.public],
            now=NOW,
            policy=_policy_form.check_policy(POLICY),
        )
        return " ".join(sorted({reason.rule for reason in reasons}))

    def seal_refusal(self, frozen: Json, stages: dict[str, Json]) -> str:
        """Why these records are not sealed; empty when they are."""
        try:
            _bundle.make_bundle(frozen, stages, "/runs/42")
        except DistrogateError as error:
            return error.reason
        return ""

    def _write(self, files: t.Mapping[str, bytes | None]) -> None:
        """Only what differs from what lies there; None is a file that somebody replaced by a link."""
        for name in {*self._files, *files}:
            path = self.folder / name
            if name not in files:
                path.unlink()
            elif files[name] is None:
                path.unlink(missing_ok=True)
                os.symlink(self.folder.parent / "ci.pem", path)
            elif self._files.get(name) != files[name]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                path.write_bytes(files[name] or b"")
        self._files = t.cast("dict[str, bytes]", dict(files))
