# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What etcd's /v3 gateway takes and answers, as JSON. An answer is a stranger's: every field is checked."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Entry, Key, Range
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import BrokenError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_values import encode_key

Json = dict[str, t.Any]
MAXIMUM_NUMBER = (1 << 63) - 1


def _number(text: str) -> int:
    # Making a number of very many digits takes very long.
    if len(text) > 20:
        raise ValueError("a number is too long")
    return int(text)


_decoder = json.JSONDecoder(parse_int=_number)


class RefusedError(Exception):
    """The store understood the request, and refused it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def compose(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def parse(status: int, body: bytes) -> Json:
    """The answer, or what was refused: RefusedError."""
    try:
        answer = _decoder.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        text = "".join(character if character.isprintable() else " " for character in repr(body[:60]))
        raise BrokenError(
            f"it answered {status} without JSON, {text}; it may not be an etcd 3.4 or newer"
        ) from error
    if not isinstance(answer, dict):
        raise BrokenError("it answered JSON that is no object")
    refused = answer.get("error")
    if status != 200 or refused:
        # A streaming call tells its error one level deeper, and names its code otherwise.
        inner = refused if isinstance(refused, dict) else answer
        code, message = inner.get("code", inner.get("grpc_code")), inner.get("message")
        raise RefusedError(code if isinstance(code, int) else 2, str(message)[:500])
    return answer


def inner(answer: Json, name: str) -> Json:
    """The object ``name``; empty when it is absent, as etcd leaves out what is empty."""
    found = answer.get(name, {})
    if not isinstance(found, dict):
        raise BrokenError(f"it answered nonsense: {name} is no object")
    return found


def items(answer: Json, name: str) -> list[Json]:
    found = answer.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BrokenError(f"it answered nonsense: {name} is no list of objects")
    return found


def number(answer: Json, name: str) -> int:
    """A number from 0, which etcd writes as text; 0 when it is absent."""
    found = answer.get(name, "0")
    text = found if isinstance(found, str) else ""
    if not (0 < len(text) <= 19 and text.isascii() and text.isdigit()) or int(text) > MAXIMUM_NUMBER:
        raise BrokenError(f"it answered nonsense: {name} is no number")
    return int(text)


def data(answer: Json, name: str) -> bytes:
    found = answer.get(name, "")
    try:
        return base64.b64decode(found, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise BrokenError(f"it answered nonsense: {name} is not base64") from error


def revision(answer: Json) -> int:
    """The store's revision when it answered."""
    found = number(inner(answer, "header"), "revision")
    if not found:
        raise BrokenError("it answered nonsense: it told no revision")
    return found


class Names:
    """Our keys as the store's: each stands below ``prefix``. What begins with a NUL there is for a client."""

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix

    def key(self, key: str) -> str:
        return b64(self.prefix + encode_key(key))

    def own(self, name: str) -> str:
        return b64(self.prefix + b"\0" + name.encode("ascii"))

    def range(self, query: Key | Range) -> Json:
        """The request for what answers a query."""
        if isinstance(query, Key):
            return {"key": self.key(query.key)}
        first = self.prefix + query.prefix.encode("utf-8", "surrogatepass")
        low = max(first, self.prefix + b"\1")
        # No byte of UTF-8 is 0xff, so adding one never overflows.
        high = first[:-1] + bytes([first[-1] + 1])
        request: Json = {"key": b64(low), "range_end": b64(high)}
        if query.bare:
            request["keys_only"] = True
        if query.limit:
            # One more, to see whether the last has equals in age.
            request["limit"] = str(query.limit + (1 if query.oldest else 0))
        if query.oldest:
            request.update(sort_target="CREATE", sort_order="ASCEND")
        return request

    def entry(self, kv: Json) -> Entry:
        stored, written, made = data(kv, "key"), number(kv, "mod_revision"), number(kv, "create_revision")
        if not stored.startswith(self.prefix) or not made or written < made:
            raise BrokenError("it answered nonsense: an entry that was not asked for")
        try:
            key = stored[len(self.prefix) :].decode("utf-8")
            value = _decoder.decode(data(kv, "value").decode("utf-8")) if "value" in kv else None
        except (ValueError, RecursionError) as error:
            raise DistrogateError(
                "store_foreign",
                f"The key {stored[:200]!r} of the etcd store holds what this collection did not write. Remove"
                " it, or give this store a namespace of its own: etcd://host:port/namespace.",
            ) from error
        return Entry(key, value, written, made)

    def entries(self, answer: Json) -> list[Entry]:
        return [self.entry(kv) for kv in items(answer, "kvs")]
