# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose signatures count for those who only look: the keys that the store knows, and those that are named."""

from __future__ import annotations

import functools
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    PublicKey,
    load_public_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Range, Store

_KEYS = "key/"  # written by ``register`` when a bundle is sealed


class KnownKeys:
    """Loads a key when it is needed: the library that reads keys costs more than a question to the index."""

    def __init__(self, store: Store, signers: t.Sequence[str] = ()) -> None:
        self._store = store
        self._signers = signers

    @functools.cached_property
    def keyids(self) -> frozenset[str]:
        """The ids of the keys."""
        known = [entry.key[len(_KEYS) :] for entry in self._store.read([Range(_KEYS, bare=True)])[0]]
        return frozenset(known) | {key.keyid for key in self._named}

    @functools.cached_property
    def _named(self) -> list[PublicKey]:
        """The keys in files. One that the store knows by its id needs no file."""
        found = []
        for signer in self._signers:
            if "/" not in signer and self._store.get(_KEYS + signer) is not None:
                continue
            try:
                with open(os.path.expanduser(signer), encoding="utf-8") as stream:
                    found.append(load_public_key(stream.read(65536), signer))
            except (OSError, UnicodeDecodeError) as error:
                raise DistrogateError(
                    "bad_key",
                    f"{signer} in signers is neither a readable public key file nor a known key id.",
                ) from error
        return found

    def keys(self) -> list[PublicKey]:
        """The keys."""
        found = {key.keyid: key for key in self._named}
        for entry in self._store.list(_KEYS):
            keyid = entry.key[len(_KEYS) :]
            key = load_public_key(entry.value, f"the key {keyid} of the store")
            if key.keyid != keyid:
                raise DistrogateError("bad_key", f"The store's key {keyid} is another one: {key.keyid}.")
            found[keyid] = key
        return [found[keyid] for keyid in sorted(found)]
