# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning TEs while we wait: whoever is in the line cleans, under a lease for cleaning."""

from __future__ import annotations

import abc
import secrets
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Put
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import (
    Holder,
    hashed,
    new_secret,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import epoch_of, new_lease
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import leased, write

_POLL_SECONDS = 0.5
Lease = dict[str, t.Any]


class Job(abc.ABC):
    """A cleaning under way."""

    @abc.abstractmethod
    def poll(self) -> bool | None:
        """None while it works; whether it succeeded when it ended."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it now, and wait until it has ended."""


Cleaner = t.Callable[[Lease], Job]  # Starts the cleaning of a lease's TE.


def lease_for_cleaning(client: Client, name: str) -> tuple[Lease, Holder] | None:
    """Take a dirty TE to clean it; None when another was faster."""
    store, keys = client.store, client.keys
    found, epochs = store.read([Key(keys.te(name)), Key(EPOCH)])
    if not found or found[0].value["phase"] != "dirty" or found[0].value["state"] != "present":
        return None
    te, secret = found[0].value, new_secret()
    owner = {"job": f"cleaning of {name}"}
    place = client.place({"id": secrets.token_hex(8), "owner": owner, "secret_sha256": hashed(secret)})
    after = leased(te, place["lease"], epoch_of(epochs), "cleaning")
    lease = new_lease(keys.pool, place, [after], store.now(), "cleaning")
    operations = [*write(keys, te, after), Put(keys.lease(lease["id"]), lease, session=client.session)]
    if store.transact({found[0].key: found[0].revision}, operations) is None:
        return None
    return lease, Holder(store, keys.pool, lease["id"], secret, client.server)


class Cleanup:
    """Cleans one TE after the other for one who waits, if it has a ``cleaner``."""

    def __init__(self, client: Client, cleaner: Cleaner | None) -> None:
        self.client = client
        self.cleaner = cleaner
        self._job: Job | None = None
        self._holder: Holder | None = None
        self._name = ""

    @property
    def busy(self) -> bool:
        return self._job is not None

    def pause(self, seconds: float) -> float:
        """How long one may sleep: not long while something is being cleaned."""
        return min(seconds, _POLL_SECONDS) if self._job else seconds

    def turn(self, dirty: list[str]) -> None:
        """See whether the cleaning under way has ended, or begin with one of ``dirty``."""
        if self._job is not None:
            done = self._job.poll()
            if done is None:
                return
            self._end(done)
        for name in dirty if self.cleaner else []:
            taken = lease_for_cleaning(self.client, name)
            if taken is not None and self.cleaner is not None:
                lease, self._holder = taken
                self._name = name
                try:
                    self._job = self.cleaner(lease)
                except DistrogateError:
                    self._end(None)
                    raise
                return

    def stop(self) -> None:
        """Stop what is under way: its TE is dirty still, which is nobody's fault."""
        if self._job is not None:
            self._job.stop()
            self._end(None)

    def _end(self, done: bool | None) -> None:
        holder, self._job, self._holder = self._holder, None, None
        try:
            if holder is None:
                return
            if done:
                holder.cleaned()
            elif done is None:
                holder.release()
            else:
                holder.fail([self._name])
        except DistrogateError as error:
            if error.reason != "lease_lost":  # Then another cleans it again.
                raise
