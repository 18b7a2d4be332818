# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a replay takes over from a run that a stranger may have written, and what differs here."""

from __future__ import annotations

import copy
import typing as t

import pytest
import yaml

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _inputs
from ansible_collections.distrogate.ci.plugins.module_utils._runs._drift import compare, line, said
from ansible_collections.distrogate.ci.plugins.module_utils._runs._replay_drift import Site, differences
from ansible_collections.distrogate.ci.plugins.plugin_utils._variables_file import spelled

Json = dict[str, t.Any]
COMMIT = "1" * 40
FROZEN: Json = {
    "version": 1,
    "id": "check-1-1",
    "pipeline": "check",
    "profile": "p",
    "code": "sha256:1",
    "collection": "0.1.0",
    "controller": {"python": "3.11"},
    "images": {"build": "k1"},
    "tools": {"git": "2"},
    "repositories": {
        "test/check-0/apt": {"state_digest": "sha256:a"},
        "release/apt": {"state_digest": "sha256:b"},
    },
    "stages": ["workspace", "build", ["install_test", "system_test"], "seal", "promote"],
    "queue": [
        {"project": "tiny", "branch": "main", "commit": COMMIT, "change_id": "1", "subject": "x", "tree": "y"}
    ],
    "projects": {
        "tiny": {"url": "/there", "branch": "main", "base_commit": COMMIT, "packages": {"deb": True}}
    },
    "parameters": {
        "build_timeout": 60,
        "build_rootfs": "/there/rootfs",
        "distrogate_suite": "bookworm",
        "distrogate_store": "sqlite:////there",
        "distrogate_token_x": "(a secret, never written)",
        "distrogate_projects": {"tiny": {"url": "/there", "install_test": [["tiny"]]}},
        "ansible_connection": "evil",
        "evil_run_me": "x",
    },
}
HERE: Json = {
    "code": "sha256:1",
    "collection": "0.1.0",
    "controller": {"python": "3.11"},
    "images": {"build": "k1", "other": "k2"},
    "tools": {"git": "2", "more": "1"},
    "repositories": {"test/check-0/apt": {"state_digest": "sha256:a"}},
    "parameters": {"build_timeout": 60, "distrogate_suite": "bookworm", "distrogate_more": 1},
}
PROJECTS = {"tiny": {"url": "/here", "install_test": [["tiny"]]}}
PIPELINES = {"check": {"stages": ["workspace", "build", ["install_test", "system_test"], "seal"]}}


def drift(
    frozen: Json | None = None, projects: Json | None = None, gone: t.Any = (), **here: t.Any
) -> list[str]:
    """Each row as INPUT KIND."""
    site = Site({**HERE, **here}, PROJECTS if projects is None else projects, PIPELINES, list(gone))
    rows = differences(_inputs.checked({**FROZEN, **(frozen or {})}), site)
    assert all(line(row).endswith(".") and row["hint"] for row in rows)
    return [f"{row['input']} {row['kind']}" for row in rows]


def test_only_what_decides_is_taken_over() -> None:
    taken = _inputs.taken_over(
        _inputs.checked(copy.deepcopy(FROZEN)), {"tiny": {"url": "/here"}, "z": {"url": "z"}}
    )
    assert taken == {
        "build_timeout": 60,
        "distrogate_suite": "bookworm",
        "distrogate_projects": {"tiny": {"url": "/here", "install_test": [["tiny"]]}, "z": {"url": "z"}},
    }


def test_nothing_is_released_again() -> None:
    stages = _inputs.stages_of(_inputs.checked(FROZEN))
    assert stages == ["workspace", "build", "install_test", "system_test", "seal"]


def test_the_same_site_has_no_drift() -> None:
    assert drift() == []


def test_each_input_that_is_gone_or_differs() -> None:
    assert drift(code="sha256:2") == ["code differs"]
    assert drift(collection="0.2.0") == ["collection differs"]
    assert drift(controller={"python": "3.12"}) == ["controller.python differs"]
    assert drift(tools={}) == ["tools.git differs"]
    assert drift(images={"build": "k2"}) == ["images.build differs"]
    assert drift(images={}) == ["images.build gone"]
    assert drift(repositories={}) == ["repositories.test/check-0/apt gone"]
    assert drift(repositories={"test/check-0/apt": {"state_digest": "b"}}) == [
        "repositories.test/check-0/apt differs"
    ]
    assert drift(parameters={"distrogate_suite": "bookworm"}) == ["parameters.build_timeout differs"]
    assert drift(projects={}) == ["projects.tiny gone"]
    other = {"tiny": {"url": "/here", "install_test": [["true"]]}}
    assert drift(projects=other) == ["parameters.distrogate_projects.tiny differs"]
    assert drift(gone=[["tiny", COMMIT, "change 1"]]) == ["commits.tiny gone"]
    assert drift({"stages": ["evil.collection.role"]}) == ["stages.evil.collection.role gone"]
    assert "code differs" in drift({"code": ""})


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"pipeline": "../x"},
        {"id": ["x"]},
        {"queue": []},
        {"queue": [{**FROZEN["queue"][0], "commit": "main"}]},
        {"queue": [{**FROZEN["queue"][0], "branch": 1}]},
        {"projects": {}},
        {"projects": {"tiny": {**FROZEN["projects"]["tiny"], "base_commit": "--upload-pack=x"}}},
        {"projects": {"tiny": {**FROZEN["projects"]["tiny"], "url": None}}},
        {"stages": ["../../x"]},
        {"stages": [[[["build"]]]]},
        {"stages": "build"},
        {"parameters": ["x"]},
        {"parameters": {"a_b": [[[[[[[[[[1]]]]]]]]]]}},
        {"parameters": {"a_b": "x" * 70000}},
        {"profile": 1},
    ],
)
def test_another_form_is_refused(change: Json) -> None:
    with pytest.raises(DistrogateError) as caught:
        _inputs.checked({**FROZEN, **change})
    assert caught.value.reason == "bad_run"


def test_a_line_for_people_is_one_line() -> None:
    rows = compare({"tools": {"git": "a\n\x1b[31m" + "b" * 999}}, {"tools": {"git": ""}}, ("tools",))
    shown = line(rows[0])
    assert shown.isprintable()
    assert len(shown) < 500
    assert said(rows) == "Not as it was frozen: tools.git."


class _Unsafe(yaml.SafeLoader):
    """Knows the mark of Ansible."""


_Unsafe.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def test_no_text_is_a_template() -> None:
    nasty = '{{ lookup("pipe", "id") }}\n: - # !unsafe "\\ \u2028\x85\ufeff\U0001f600'
    value = {nasty: [nasty, 1, 1.5, True, None, {"a": nasty}]}
    text = spelled(value)
    assert "\n" not in text
    read = yaml.load(text, _Unsafe)
    assert read == {nasty: [("unsafe", nasty), 1, 1.5, True, None, {"a": ("unsafe", nasty)}]}


def test_nothing_that_reaches_machines_or_lets_people_in() -> None:
    """A log bundle may come from anybody, and a stage may be called anything."""
    hostile = {
        "ansible_ssh_common_args": "-o ProxyCommand=evil",
        "ansible_python_interpreter": "sh -c evil",
        "ansible_become_method": "evil",
        "distrogate_hold": "30d",
        "distrogate_hold_person": {"name": "mallory", "public_key": "ssh-ed25519 AAAA"},
        "system_test_hold": "30d",
        "system_test_hold_person": {"name": "mallory"},
    }
    kept = {"system_test_labels": {"size": "small"}}
    assert _inputs.deciding({**hostile, **kept}, ["system_test", "ansible", "acme.site.ansible"]) == kept
