# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the store takes as keys and values: the same for every backend."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put

MAXIMUM_KEY = 1024
MAXIMUM_VALUE = 1 << 20


def encode_key(key: str) -> bytes:
    """The key as stored; its bytes sort as its characters do."""
    try:
        encoded = key.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DistrogateError("bad_key", f"The store's key {key!r} is not valid text.") from error
    if not encoded or b"\0" in encoded or len(encoded) > MAXIMUM_KEY:
        raise DistrogateError(
            "bad_key", f"The store's key {key[:80]!r} is empty, has a NUL, or is over {MAXIMUM_KEY} bytes."
        )
    return encoded


def encode_value(key: str, value: t.Any) -> str:
    """The value as JSON, bounded in size."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise DistrogateError(
            "bad_value", f"The value for {key} cannot be written as JSON: {error}"
        ) from error
    if len(text) > MAXIMUM_VALUE:
        raise DistrogateError(
            "bad_value", f"The value for {key} has {len(text)} bytes; the store takes {MAXIMUM_VALUE}."
        )
    return text


def check_ttl(what: str, ttl: float) -> None:
    """Refuse a time to live that is none."""
    if not 0 < ttl < float("inf"):
        raise DistrogateError("bad_ttl", f"The ttl of {what} is {ttl}; it must be above zero.")


def encode_put(put: Put) -> str:
    """The value of a write, after its ttl was checked."""
    if put.ttl is not None:
        check_ttl(put.key, put.ttl)
    return encode_value(put.key, put.value)
