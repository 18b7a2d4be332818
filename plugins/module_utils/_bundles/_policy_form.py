# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy as data: its form, its defaults, and how a file of it is read."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import NARROWED
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]
FORMAT = 1
_LIMIT = 256 << 10
_SECONDS = 100 * 366 * 86400
_NAMES: Json = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": "^[^\\x00-\\x1f\\x7f]+$"},
    "maxItems": 1000,
    "uniqueItems": True,
}

# docs/schemas/policy.schema.json is this, written out: docs/ is not there where the collection is installed.
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:distrogate.ci:schema:policy:1",
    "title": "What must hold for a bundle to be promoted",
    "type": "object",
    "properties": {
        "version": {"const": FORMAT},
        "verdicts": {
            **_NAMES,
            "description": "Whose last verdict on exactly this bundle must be PASSED.",
            "default": [],
        },
        "signers": {
            **_NAMES,
            "minItems": 1,
            "description": "Who may vouch: paths of public keys (PEM) on the controller, or ids of keys"
            " that the store knows.",
        },
        "waiver_signers": {
            **_NAMES,
            "description": "Who may waive; the signers, when it is not said. Empty: nobody.",
        },
        "minimum_age": {
            "type": "integer",
            "minimum": 0,
            "maximum": _SECONDS,
            "description": "Seconds since it was sealed.",
            "default": 0,
        },
        "newer_than_channel": {
            "type": "boolean",
            "description": "It was sealed after the bundle that the channel has. A roll back ignores it.",
            "default": False,
        },
        "no_holds": {
            "type": "boolean",
            "description": "No hold on it is open.",
            "default": True,
        },
        "waivable": {
            "type": "array",
            "items": {"enum": sorted(NARROWED)},
            "uniqueItems": True,
            "description": "The rules that a waiver may waive. No other rule can be waived.",
            "default": sorted(NARROWED),
        },
    },
    "required": ["version"],
    "additionalProperties": False,
}


def defaults() -> Json:
    """A policy that asks for no more than a whole bundle, signed, without a hold."""
    said: Json = {name: rule["default"] for name, rule in SCHEMA["properties"].items() if "default" in rule}
    return {"version": FORMAT, **said, "signers": None, "waiver_signers": None}


def check_policy(value: t.Any, name: str = "policy") -> Json:
    """A policy with its defaults. Everything that is wrong with it is said at once (``bad_policy``)."""
    try:
        import jsonschema
    except ImportError as error:
        raise DistrogateError(
            "missing_library",
            "Policies need the Python library jsonschema on the controller. Install it for the Python that"
            f" runs ansible-playbook ({error}).",
        ) from error
    faults = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(value))
    if faults:
        said = sorted(f"{'.'.join(map(str, fault.path)) or 'it'}: {fault.message[:300]}" for fault in faults)
        raise DistrogateError("bad_policy", f"{name} is no policy. {'; '.join(said)}.", faults=said)
    return {**defaults(), **value}


def parse_policy(data: bytes, name: str) -> Json:
    """A policy from YAML or JSON text."""
    try:
        import yaml
    except ImportError as error:
        raise DistrogateError(
            "missing_library", f"Policy files need the Python library PyYAML on the controller ({error})."
        ) from error

    class Loader(yaml.SafeLoader):
        """Of two equal keys YAML's loader takes the last, silently; a policy may not hide one."""

        def compose_node(self, parent: t.Any, index: t.Any) -> t.Any:
            if self.check_event(yaml.AliasEvent):  # a page of aliases grows beyond any memory
                raise yaml.YAMLError("an alias (*name) is not allowed in a policy")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: t.Any, deep: bool = False) -> dict[t.Hashable, t.Any]:
            keys = [self.construct_object(key, deep=True) for key, _value in node.value]
            if len(set(map(str, keys))) != len(keys):
                raise yaml.YAMLError(f"a key stands twice (line {node.start_mark.line + 1})")
            return super().construct_mapping(node, deep)

    try:
        value = yaml.load(data, Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DistrogateError("bad_policy", f"{name} is not YAML that can be read: {error}") from error
    return check_policy(value, name)


def read_policy(path: str) -> Json:
    """A policy from a file on the controller."""
    try:
        with open(os.path.expanduser(path), "rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise DistrogateError(
            "bad_policy", f"The policy {path} cannot be read: {error.strerror}. Name a YAML or JSON file."
        ) from error
    if len(data) > _LIMIT:
        raise DistrogateError("bad_policy", f"The policy {path} is larger than {_LIMIT} bytes.")
    return parse_policy(data, path)
