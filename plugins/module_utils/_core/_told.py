# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stage did, in one sentence: the ``msg`` of its result, which every callback can show."""

from __future__ import annotations

import typing as t


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``0.4 s``, ``25 s``, ``1 min 20 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def origin(stage: t.Mapping[str, t.Any]) -> str:
    """Where a result comes from that was not made now; empty for one that was."""
    reused = stage.get("reused")
    if not reused:
        return ""
    return "its earlier result is reused" if reused == "this_run" else f"reused from {reused}"


def canceller(stage: t.Mapping[str, t.Any]) -> str:
    """Who cancelled a stage."""
    who = stage.get("cancelled_by") or "somebody"
    return "cancelled by a signal" if who == "signal" else f"cancelled by {who}"


def stage_sentence(stage: t.Mapping[str, t.Any]) -> str:
    """The short form of a stage, as a sentence without its full stop."""
    name, verdict, seconds = stage["name"], stage["verdict"], f"{stage['seconds']:.1f} s"
    if origin(stage):
        return f"{name} succeeded: {origin(stage)}"
    if verdict == "success":
        return f"{name} succeeded in {seconds}"
    if verdict == "cancelled":
        return f"{name} was {canceller(stage)} after {seconds}"
    return f"{name} failed after {seconds}"


def tell_stage(result: dict[str, t.Any]) -> None:
    """Give a result that carries a stage the sentence about it."""
    stage = result.get("stage")
    if isinstance(stage, dict) and {"name", "verdict", "seconds"} <= set(stage):
        result.setdefault("msg", stage.get("msg") or stage_sentence(stage))
