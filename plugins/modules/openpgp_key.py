#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: openpgp_key
short_description: Have an OpenPGP key that signs repositories
version_added: 0.1.0
description:
  - Makes an Ed25519 signing key without a passphrase in a GnuPG home folder, unless there is one for the
    user id.
  - A site that keeps its keys elsewhere (a smart card, an agent) sets C(signing_key) and C(gnupg_home) and
    does not need this.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  gnupg_home:
    description: The GnuPG home folder. It is made, readable for its owner alone.
    type: path
    required: true
  user_id:
    description: Whose key it is, as users are going to see it.
    type: str
    required: true
  fingerprint_file:
    description: A file to write the fingerprint to, for those who have to name the key.
    type: path
  public_key_file:
    description: A file to write the public key to, armored, for those who check signatures.
    type: path
"""

EXAMPLES = r"""
---
- name: Have a release key
  distrogate.ci.openpgp_key:
    gnupg_home: /srv/distrogate/keys/gnupg
    user_id: Example release key <release@example.org>
"""

RETURN = r"""
---
fingerprint:
  description: The key's fingerprint; empty when check mode would make one.
  returned: success
  type: str
"""

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._openpgp import (
    export,
    find_key,
    make_key,
    remember,
)


def main() -> None:
    spec = {
        "gnupg_home": {"type": "path", "required": True},
        "user_id": {"type": "str", "required": True},
        "fingerprint_file": {"type": "path"},
        "public_key_file": {"type": "path"},
    }
    with module_call(spec) as call:
        home, user = call.params["gnupg_home"], call.params["user_id"]
        before = find_key(home, user) if os.path.isdir(home) else ""
        after = before
        if not before and not call.check_mode:
            after = make_key(home, user)
        call.difference.add("key", before or None, after or "a new one")
        path = call.params["fingerprint_file"]
        if path and remember(path, after, write=not call.check_mode):
            call.difference.add("fingerprint_file", None, path)
        path = call.params["public_key_file"]
        if path and export(path, home, after, write=not call.check_mode):
            call.difference.add("public_key_file", None, path)
        call.result["fingerprint"] = after


if __name__ == "__main__":
    main()
