# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which plugins find the archive of bundles, and whose statements they believe."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.archive``: the option ``archive``; ``.signers``."""

    DOCUMENTATION = r"""
options:
  archive:
    description:
      - A folder on the controller with every bundle that was sealed with this option, and every statement
        about it. Files in it are written once and never changed.
      - C(.distrogate) in it is an index, made from these files. It can be removed at any time.
      - If not set, the environment variable E(DISTROGATE_ARCHIVE) of the controller is used.
    type: path
"""

    SIGNERS = r"""
options:
  signers:
    description:
      - Files on the controller with public keys in PEM form. Statements that they verify are believed, beside
        those of the keys that the store knows since they sealed a bundle. Name the key here that signs
        promotions, if it is another one.
      - A statement of nobody who is known is not believed.
    type: list
    elements: str
    default: []
"""
