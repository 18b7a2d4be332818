# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads: lines, the summary, failures; and the filter of layers."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.callback.pipeline import CallbackModule
from ansible_collections.distrogate.ci.plugins.filter.layers import FilterModule

STAGE = {"name": "build", "verdict": "success", "seconds": 1.24, "log": "/r/logs/build.log", "run_dir": "/r"}


class Output:
    """Ansible's display, kept."""

    verbosity = 0

    def __init__(self) -> None:
        self.text = ""

    def display(self, text: str, **_options: t.Any) -> None:
        self.text += text + "\n"


@pytest.fixture
def shown() -> t.Callable[..., str]:
    """Play results of one task; what was displayed."""

    def play(*events: tuple[str, dict[str, t.Any]], action: str = "x.y.z") -> str:
        callback = CallbackModule()
        callback._display = t.cast(t.Any, Output())
        callback.v2_playbook_on_play_start(types.SimpleNamespace(get_name=lambda: " check "))
        for event, result in events:
            task = types.SimpleNamespace(action=action, get_name=lambda: " distrogate.ci.build : Build ")
            callback.v2_playbook_on_task_start(task, False)
            host = types.SimpleNamespace(get_name=lambda: "builder")
            handler = getattr(callback, f"v2_runner_on_{event}")
            handler(types.SimpleNamespace(_result=result, _task=task, _host=host))
        callback.v2_playbook_on_stats(None)
        return str(callback._display.text)  # type: ignore[attr-defined]

    return play


def test_lines_and_summary(shown: t.Any) -> None:
    failed = {**STAGE, "name": "install_test", "verdict": "failure", "seconds": 2.0, "log": "/r/logs/i.log"}
    text = shown(
        ("ok", {"stage": STAGE, "secret": "s3cret"}),
        (
            "failed",
            {"stage": failed, "msg": "a\nb", "reason": "install_failed", "invocation": {"x": "s3cret"}},
        ),
    )
    lines = text.splitlines()
    assert lines[:6] == [
        "== check",
        "success  build                1.2 s",
        "failure  install_test         2.0 s  /r/logs/i.log",
        "FAILED on builder: distrogate.ci.build : Build [install_failed]",
        "    a",
        "    b",
    ]
    assert lines[6].startswith("2 stages, 2 tasks, 3.2 s in stages, ")
    assert lines[7:] == ["run directory: /r", "logs:          /r/logs"]
    assert "s3cret" not in text


def test_long_and_hidden_failures(shown: t.Any) -> None:
    text = shown(("failed", {"msg": "\n".join(f"line {number}" for number in range(100))}))
    assert "line 75\n" in text and "line 74\n" not in text
    hidden = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
    assert hidden in shown(("failed", {"censored": hidden}))
    assert "    no message" in shown(("failed", {}))


def test_a_loop_says_what_failed_in_it(shown: t.Any) -> None:
    items = [{"failed": False, "msg": "fine"}, {"failed": True, "msg": "broken"}]
    text = shown(("failed", {"msg": "One or more items failed", "results": items}))
    assert "    broken" in text and "fine" not in text


def test_others(shown: t.Any) -> None:
    assert shown(("ok", {"msg": "quiet"})) == "== check\n"
    assert shown(("ok", {"msg": "a\nb"}), action="ansible.builtin.debug") == "== check\na\nb\n"
    assert shown(("ok", {"stage": "build"})) == shown(("ok", {"stage": {"verdict": "x"}})) == "== check\n"
    assert "UNREACHABLE builder: no route" in shown(("unreachable", {"msg": "no route"}))


layers = FilterModule().filters()["layers"]


def test_layers() -> None:
    assert layers(["gate-1-1-0a", "gate-2"], "/srv/test", "apt") == [
        {"name": "gate-1-1-0a", "root": "/srv/test/gate-1-1-0a/latest/apt"},
        {"name": "gate-2", "root": "/srv/test/gate-2/latest/apt"},
    ]
    assert layers([], "/srv", "rpm") == []


@pytest.mark.parametrize(
    ("ahead", "kind"),
    [
        ("gate-1", "apt"),
        (["a"], "deb"),
        ({"a": 1}, "apt"),
        (None, "apt"),
        (["../x"], "apt"),
        (["a/b"], "rpm"),
        ([""], "apt"),
    ],
)
def test_bad_layers(ahead: t.Any, kind: str) -> None:
    with pytest.raises(AnsibleFilterError):
        layers(ahead, "/srv", kind)
