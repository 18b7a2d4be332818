# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of the module apt_publish."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._packages._alias import point
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt import Apt
from ansible_collections.distrogate.ci.plugins.module_utils._packages._publish import Publisher
from ansible_collections.distrogate.ci.plugins.module_utils._packages._spec import COMMON_SPEC, REQUIRED_IF


def apt_publish_options() -> dict[str, t.Any]:
    """``apt_publish``."""
    own = {
        "suite": {"type": "str", "required": True},
        "component": {"type": "str", "default": "main"},
        "architectures": {"type": "list", "elements": "str"},
        "origin": {"type": "str"},
        "valid_for": {"type": "int"},
        "contents": {"type": "bool"},
    }
    return {"argument_spec": {**COMMON_SPEC, **own}, "required_if": REQUIRED_IF}


def publish_apt(call: AnyCall) -> None:
    """Publish into an apt repository, and let its alias name it."""
    call.result = Publisher(call, Apt(call.params), "release_sha256").run()
    point(call)
