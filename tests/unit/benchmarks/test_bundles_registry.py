# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of promotions tells the truth about its bars, and its images are real ones."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks.bundles_registry import Bench
from ansible_collections.distrogate.ci.tests.benchmarks.bundles_registry_data import Sizes, make_images
from ansible_collections.distrogate.ci.tests.benchmarks.bundles_registry_table import (
    ACROSS,
    OURS,
    SAME,
    SKOPEO,
    WARM,
    Cost,
    Costs,
)
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher

SIZES = Sizes(2, 2, 5000)


@pytest.mark.parametrize("across", [False, True])
def test_ours_promotes_the_images_and_moves_nothing(tmp_path: pathlib.Path, across: bool) -> None:
    with Registry(tmp_path / "registry") as registry:
        pusher = Pusher(registry.url)
        images = make_images(registry.data, pusher, SIZES)
        assert all(image["size"] > SIZES.layers * SIZES.layer for image in images)
        bench = Bench(tmp_path, registry, images, settle=False)
        assert bench.moved(across) == 0
        (tag,) = set(pusher.tags("build/service00")) - {"built"} if not across else {"counted-true"}
        bench.check(tag, across)
        pusher.image("build/service01", tag, b"other")
        if not across:
            with pytest.raises(AssertionError, match="service01"):
                bench.check(tag, across)


@pytest.mark.parametrize(
    ("ours", "peer", "who", "missed"),
    [(1.0, 5.0, SKOPEO, 0), (1.0, 4.9, SKOPEO, 1), (9.0, 1.0, WARM, 0)],
)
def test_the_bar_within_a_repository(ours: float, peer: float, who: str, missed: int) -> None:
    costs = Costs()
    costs.add(SAME, OURS, Cost(ours, 1.0, 1.0))
    costs.add(SAME, who, Cost(peer, 9.0, 9.0))
    assert len(costs.missed()) == missed
    assert (" NO |" in costs.bars()) == bool(missed)


def test_the_bar_across() -> None:
    costs = Costs()
    costs.add(ACROSS, OURS, Cost(1.0, 5.1, 0.1))
    costs.add(ACROSS, SKOPEO, Cost(2.0, 10.0, 90.0))
    assert costs.missed() == [f"{ACROSS}, CPU of the client ({SKOPEO})"]
