# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One initial ram disk for a new kernel instead of two, each of which costs half a minute.

Where apt installs a kernel together with initramfs-tools, the kernel's script makes the initial ram disk
and a trigger makes the same one again. While an image is built, a program stands before update-initramfs
in the PATH that apt gives to dpkg: it leaves an update out when no file has changed since the last one
was begun that it could read.
"""

from __future__ import annotations

_FOLDER = "/usr/local/lib/distrogate"
_SEEN = "/var/cache/distrogate"
_APT = "/etc/apt/apt.conf.d/zz-distrogate"
# apt's own value behind our folder, see apt.conf(5).
_PATH = f"{_FOLDER}:/usr/sbin:/usr/bin:/sbin:/bin"
_SETTING = f"printf 'DPkg::Path \"%s\";\\n' {_PATH}"
_TEXT = "distrogate-update-initramfs"  # the program as a file of the element

# A file's ctime cannot be set back, and a folder has a new one when something in it goes or comes. What is
# left out here is written by dpkg itself, or gone when the image starts. Another trigger, which is often run
# between the two, has ldconfig write its cache anew: that is done before the first, and told by its contents.
_UPDATE = """\
#!/bin/sh
# Stands before the system's update-initramfs where apt runs dpkg, while an image is built.
root=@ROOT@
real=$root/usr/sbin/update-initramfs seen=$root@SEEN@
state() {
  ls -A "$root/etc"
  [ ! -e "$root/etc/ld.so.cache" ] || cat "$root/etc/ld.so.cache"
}
unchanged() {
  for image in "$root"/boot/initrd.img-*; do
    begun="$seen/${image##*/}.begun" ended="$seen/${image##*/}.ended"
    [ -e "$ended" ] || return 1
    newer=$(find "${root:-/}" -xdev \\
      \\( -path "$root/proc" -o -path "$root/sys" -o -path "$root/dev" -o -path "$root/run" \\
      -o -path "$root/tmp" -o -path "$root/var/tmp" -o -path "$root/var/cache" -o -path "$root/var/log" \\
      -o -path "$root/var/lib/apt" -o -path "$root/var/lib/dpkg" -o -path "$root/boot" \\) -prune \\
      -o ! -path "$root/etc" ! -path "$root/etc/ld.so.cache" -cnewer "$begun" -print -quit) || return 1
    [ -z "$newer" ] || return 1
    state | cmp -s - "$begun" || return 1
    newer=$(find "$image" "$root/boot/config-${image##*/initrd.img-}" -cnewer "$ended" 2>&1) || return 1
    [ -z "$newer" ] || return 1
  done
}
case "$*" in
  -u)  # of a package's script this only asks for the trigger
    if [ -z "$DPKG_MAINTSCRIPT_PACKAGE" ] && unchanged; then
      echo "update-initramfs: nothing has changed since the last one was made"
      exit 0
    fi ;;
  "-c -k $3 -b $root/boot")
    mkdir -p "$seen"
    rm -f "$seen/initrd.img-$3.ended"
    [ ! -x "$root/sbin/ldconfig" ] || "$root/sbin/ldconfig"
    state > "$seen/initrd.img-$3.begun"
    "$real" "$@" || exit
    : > "$seen/initrd.img-$3.ended"
    exit ;;
esac
exec "$real" "$@"
"""

_INSTALL = f"""\
#!/bin/bash
# Before the first package comes in by apt; a cached layer has it already.
set -eu
[ -d "$TARGET_ROOT/etc/apt/apt.conf.d" ] && [ "$DISTROGATE_LAYER" != restore ] || exit 0
mkdir -p "$TARGET_ROOT{_FOLDER}"
install -m 755 "$TMP_HOOKS_PATH/{_TEXT}" "$TARGET_ROOT{_FOLDER}/update-initramfs"
{_SETTING} > "$TARGET_ROOT{_APT}"
"""


def update_initramfs(root: str = "") -> str:
    """The program, for a system whose files are below ``root``."""
    return _UPDATE.replace("@ROOT@", root).replace("@SEEN@", _SEEN)


def removal(root: str) -> str:
    """A command of the shell that takes all of it away; ``root`` is written as the shell sees it."""
    return f'rm -rf "{root}{_FOLDER}" "{root}{_SEEN}" "{root}{_APT}"'


def element_files() -> dict[str, str]:
    """What our element of diskimage-builder has for that."""
    return {_TEXT: update_initramfs(), "root.d/60-distrogate-initramfs": _INSTALL}


def essential_hook() -> str:
    """What mmdebstrap runs for that before it installs more than the essential packages."""
    return f"""\
set -eu
mkdir -p "$1{_FOLDER}"
cat > "$1{_FOLDER}/update-initramfs" << 'END'
{update_initramfs()}END
chmod 755 "$1{_FOLDER}/update-initramfs"
{_SETTING} > "$1{_APT}"
"""
