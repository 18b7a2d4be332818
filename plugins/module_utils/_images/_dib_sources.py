# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The element of ours in every image: repositories for the build, and what the image is made of."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images import _dib_tools, _initramfs
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_layers import FOLDER, layers

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

FACTS = "etc/distrogate-image.json"  # in the image

# Before the operating system's own apt-get update. In a cached layer all of it is done but the mount.
_REPOSITORIES = f"""\
#!/bin/bash
set -eu
set -o pipefail
if [ ! -x "$TARGET_ROOT/usr/bin/apt-get" ]; then
  echo "This operating system has no apt, so the option repositories is of no use to it. Leave it out."
  exit 1
fi
if [ -d {FOLDER} ]; then
  mkdir -p "$TARGET_ROOT{FOLDER}"
  mount --rbind {FOLDER} "$TARGET_ROOT{FOLDER}"
fi
[ "$DISTROGATE_LAYER" != restore ] || exit 0
mkdir -p "$TARGET_ROOT/etc/apt/sources.list.d" "$TARGET_ROOT/etc/apt/preferences.d"
install -m 644 "$TMP_HOOKS_PATH"/distrogate-*.sources "$TARGET_ROOT/etc/apt/sources.list.d"
chroot "$TARGET_ROOT" apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Languages=none update
for source in "$TMP_HOOKS_PATH"/distrogate-*.sources; do
  number="${{source##*/distrogate-}}"
  number="${{number%.sources}}"
  chroot "$TARGET_ROOT" apt-get indextargets --format '$(SOURCESENTRY) $(FILENAME)' 'Identifier: Packages' |
    awk -v own="/distrogate-$number.sources:" 'index($1, own) {{ print $2 }}' |
    while read -r one; do
      chroot "$TARGET_ROOT" /usr/lib/apt/apt-helper cat-file "$one"
      echo
    done | awk -v priority="$((1999 - number))" '
      /^Package:/ {{ name = $2 }}
      /^Version:/ {{ print "Package: " name "\\nPin: version " $2 "\\nPin-Priority: " priority "\\n" }}
    ' > "$TARGET_ROOT/etc/apt/preferences.d/distrogate-$number.pref"
done
"""

_FACTS = f"""\
#!/bin/bash
set -eu
rm -f "$TARGET_ROOT"/etc/apt/sources.list.d/distrogate-* "$TARGET_ROOT"/etc/apt/preferences.d/distrogate-*
{_initramfs.removal("$TARGET_ROOT")}
mkdir -p "$TARGET_ROOT/etc"
install -m 644 "$TMP_HOOKS_PATH/distrogate-image.json" "$TARGET_ROOT/{FACTS}"
"""


def element_files(request: ImageRequest) -> tuple[dict[str, str], dict[str, str]]:
    """The files of the element, and what of the host the build must see for it (path inside: outside)."""
    commits = {source.project: source.commit for source in request.sources}
    facts = {"version": 1, "name": request.name, "builder": request.builder, "commits": commits}
    files = {
        **_dib_tools.ELEMENT_FILES,
        **_initramfs.element_files(),
        "distrogate-image.json": json.dumps(facts, indent=2, sort_keys=True) + "\n",
        "cleanup.d/98-distrogate": _FACTS,
    }
    texts, binds = layers(request.repositories)
    files.update({f"distrogate-{number}.sources": text for number, text in enumerate(texts)})
    if texts:
        files["root.d/60-distrogate-repositories"] = _REPOSITORIES
    return files, binds
