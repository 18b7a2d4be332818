# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the root that diskimage-builder made to an image's files."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _formats

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

# Argument: tree. What is of this build alone goes; devices come from the kernel that boots it.
_TIDY = """\
set -eu
cd "$1"
for name in dev run; do
  [ ! -L "$name" ] || continue
  rm -rf "$name"
  mkdir -m 755 "$name"
done
for name in proc sys; do [ -d "$name" ] || mkdir -m 555 "$name"; done
rm -rf var/cache/apt/*.bin var/cache/ldconfig/aux-cache var/lib/dpkg/*-old var/cache/debconf/*-old
# Keys that every copy of an image would share are no secret: each machine makes its own when it boots.
if [ -n "$(find etc/ssh -maxdepth 1 -name 'ssh_host_*_key' 2> /dev/null)" ]; then
  rm -f etc/ssh/ssh_host_*_key etc/ssh/ssh_host_*_key.pub
  if [ -e usr/sbin/sshd ] && [ ! -e etc/systemd/system/ssh.service.d/host-keys.conf ]; then
    mkdir -p etc/systemd/system/ssh.service.d
    printf '%s\\n' '[Service]' ExecStartPre= 'ExecStartPre=/usr/bin/ssh-keygen -A' \\
      'ExecStartPre=/usr/sbin/sshd -t' > etc/systemd/system/ssh.service.d/host-keys.conf
  fi
fi
rm -f etc/passwd- etc/group- etc/shadow- etc/gshadow- etc/subuid- etc/subgid- var/lib/systemd/random-seed
"""


def collect(request: ImageRequest, place: BuildPlace, epoch: int) -> Built:
    """The formats that were asked for, kernel and packages. Error ``nothing_built``."""
    tree = os.path.join(place.directory, "root")
    if os.path.islink(tree) or not os.path.isdir(tree):
        raise DistrogateError(
            "nothing_built",
            f"disk-image-create ended well and made no root of {request.name}: see {place.log}.",
        )
    place.run(["sh", "-c", _TIDY, "tidy", tree], label="tidy up")
    place.say(f"{request.name}: makes {', '.join(request.formats)}")
    return _formats.make(request, place, tree, epoch)
