# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameters of a run: every variable that decides what its stages do, as it is now, without secrets."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.errors import AnsibleError
from ansible.template import Templar

from ansible_collections.distrogate.ci.plugins.module_utils._runs._inputs import ABSENT
from ansible_collections.distrogate.ci.plugins.plugin_utils._secret_values import Secrets, vaulted

Variables = t.Mapping[str, t.Any]
_ROLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "roles")
# What a run is given or makes, not what decides about it.
_OF_A_RUN = re.compile(r"distrogate_(queue|run_dir|force)|[a-z0-9_]+_(run_dir|force|begun|found|result)")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


class _NotPlainError(Exception):
    """A value that JSON does not have, such as omit."""


def _plain(value: t.Any) -> t.Any:
    """A value as JSON has it, without the tags and wrappings of Ansible."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        if str(value).startswith("__omit_place_holder__"):
            raise _NotPlainError
        return str(value)
    if isinstance(value, t.Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    raise _NotPlainError


def defaults_of(stage: str, loader: t.Any) -> dict[str, t.Any]:
    """The settings that a stage of this collection has when a site says nothing."""
    path = os.path.join(_ROLES, stage, "defaults", "main.yml")
    if not _NAME.fullmatch(stage) or not os.path.isfile(path):
        return {}
    try:
        return dict(loader.load_from_file(path, trusted_as_template=True) or {})
    except TypeError:  # before ansible-core 2.19 every file of one's own was trusted
        return dict(loader.load_from_file(path) or {})


def flat(stages: t.Iterable[t.Any]) -> list[str]:
    """The names of stages, those of groups, too."""
    names: list[str] = []
    for stage in stages:
        names.extend(flat(stage) if isinstance(stage, (list, tuple)) else [str(stage)])
    return names


def _wanted(name: str, prefixes: tuple[str, ...]) -> bool:
    return bool(
        name.startswith(("distrogate_", *prefixes))
        and _NAME.fullmatch(name)
        and not _OF_A_RUN.fullmatch(name)
    )


def collect(variables: Variables, loader: t.Any, stages: t.Iterable[t.Any]) -> dict[str, t.Any]:
    """By name, what each ``distrogate_*`` variable and each setting of the stages is on this controller.

    A variable that cannot be told before its stage begins is left out. So are secrets: in their
    place stands a note.
    """
    names = flat(stages)
    defaults: dict[str, t.Any] = {}
    for stage in names:
        defaults.update(defaults_of(stage, loader))
    everything = {**defaults, **variables}
    prefixes = tuple(f"{stage.rpartition('.')[2]}_" for stage in names)
    templar = Templar(loader=loader, variables=everything)
    secrets = Secrets(variables, templar.template)
    found: dict[str, t.Any] = {}
    for name in sorted(name for name in everything if _wanted(str(name), prefixes)):
        if vaulted(everything[name]):
            found[name] = ABSENT
            continue
        try:
            found[name] = secrets.masked(name, _plain(templar.template(everything[name])))
        except (AnsibleError, _NotPlainError, ValueError, TypeError, KeyError):
            continue
    return found
