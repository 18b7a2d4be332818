# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A length of time as a person writes it."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
---
name: seconds
short_description: The seconds of a length of time such as 2h
version_added: 0.1.0
description:
  - Turns a number with V(s), V(m), V(h) or V(d), such as V(90m), V(2h) or V(1d), into seconds. An
    empty one is 0.
  - Refuses everything else, and what is longer than 30 days.
author:
  - distrogate.ci maintainers (@distrogate)
positional: name
options:
  _input:
    description: The length of time.
    type: str
    required: true
  name:
    description: What it is the value of, for the message of an error.
    type: str
    default: the value
"""

EXAMPLES = r"""
---
ttl: "{{ hold | distrogate.ci.seconds('hold') }}"  # 7200, with -e hold=2h
"""

RETURN = r"""
---
_value:
  description: The seconds.
  type: int
"""

_LENGTH = re.compile(r"([1-9][0-9]{0,7})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 30 * 86400


def seconds(text: t.Any, name: str = "the value") -> int:
    """See the documentation above."""
    if text in ("", None):
        return 0
    found = _LENGTH.fullmatch(str(text))
    length = int(found.group(1)) * _UNITS[found.group(2)] if found else 0
    if not 0 < length <= _LONGEST:
        raise AnsibleFilterError(
            f"{name}={str(text)[:40]!r} is no length of time: give a number with s, m, h or d, such as"
            " 90m, 2h or 1d, at most 30d."
        )
    return length


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file, by name."""
        return {"seconds": seconds}
