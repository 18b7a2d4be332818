# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels of a pool's TEs, and what the waiters ask for: 40 classes, and 40 expressions."""

from __future__ import annotations

import itertools

Labels = dict[str, str]

SIZES = [f"s{number}" for number in range(5)]
ARCHES = ["amd64", "arm64"]
NETS = [f"n{number}" for number in range(4)]
CLASSES: list[Labels] = [
    {"size": size, "arch": arch, "net": net} for size, arch, net in itertools.product(SIZES, ARCHES, NETS)
]


def wanted() -> list[Labels]:
    """11 that ask for one label, 10 for a size and an arch, 19 for a size and a net."""
    single = [{name: value} for name, values in _names() for value in values]
    arches = [{"size": size, "arch": arch} for size, arch in itertools.product(SIZES, ARCHES)]
    nets = [{"size": size, "net": net} for size, net in itertools.product(SIZES, NETS)]
    return [*single, *arches, *nets][:40]


def _names() -> list[tuple[str, list[str]]]:
    return [("size", SIZES), ("arch", ARCHES), ("net", NETS)]


def expression(labels: Labels) -> str:
    return " and ".join(f"{name} == {value}" for name, value in labels.items())


def fits(wish: Labels, labels: Labels) -> bool:
    """Whether a TE with these labels is one that was asked for, without the code that is measured."""
    return wish.items() <= labels.items()


def te_labels(number: int) -> Labels:
    """Of the TE of this number: every class as often."""
    return CLASSES[number * 7 % len(CLASSES)]
