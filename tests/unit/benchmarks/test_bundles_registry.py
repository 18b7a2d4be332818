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
    MANY,
    OURS,
    READ,
    SAME,
    SKOPEO,
    TWO,
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
    ("who", "ours", "peer", "most", "missed"),
    [
        (TWO, 1.0, SKOPEO, 5.0, 0),
        (TWO, 1.01, SKOPEO, 5.0, 1),
        (READ, 1.01, SKOPEO, 5.0, 1),
        (OURS, 9.0, SKOPEO, 5.0, 0),
        (TWO, 9.0, MANY, 5.0, 0),
    ],
)
@pytest.mark.parametrize("side", ["client", "registry"])
def test_the_bar_is_on_both_sides(
    who: str, ours: float, peer: str, most: float, missed: int, side: str
) -> None:
    costs = Costs()
    costs.add(SAME, who, Cost(1000.0, 0.0, ours) if side == "registry" else Cost(1000.0, ours, 0.0))
    costs.add(SAME, peer, Cost(1.0, 2.0, most - 2.0))
    assert len(costs.missed()) == missed
    assert (" NO |" in costs.bars()) == bool(missed)
    assert (" yes |" in costs.bars()) == (not missed and who == TWO and peer == SKOPEO)


def test_the_bar_across() -> None:
    costs = Costs()
    costs.add(ACROSS, TWO, Cost(1.0, 5.1, 45.0))
    costs.add(ACROSS, SKOPEO, Cost(2.0, 10.0, 90.0))
    assert costs.missed() == [f"{TWO}, {ACROSS}, CPU of both sides"]
    assert "| CPU of the client |" in costs.bars() and "|              wall |" in costs.bars()
