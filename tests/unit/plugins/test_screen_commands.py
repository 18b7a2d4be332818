# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that a person is told: to be pasted, and without a value that may be a secret."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_commands import commands


def test_what_was_given_in_files_is_given_again() -> None:
    arguments = {"inventory": ("/in ventory", "other"), "extra_vars": ("@/site/vars.yml",)}
    again, resume = commands(arguments, "check.yml", "/runs/a b", "build")
    given = "-i '/in ventory' -i other -e @/site/vars.yml -e 'run_dir=/runs/a b'"
    assert again == f"ansible-playbook distrogate.ci.stage {given} -e stage=build"
    assert resume == f"ansible-playbook check.yml {given}"


def test_values_are_not_told() -> None:
    arguments = {"extra_vars": ("token=s3cret", '{"password": "s3cret"}', "run_dir=/x stage=y")}
    told = commands(arguments, "distrogate.ci.gate", "/r", "build")
    assert all("s3cret" not in line and line.endswith("  # and your other -e options") for line in told)
    assert (
        commands({"extra_vars": ("run_dir=/r",)}, "x.yml", "/r", "s")[1]
        == "ansible-playbook x.yml -e run_dir=/r"
    )


def test_a_stage_alone_has_nothing_to_resume() -> None:
    assert commands({}, "distrogate.ci.stage", "/r", "build")[1] == ""
    assert commands({}, "/site/stage.yml", "/r", "build")[1] == ""
    assert commands({}, "check.yml", "", "build") == ("", "")
