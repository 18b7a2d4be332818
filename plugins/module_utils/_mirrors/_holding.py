# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our claim on one mirror: how it is taken, kept fresh, asked for, and given back."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import tempfile
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import Claim, Watch, claim_name
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import file_in
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transfer import Rsync

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds


def now() -> float:
    """Seconds that also pass while the machine sleeps, so that a claim cannot seem young after that."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Seen(t.Protocol):
    """What a look shows, as far as it matters here."""

    @property
    def claims(self) -> list[Claim]: ...


S = t.TypeVar("S", bound=Seen)


class Holding:
    """One mirror's claim. While it is held a thread renews it; ``lost`` is true when somebody removed it."""

    def __init__(self, rsync: Rsync) -> None:
        self.rsync = rsync
        self.claim: Claim | None = None
        self.lost = False
        self._written = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def take(
        self,
        claim: Claim,
        timeout: float,
        mine: t.Collection[str],
        look: t.Callable[[], S],
        beside: t.Collection[str] = (),
    ) -> S:
        """Wait until ours is the only one; returns the look that showed it.

        Error ``mirror_busy``. Error ``bad_mirror``: one ``beside`` it, ours for another mirror, lies here.
        """

        def look_beside() -> S:
            found = look()
            if any(other.id in beside for other in found.claims if other.id != claim.id):
                raise self._twice()
            return found

        try:
            found = self._wait(claim, now() + timeout, {*mine, claim.id}, look_beside)
        except BaseException:
            if self.claim is not None:
                with contextlib.suppress(DistrogateError, OSError):
                    self.release()
            raise
        self.lost = False
        self._stop = threading.Event()
        threading.Thread(target=self._keep, args=(claim.seconds / 4, self._stop), daemon=True).start()
        return found

    def _wait(self, claim: Claim, until: float, mine: set[str], look: t.Callable[[], S]) -> S:
        watch = Watch(now)
        self._write(claim)
        found = look()
        for turn in itertools.count():
            others = [other for other in found.claims if other.id not in mine]
            dead = watch.stale(others) + [old for old in found.claims if old.id in mine - {claim.id}]
            if dead:
                self._remove([old.name for old in dead])
            elif others:
                self._make_way(claim, others)
                if now() > until:
                    raise self._busy(others)
                time.sleep(random.uniform(0.3, 1) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 1.5 ** min(turn, 20)))
            elif self.claim is not None:
                return found  # the look came after our writing, and showed ours alone
            else:
                self._write(claim)
            found = look()
        raise AssertionError("a loop without end ended")

    def _make_way(self, claim: Claim, others: list[Claim]) -> None:
        """Of those that wrote at once only the first by id stays, so that they do not all go back for ever.

        It must stay fresh meanwhile. Who went back waits, and writes when there is no claim any more.
        """
        if self.claim is None:
            return
        if claim.id > min(other.id for other in others):
            self.release()
        elif now() - self._written > claim.seconds / 4 and not self.renew():
            self.claim = None

    def _write(self, claim: Claim) -> None:
        self._written = now()
        self.claim = claim.renewed()
        self._put("write", self.claim)

    def _put(self, operation: str, claim: Claim) -> bool:
        with tempfile.TemporaryDirectory(dir=self.rsync.work) as folder:
            path = file_in(folder, claim.name)
            os.makedirs(os.path.dirname(path))
            with open(path, "wb") as stream:
                stream.write(claim.to_bytes())
            done = self.rsync(operation, folder, [claim.name])
        return any(item.path == claim.name for item in done.items)

    def renew(self) -> bool:
        """Write our claim anew if it is there. Whoever thought us dead has removed it: then it stays away."""
        with self._lock:
            if self.claim is None:
                return False
            written = now()
            self.claim = self.claim.renewed()
            there = self._put("rewrite", self.claim)
            if there:
                self._written = written
            else:
                self.lost = True
            return there

    def sure(self) -> bool:
        """Whether nobody can have taken our claim for a dead one's; asks the mirror when that was long ago.

        Nobody removes a claim in its first ``seconds``: so nothing needs to be asked while it is young.
        """
        if self.claim is None or self.lost:
            return self.claim is None
        return now() - self._written < self.claim.seconds / 2 or self.renew()

    def is_lost(self) -> bool:
        return self.lost

    def _keep(self, every: float, stop: threading.Event) -> None:
        while not stop.wait(every):
            with contextlib.suppress(DistrogateError, OSError):
                if not self.renew():
                    return

    def release(self) -> None:
        """Take ours back; nothing when there is none."""
        self._stop.set()
        with self._lock:
            claim, self.claim = self.claim, None
            if claim is not None:
                self._remove([claim.name])

    def remove(self, identity: str) -> None:
        """Take back a claim of an earlier run of ours."""
        self._remove([claim_name(identity)])

    def _remove(self, names: list[bytes]) -> None:
        with tempfile.TemporaryDirectory(dir=self.rsync.work) as folder:
            os.makedirs(os.path.dirname(file_in(folder, names[0])))
            self.rsync("delete", folder, names)

    def _twice(self) -> DistrogateError:
        address = self.rsync.mirror.address
        return DistrogateError(
            "bad_mirror",
            f"The mirror {address!r} was also given under another address; give each mirror once.",
            address=address,
        )

    def _busy(self, others: list[Claim]) -> DistrogateError:
        address = self.rsync.mirror.address
        holders = "; ".join(f"{other.holder}, since {other.since[:40]}" for other in others[:3])
        why = f"somebody else works on it ({holders})"
        return DistrogateError(
            "mirror_busy",
            f"{address}: {why}. Wait for them to end, or raise timeout.",
            address=address,
            why=why,
            holder=holders,
            transient=True,
        )
