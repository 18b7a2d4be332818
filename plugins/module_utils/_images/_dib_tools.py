# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small programs that let diskimage-builder run without the host's root.

Inside a build place it is root of a user namespace: there it may mount and
change users, but there is no second sysfs, no device can be made, no loop
device set up. These programs stand before the system's own in PATH. A further
element takes the place of diskimage-builder's block device: the root stays a
folder, of which the image's formats are made afterwards.
"""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_layers import FOLDER

BUILD = "/build"  # where the place's folder is seen by the build: the same path every time
TOOLS = f"{BUILD}/tools"
ROOT = f"{BUILD}/root"  # what becomes the image
ELEMENT = "distrogate"
PATH = f"{TOOLS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LABEL = "root"  # as formats are made
_TAR = "tar --numeric-owner --xattrs '--xattrs-include=*' --acls"

_SUDO = f"""\
#!/bin/bash
# Root already: the command gets a new environment, as sudo gives it, or with -E this one.
keep=
while [ $# -gt 0 ]; do
  case "$1" in
    -E|--preserve-env*) keep=1; shift ;;
    -u|-g) shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
done
export PATH={PATH}
# What a layer holds already is not done again.
case "${{!#}}" in
  "/tmp/in_target.d/dib-run-parts /tmp/in_target.d/"*) . {TOOLS}/layer ;;
esac
[ -n "$keep" ] && exec env -- "$@"
exec env -i PATH="$PATH" HOME="$HOME" TERM=dumb LC_ALL=C USER=root LOGNAME=root SHELL=/bin/bash \\
  SUDO_USER=root SUDO_UID=0 SUDO_GID=0 ${{SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH}} "$@"
"""

# Sourced where a phase is about to run in the root ("$@" is the command): records or skips.
_LAYER = f"""\
phase="${{!#}}"
phase="${{phase##*/}}"
if [ "$DISTROGATE_LAYER" = restore ]; then
  case "$phase" in pre-install.d|install.d) echo "The phase $phase is in the cached layer."; exit 0 ;; esac
fi
if [ "$DISTROGATE_LAYER" = record ] && [ "$phase" = install.d ]; then
  env -- "$@" || exit
  # What was mounted for later phases would be missing where the layer is used.
  others=$(awk -v root="$TMP_MOUNT_PATH/" 'index($2, root) == 1 {{ print substr($2, length(root)) }}' \
    /proc/self/mounts | grep -Ev '^/(proc|dev|sys|tmp/in_target.d|var/cache/apt/archives)(/|$)' |
    grep -Ev '^{FOLDER}(/|$)')
  if [ -n "$others" ]; then
    echo "No layer is kept: elements have mounted $others."
    exit 0
  fi
  # Bound alone, the root is seen without what is mounted in it. One file is written in a tenth of the time of
  # so many. It has to be on disk before the layer is kept, which need not wait for the end of the build.
  mkdir {BUILD}/bare && /bin/mount --bind "$TMP_MOUNT_PATH" {BUILD}/bare &&
    {_TAR} --create --format=posix --sparse --exclude=./tmp/in_target.d --file={BUILD}/layer/root.tar \
      -C {BUILD}/bare . && /bin/umount {BUILD}/bare &&
    {_TAR} --create --format=posix --file={BUILD}/layer/hooks.tar -C "$TMP_HOOKS_PATH" . &&
    : > {BUILD}/layer/complete || rm -rf {BUILD}/layer/*
  /bin/sync --data {BUILD}/layer/* > /dev/null 2>&1 &
  exit 0
fi
"""

_RESTORE = f"""\
#!/bin/bash
# Begins with the cached layer, and leaves nothing to do for the phases that it holds.
set -eu
[ "$DISTROGATE_LAYER" = restore ] || exit 0
{_TAR} --extract --file=/layer/root.tar -C "$TARGET_ROOT"
# The build's own resolv.conf is in the layer; diskimage-builder is about to put the image's aside again.
rm -f "$TARGET_ROOT/etc/resolv.conf"
if [ -L "$TARGET_ROOT/etc/resolv.conf.ORIG" ] || [ -e "$TARGET_ROOT/etc/resolv.conf.ORIG" ]; then
  mv "$TARGET_ROOT/etc/resolv.conf.ORIG" "$TARGET_ROOT/etc/resolv.conf"
fi
{_TAR} --extract --file=/layer/hooks.tar -C "$TMP_HOOKS_PATH"
cp -a --remove-destination /build/elements/distrogate/. "$TMP_HOOKS_PATH/"
for script in "$TMP_HOOKS_PATH"/root.d/* "$TMP_HOOKS_PATH"/extra-data.d/*; do
  case "${{script##*/}}" in *-distrogate*|'*') continue ;; esac
  rm -f "$script"
  printf '#!/bin/sh\\n' > "$script"
  chmod 755 "$script"
done
"""

_MOUNT = """\
#!/bin/bash
# In a user namespace the host's folders are bound whole or not at all, and /sys is one of them.
words=() bind= last="${!#}"
for word in "$@"; do
  case "$word" in
    sysfs) exec /bin/mount --rbind /sys "$last" ;;
    --bind|-B) bind=1 ;;
    /dev|/sys|/proc|/dev/)
      [ -z "$bind" ] || [ "$word" = "$last" ] || exec /bin/mount --rbind "$word" "$last" ;;
  esac
  words+=("$word")
done
exec /bin/mount "${words[@]}"
"""

_UMOUNT = """\
#!/bin/bash
# What was bound whole is left whole, and by force only the host's root may.
words=()
for word in "$@"; do
  case "$word" in
    */mnt/sys/?*|*/mnt/proc/?*) exit 0 ;;
    */mnt/dev/?*) /bin/umount -l "$word" 2> /dev/null; exit 0 ;;
    -*f*) word="${word//f/}"; [ "$word" = - ] && continue ;;
  esac
  words+=("$word")
done
exec /bin/umount -l "${words[@]}"
"""

_MKNOD = """\
#!/bin/bash
# No device can be made here; those of this place are bound instead.
words=()
while [ $# -gt 0 ]; do
  case "$1" in
    -m) shift 2 ;;
    -*) shift ;;
    *) words+=("$1"); shift ;;
  esac
done
name="${words[0]}"
[ "${words[1]}" = p ] && exec /bin/mknod "$name" p
case "${words[1]} ${words[2]} ${words[3]}" in
  "c 1 3") from=/dev/null ;;
  "c 1 5") from=/dev/zero ;;
  "c 1 7") from=/dev/full ;;
  "c 1 8") from=/dev/random ;;
  "c 1 9") from=/dev/urandom ;;
  "c 5 0") from=/dev/tty ;;
  "c 5 1") from=/dev/null ;;
  *) echo "mknod: $name: this device does not exist where images are built" >&2; exit 1 ;;
esac
# Whoever only tries whether it can be done removes it at once, which a mount would prevent.
: > "$name" || exit 1
[ "${name##*/}" = test-dev-null ] || exec /bin/mount --bind "$from" "$name"
"""

_DETACH = f"""\
#!/bin/bash
# Called by diskimage-builder when nothing is mounted in the root: the second time it is complete.
[ -d "$TMP_BUILD_DIR/built" ] && [ -d "$TMP_BUILD_DIR/mnt" ] || exit 0
awk -v root="$TMP_BUILD_DIR/mnt/" 'index($2, root) == 1 {{ print $2 }}' /proc/self/mounts | sort -r |
  xargs --no-run-if-empty --max-args=1 /bin/umount -l
exec mv "$TMP_BUILD_DIR/mnt" {ROOT}
"""

_BLOCK_DEVICE = """\
#!/bin/bash
# Instead of a loop device: the root stays the folder that it is.
set -eu
rm -rf "$TMP_BUILD_DIR/mnt"
mv "$TMP_BUILD_DIR/built" "$TMP_BUILD_DIR/mnt"
mkdir -p "$TMP_BUILD_DIR/built"
mkdir -m 1777 "$TMP_BUILD_DIR/built/tmp"  # what there is to be copied
state="$TMP_BUILD_DIR/states/block-device"
mkdir -p "$state" "$TMP_BUILD_DIR/mnt/etc"
printf '{"blockdev": {"image0": {"image": "/nonexistent", "device": "/nonexistent"}}}' > "$state/state.json"
printf '(lp0\\n.' > "$state/nodes.pickle"
printf 'LABEL=%s / %s defaults 0 1\\n' "$DIB_ROOT_LABEL" "$DIB_ROOT_FSTYPE" > "$TMP_BUILD_DIR/mnt/etc/fstab"
echo IMAGE_BLOCK_DEVICE=/nonexistent
"""

PROGRAMS = {"sudo": _SUDO, "mount": _MOUNT, "umount": _UMOUNT, "mknod": _MKNOD, "detach": _DETACH}
PROGRAMS["layer"] = _LAYER
PROGRAMS["sync"] = (
    "#!/bin/bash\n# Nothing here must outlive a crash: what is kept is made durable afterwards.\n"
)
ELEMENT_FILES = {
    "element-deps": "no-final-image\n",
    "root.d/00-distrogate": _RESTORE,
    "block-device.d/50-distrogate": _BLOCK_DEVICE,
}


def write_files(folder: str, files: dict[str, str]) -> None:
    """Write texts below a folder, executable where they are programs."""
    for name, text in sorted(files.items()):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(path, 0o755 if text.startswith("#!") else 0o644)
