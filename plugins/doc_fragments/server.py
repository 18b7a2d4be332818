# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of plugins that talk to a review or CI server."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.server``: its address, and who we are."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The server's address. A secret is sent over https, or to this machine itself.
    type: str
  user:
    description: The user to log in as.
    type: str
  password:
    description: Its password for HTTP, or its API token.
    type: str
  password_file:
    description: A file on the controller that holds it.
    type: path
  ca_path:
    description: A file with the certificates to trust, instead of the system's.
    type: path
"""
