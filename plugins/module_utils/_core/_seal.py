# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of a sealed bundle, which sealing, promotion and publishing must compute alike."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json


def bundle_digest(bundle: t.Mapping[str, t.Any]) -> str:
    """The digest over artifacts (without where they lie) and inputs: nothing else is in it."""
    artifacts = [{key: value for key, value in a.items() if key != "path"} for a in bundle["artifacts"]]
    try:
        return digest_json({"artifacts": artifacts, "inputs": bundle["inputs"]})
    except UnicodeEncodeError as error:
        raise DistrogateError("bad_bundle", f"The bundle holds text that is not Unicode: {error}") from error
