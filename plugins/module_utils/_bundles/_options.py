# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of bundle and bundle_promote, and what both note of a bundle in the store."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import (
    digest_hex,
    trees_hex,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._info_options import archive_option
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import NARROWED
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_parts import OPERATIONS
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_option import store_option

Json = dict[str, t.Any]
Options = dict[str, t.Any]

_ADDED: Options = {
    "predicate_type": {
        "type": "str",
        "choices": ["verdict", "waiver", "hold", "hold_release"],
        "required": True,
    },
    "name": {"type": "str"},
    "result": {"type": "str", "choices": ["PASSED", "FAILED"]},
    "rule": {"type": "str", "choices": sorted(NARROWED)},
    "stage": {"type": "str"},
    "hold": {"type": "str"},
    "author": {"type": "str"},
    "reason": {"type": "str"},
    "expires": {"type": "str"},
    "url": {"type": "str"},
    "explanation": {"type": "str"},
}
_TARGET: Options = {
    "host": {"type": "str", "required": True},
    "plugin": {"type": "str", "required": True},
    "artifact_types": {"type": "list", "elements": "str", "required": True},
    "artifact_names": {"type": "list", "elements": "str"},
    "arguments": {"type": "dict", "required": True},
    "from_environment": {"type": "dict"},
    "incoming": {"type": "path"},
    "attach": {"type": "bool", "default": True},
}
_KEY: Options = {"signing_key": {"type": "path"}, "signing_key_env": {"type": "str"}}

# ``no_log`` is said where a name looks like a secret and is none.
_KEY["signing_key"]["no_log"] = False
_KEY["signing_key_env"]["no_log"] = False


def bundle_options() -> Options:
    """What ``bundle`` takes."""
    return {
        "argument_spec": {
            "run_dir": {"type": "path"},
            "bundle": {"type": "str"},
            "state": {"type": "str", "choices": ["sealed", "stated"], "default": "sealed"},
            **store_option(),
            **archive_option(),
            "add": {"type": "list", "elements": "dict", "options": _ADDED, "default": []},
            **_KEY,
        },
        "mutually_exclusive": [["signing_key", "signing_key_env"]],
        "required_one_of": [["signing_key", "signing_key_env"], ["bundle", "run_dir"]],
        "required_if": [["state", "sealed", ["run_dir"]], ["state", "stated", ["add"]]],
    }


def bundle_promote_options() -> Options:
    """What ``bundle_promote`` takes."""
    return {
        "argument_spec": {
            "bundle": {"type": "str"},
            "run_dir": {"type": "path"},
            "channel": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["promoted", "rolled_back"], "default": "promoted"},
            "version": {"type": "str", "choices": ["major", "minor", "none"], "default": "major"},
            "series": {"type": "str", "default": "main"},
            "immutable": {"type": "bool", "default": False},
            **store_option(),
            **archive_option(),
            "policy": {"type": "raw", "default": {}},
            "targets": {"type": "list", "elements": "dict", "options": _TARGET, "default": []},
            "timeout": {"type": "float", "default": 600.0},
            **_KEY,
        },
        "mutually_exclusive": [["signing_key", "signing_key_env"], ["bundle", "run_dir"]],
        "required_one_of": [["signing_key", "signing_key_env"]],
        "required_if": [["state", "promoted", ["bundle", "run_dir"], True]],
    }


def register(store: Store, bundle: Json, facts: Json, keyid: str, public_pem: str) -> bool:
    """Note a sealed bundle, its merged trees and its signer's public key; returns whether it was news."""
    hexadecimal = digest_hex(bundle["digest"])
    trees = bundle["inputs"]["trees"]
    wanted: dict[str, t.Any] = {f"bundle/{hexadecimal}": facts, f"key/{keyid}": public_pem}
    if trees:
        wanted[f"tree/{trees_hex(trees)}/{facts['pipeline']}"] = bundle["digest"]
    news: list[Put | Delete] = []
    for key, value in wanted.items():
        entry = store.get(key)
        old = None if entry is None else entry.value
        # A bundle stays as old as its first sealing.
        new = {**value, "sealed": old["sealed"]} if key.startswith("bundle/") and old else value
        if old != new:
            news.append(Put(key, new))
    for start in range(0, len(news), OPERATIONS):  # a store takes so many at once
        store.transact({}, news[start : start + OPERATIONS])
    return bool(news)


def register_key(store: Store, keyid: str, public_pem: str) -> bool:
    """Note a signer's public key, so that a policy may name it by its id; returns whether it was news."""
    entry = store.get(f"key/{keyid}")
    if entry is not None and entry.value == public_pem:
        return False
    store.transact({}, [Put(f"key/{keyid}", public_pem)])
    return True


def locate(store: Store, digest: str) -> Json:
    """Where the bundle of this digest lies."""
    entry = store.get(f"bundle/{digest_hex(digest)}")
    if entry is None:
        raise DistrogateError(
            "unknown_bundle",
            f"The store knows no bundle {digest}. Seal it with this store, or give run_dir on its host.",
        )
    return t.cast(Json, entry.value)
