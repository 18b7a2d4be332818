# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May this bundle be promoted? Reading it where it lies, and all that was said of it."""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _policy, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import (
    Archive,
    together,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import parse_bundle
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import locate
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_current import channel_has
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_form import (
    FORMAT,
    check_policy,
    read_policy,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_trust import read_statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import immutable_reason
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import RemoteRun
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]


@dataclasses.dataclass
class Texts:
    """A bundle as it was read. ``found`` has the digests of its files; None: nobody looked."""

    origin: Json
    bundle: str | None
    statements: dict[str, str]
    found: dict[str, str | None] | None
    only_archived: bool = False  # the run directory is gone


@dataclasses.dataclass
class Verdict:
    """``bundle`` is None when there is none to speak of."""

    texts: Texts
    bundle: Json | None
    refused: list[Json]
    waived: list[Json]


class Judge:
    """Reads bundles, and compares them with a policy. ``own`` is the key of whoever promotes."""

    def __init__(
        self, hosts: Hosts, store: Store, policy: t.Any, own: _statements.PublicKey, archive: str | None
    ) -> None:
        self._hosts = hosts
        self._store = store
        self._own = own
        self._archive = Archive(archive) if archive else None
        self._policy = _read(policy)

    def located(self, digest: str | None, run_dir: str | None) -> Json:
        """Where the bundle lies."""
        if digest is None:
            return {"host": self._hosts.own, "run_dir": run_dir}
        facts = locate(self._store, digest)
        return {"host": facts["host"], "run_dir": facts["run_dir"]}

    def judge(
        self,
        channel: str,
        digest: str | None,
        origin: Json,
        rolling_back: bool,
        *,
        coming: Json | None = None,
        files: bool = True,
    ) -> Verdict:
        """Every reason against it at once, and those that are waived.

        ``coming`` is what the channel is going to have first, where a promotion was left open.
        Without ``files`` only what is said of the bundle is read.
        """
        if digest and rolling_back:
            texts = self._kept(digest, origin)
        else:
            texts = self._read(origin, "bundle" if files else None)
        found = texts.found
        if found is None:
            # The targets have these files since they were promoted, and compare them themselves.
            found = _as_stated(texts.bundle)
        bundle, reasons, waived = _policy.evaluate(
            bundle_text=texts.bundle,
            digest=digest,
            statements=texts.statements,
            found=found,
            keys=self._keys(self._policy["signers"]) or [self._own],
            now=time.time(),
            policy=self._policy,
            waiver_keys=self._keys(self._policy["waiver_signers"]),
            current=(current := channel_has(self._store, channel, coming)),
            rolling_back=rolling_back,
        )
        fixed = immutable_reason(channel, bundle["digest"], current) if bundle else None
        refused = [reason.as_dict() for reason in (*reasons, *([fixed] if fixed else []))]
        return Verdict(texts, bundle, refused, [reason.as_dict() for reason in waived])

    def _read(self, origin: Json, check: str | None) -> Texts:
        run = RemoteRun(self._hosts, origin["host"], origin["run_dir"], check)
        # A file of the run directory may stand beside what is archived, and hide none of it.
        said = together(self._archived(run.bundle_text), run.statements)
        return Texts(origin, run.bundle_text, said, run.found if check else None)

    def _archived(self, text: str | None) -> dict[str, str]:
        """What was said of a bundle where it is archived: a hold may be known there alone."""
        digest = _digest_of(text)
        return self._archive.statements(digest) if self._archive and digest else {}

    def _kept(self, digest: str, origin: Json) -> Texts:
        """An earlier bundle: its run directory may be gone, or another's by now, when it is archived."""
        try:
            texts = self._read(origin, None)
            if self._archive is None or _digest_of(texts.bundle) == digest:
                return texts
        except DistrogateError as error:
            if self._archive is None:
                raise DistrogateError(
                    "bundle_gone",
                    f"{digest} cannot be read where it was sealed: {error.message} Nothing was changed. Put"
                    " its run directory back, or give the archive that has the bundle.",
                    cause=error.reason,
                ) from error
        said = self._archive.statements(digest)
        return Texts(origin, self._archive.bundle_text(digest), said, None, only_archived=True)

    def read_again(self, digest: str, origin: Json) -> Texts:
        """A bundle whose promotion another process began."""
        return self._kept(digest, origin)

    def trusted(self, digest: str, texts: Texts) -> dict[str, str]:
        """The statements about the bundle that a known key has signed."""
        signers = [*(self._policy["signers"] or ()), *(self._policy["waiver_signers"] or ())]
        keys = [self._own, *KnownKeys(self._store).keys(), *(self._keys(signers) or ())]
        good = read_statements(texts.statements, digest, list({key.keyid: key for key in keys}.values()))[0]
        return {statement.name: texts.statements[statement.name] for statement in good}

    def _keys(self, signers: t.Sequence[str] | None) -> list[_statements.PublicKey] | None:
        """The keys that may vouch: files of public keys, or ids of keys that the store knows."""
        return None if signers is None else [self._key(signer) for signer in signers]

    def _key(self, signer: str) -> _statements.PublicKey:
        entry = self._store.get(f"key/{signer}") if "/" not in signer else None
        if entry is not None:
            public = _statements.load_public_key(entry.value, f"the key {signer} of the store")
            if public.keyid != signer:
                raise DistrogateError("bad_key", f"The store's key {signer} is another one: {public.keyid}.")
            return public
        try:
            with open(os.path.expanduser(signer), encoding="utf-8") as stream:
                return _statements.load_public_key(stream.read(65536), signer)
        except (OSError, UnicodeDecodeError) as error:
            raise DistrogateError(
                "bad_key",
                f"{signer} in policy.signers is neither a readable public key file nor a known key id.",
            ) from error


def _read(policy: t.Any) -> Json:
    """A policy from the path of a file, or as it stands; what stands in a task need not say its version."""
    if isinstance(policy, str):
        return read_policy(policy)
    if not isinstance(policy, dict):
        raise DistrogateError("bad_policy", "policy is neither the path of a file nor a mapping of rules.")
    said = {name: value for name, value in policy.items() if value is not None}
    return check_policy({"version": FORMAT, **said})


def _digest_of(text: str | None) -> str | None:
    """None for what is no bundle: the policy says what is wrong with it."""
    try:
        return None if text is None else str(parse_bundle(text)["digest"])
    except DistrogateError:
        return None


def _as_stated(text: str | None) -> dict[str, str | None]:
    try:
        bundle = parse_bundle(text) if text is not None else {"artifacts": []}
    except DistrogateError:
        return {}
    return {one["path"]: one["sha256"] for one in bundle["artifacts"] if "path" in one}
