# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A queue file on the controller, as YAML or JSON: every scalar is text, and nothing is executed."""

from __future__ import annotations

import json
import typing as t

import yaml

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_LIMIT = 4 << 20


def read_queue_file(path: str) -> t.Any:
    """Its contents. A branch 2026.10 stays what it is: no scalar becomes a number or a date."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise DistrogateError(
            "no_queue", f"queue_file {path} cannot be read on the controller: {error.strerror}."
        ) from error
    if len(data) > _LIMIT:
        raise DistrogateError(
            "long_queue", f"queue_file {path} has more than {_LIMIT} bytes; it was not read."
        )
    try:
        text = data.decode("utf-8")
        if text.lstrip()[:1] in ("{", "["):
            return json.loads(text, parse_float=str, parse_int=str)
        return yaml.BaseLoader(text).get_single_data()  # it knows text, lists and dictionaries alone
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise DistrogateError(
            "bad_queue", f"queue_file {path} is neither YAML nor JSON: {str(error)[:300]}"
        ) from error
