# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots follow the key of what they were taken of: who trusts the new key alone can read them."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Format, Scope, Written
from ansible_collections.distrogate.ci.plugins.module_utils._packages._snapshots import snapshots_of

_KEYS = ("signing_key", "overlap_key")


def resign_snapshots(
    transaction: Transaction, fmt: Format, scopes: dict[str, Scope], after: Scope, signer: Signs
) -> None:
    """Sign ``fmt``'s snapshots in ``scopes`` as ``after`` is signed; what they say, dates too, stays."""
    keys = {name: after.settings[name] for name in _KEYS}
    for name, scope in snapshots_of(scopes, fmt).items():
        if any(scope.settings[one] != key for one, key in keys.items()):
            snapshot = fmt.for_snapshot(name)
            scopes[snapshot.scope] = _resigned(transaction, snapshot, scope, keys, signer)


def _resigned(
    transaction: Transaction, fmt: Format, scope: Scope, keys: dict[str, t.Any], signer: Signs
) -> Scope:
    signed = scope.copy()
    signed.settings.update(keys)
    written = {index: Written.parse(raw) for index, raw in scope.written.items()}
    rendered = fmt.render(written, signed, scope.moment, signer)
    for file, data in rendered.named.items():
        signed.files[file] = hashlib.sha256(data).hexdigest()
        transaction.put(file, data, moment=scope.moment, sha256=signed.files[file])
    name, data = rendered.switch
    signed.switch_sha256 = hashlib.sha256(data).hexdigest()
    transaction.put(name, data, switch=True, moment=scope.moment, sha256=signed.switch_sha256)
    return signed
