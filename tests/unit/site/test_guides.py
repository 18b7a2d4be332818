# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the guides: YAML that can be read, with options that the modules have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

TREE = Path(__file__).resolve().parents[3]
GUIDES = sorted((TREE / "docs/docsite/rst").glob("*.rst"))
BLOCK = re.compile(r"^( *)\.\. code-block:: (yaml|json)\n\n((?:\1 +.*\n|\n)+)", re.MULTILINE)
COLLECTION = "distrogate.ci."


def examples() -> list[tuple[str, Any]]:
    """Every YAML or JSON block, by where it stands."""
    found = []
    for path in GUIDES:
        text = path.read_text()
        for block in BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 1
            found.append((f"{path.name}:{line}", yaml.safe_load(textwrap.dedent(block.group(3)))))
    return found


def calls(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every call of a module of ours, and every target of a promotion, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            if str(key).startswith(COLLECTION) and isinstance(item, dict):
                yield key[len(COLLECTION) :], item
        if isinstance(value.get("arguments"), dict) and "plugin" in value:
            yield value["plugin"], {**value["arguments"], **value.get("from_environment", {})}
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from calls(item)


@pytest.fixture(scope="module")
def options() -> dict[str, dict[str, Any]]:
    """The options of all modules, as ansible-doc reads them."""
    names = [path.stem for path in (TREE / "plugins/modules").glob("*.py")]
    program = str(Path(sys.executable).parent / "ansible-doc")
    argv = [program, "--json", "--type", "module", *(COLLECTION + name for name in names)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return {
        name[len(COLLECTION) :]: found["doc"]["options"] for name, found in json.loads(done.stdout).items()
    }


def unknown(given: dict[str, Any], known: dict[str, Any], name: str) -> Iterator[str]:
    """Options, and options of options, that there are not; and values that are none of the choices."""
    for key, value in given.items():
        if key not in known:
            yield f"{name}.{key}"
            continue
        choices = known[key].get("choices")
        if choices and isinstance(value, str) and "{{" not in value and value not in choices:
            yield f"{name}.{key}={value}"
        inner = known[key].get("suboptions")
        for item in value if inner and isinstance(value, list) else []:
            yield from unknown(item, inner, f"{name}.{key}")


def test_options_in_examples(options: dict[str, dict[str, Any]]) -> None:
    found = [(place, *call) for place, block in examples() for call in calls(block)]
    assert len({name for _place, name, _given in found}) > 8, "the examples were not found"
    wrong = [
        f"{place} {fault}" for place, name, given in found for fault in unknown(given, options[name], name)
    ]
    assert not wrong, wrong


def test_every_guide_is_listed() -> None:
    listed = yaml.safe_load((TREE / "docs/docsite/extra-docs.yml").read_text())
    names = [name for section in listed["sections"] for name in section["toctree"]]
    assert sorted(names) == [path.stem for path in GUIDES]
