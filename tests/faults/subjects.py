# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that publish, each with a reader that compares all digests."""

from __future__ import annotations

from ansible_collections.distrogate.ci.tests.faults.files import Files
from ansible_collections.distrogate.ci.tests.faults.kill import Subject
from ansible_collections.distrogate.ci.tests.faults.mirrors import Daemons, Mirrors
from ansible_collections.distrogate.ci.tests.faults.repositories import Apt, Repository, Rpm
from ansible_collections.distrogate.ci.tests.faults.tags import Tags

REPOSITORIES: dict[str, type[Repository]] = {"apt": Apt, "rpm": Rpm}
SUBJECTS: dict[str, type[Subject]] = {
    **REPOSITORIES,
    "files": Files,
    "mirrors": Mirrors,
    "mirror daemons": Daemons,
    "tags": Tags,
}
