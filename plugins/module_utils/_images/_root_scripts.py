# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a root filesystem inside a build place. Constant shell programs: values are arguments.

``$1`` is always the tree. The mounts made here end with their run's namespace.
"""

from __future__ import annotations

STALE = 75  # status of PREPARE: the distribution has moved on since the tree was made
LAYER = "/layer"  # where a build sees the layer that it begins with

# Before each of them: what this build changes is laid over the layer, or is the whole tree when there is
# none. A kernel that cannot do that without the host's root has the layer copied once.
OPEN = f"""\
set -eu
mkdir -p "$1"
cd "${{1%/*}}"
mkdir -p upper merge
if [ ! -d {LAYER} ] || [ -e whole ] || ! mount -t overlay \\
  -o userxattr,lowerdir={LAYER},upperdir=upper,workdir=merge overlay root 2> /dev/null; then
  if [ -d {LAYER} ] && [ ! -e whole ]; then cp -a --reflink=auto {LAYER}/. upper/; fi
  : > whole
  mount --bind upper root
fi
cd /
"""

# Hooks of mmdebstrap. dpkg need not sync each file: what is made is synced before it appears, or made anew.
FAST = 'printf "force-unsafe-io\\n" > "$1/etc/dpkg/dpkg.cfg.d/zz-build"'
FAST_NO_MORE = 'rm -f "$1/etc/dpkg/dpkg.cfg.d/zz-build"'
# As mmdebstrap itself calls apt, which stays outside: inside there may be neither its keys nor TLS.
MORE = """\
set -eu
root=$1
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
apt() {
  apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dir::Bin::dpkg=env \\
    -o DPkg::Options::=--unset=TMPDIR -o DPkg::Options::=dpkg -o DPkg::Chroot-Directory="$root" "$@"
}
apt -o APT::Update::Error-Mode=any update
"""
# CLEAN removes the host's keys: openssh-server makes no key that is there, and a new one costs a second.
NO_KEYS = """\
mkdir -p "$1/etc/ssh"
cd "$1/etc/ssh"
touch ssh_host_rsa_key ssh_host_ecdsa_key ssh_host_ed25519_key
"""
# What apt knows of the distribution stays, as apt inside will look for it.
SLOW = """\
set -eu
rm -f "$1/etc/dpkg/dpkg.cfg.d/zz-build" "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin
env -u APT_CONFIG -u TMPDIR chroot "$1" apt-cache gencaches > /dev/null
"""

# Packages are configured in a tree of its own, and nothing of it is started.
_ENTER = """\
set -eu
root=$1 given=$2 action=$3; shift 3
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
if [ -d /run/distrogate ]; then
  mkdir -p "$root/run/distrogate"
  mount --rbind /run/distrogate "$root/run/distrogate"
fi
cat /etc/resolv.conf > "$root/etc/resolv.conf" || :
# The given repositories, and what the distribution is when the tree itself does not say so.
parts=/etc/apt/sources.list.d main=/etc/apt/sources.list
if [ -e "$given/mirror.sources" ]; then
  parts=/etc/apt/distrogate.d main=/dev/null
fi
mkdir -p "$root$parts"
for file in "$given"/*.sources; do
  [ ! -e "$file" ] || cp -- "$file" "$root$parts/"
done
sources="-o Dir::Etc::SourceList=$main -o Dir::Etc::SourceParts=$parts"
apt() {
  chroot "$root" apt-get $sources -q -y --allow-downgrades --no-install-recommends \\
    -o Acquire::Languages=none -o Acquire::Retries=2 -o Dpkg::Use-Pty=0 \\
    -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold "$@"
}
"""

# Arguments: tree, folder of sources, apt's word, archives kept by their digests, file for the list of
# archives, how to update ("same": as the tree has it, else STALE; "yes": whatever there is), packages.
PREPARE = (
    _ENTER
    + """\
kept=$1 list=$2 update=$3; shift 3
releases=
if [ "$update" = same ]; then
  releases=$(cd "$root/var/lib/apt/lists" && sha256sum -- *Release 2> /dev/null) || :
fi
apt -o APT::Update::Error-Mode=any update
if [ -n "$releases" ] && ! (cd "$root/var/lib/apt/lists" && echo "$releases" | sha256sum -c --status); then
  exit 75
fi
number=0
while [ -e "$root$parts/distrogate-$number.sources" ]; do
  entry='$(SOURCESENTRY) $(FILENAME)'
  chroot "$root" apt-get $sources indextargets --format "$entry" 'Created-By: Packages' \\
    | awk -v own="/distrogate-$number.sources:" 'index($1, own) { print $2 }' | while read -r one; do
      chroot "$root" /usr/lib/apt/apt-helper cat-file "$one"
      echo
    done | awk -v priority="$((1999 - number))" '
      /^Package:/ { name = $2 }
      /^Version:/ { print "Package: " name "\\nPin: version " $2 "\\nPin-Priority: " priority "\\n" }
    ' > "$root/etc/apt/preferences.d/distrogate-$number.pref"
  number=$((number + 1))
done
apt --print-uris -o Acquire::ForceHash=SHA256 "$action" "$@" \\
  | sed -n "s/^'.*' \\([^ /]*\\.deb\\) [0-9]* SHA256:\\([0-9a-f]*\\)$/\\2 \\1/p" > "$list"
mkdir -p "$root/var/cache/apt/archives"
while read -r digest name; do
  if [ -e "$kept/$digest" ]; then cp "$kept/$digest" "$root/var/cache/apt/archives/$name"; fi
done < "$list"
"""
)

# Arguments: tree, folder of sources, apt's word, packages. dpkg need not sync: the image is at its end.
INSTALL = (
    _ENTER
    + """\
printf '#!/bin/sh\\nexit 101\\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
apt "$action" "$@"
rm -f "$root/usr/sbin/policy-rc.d"
"""
)

# Arguments: tree, host name. Removes what is of this build alone.
CLEAN = """\
set -eu
root=$1
if [ -d "$root/etc" ]; then
  rm -rf "$root"/etc/apt/sources.list.d/distrogate-* "$root"/etc/apt/preferences.d/distrogate-* \\
    "$root/etc/apt/distrogate.d"
  if [ ! -L "$root/etc/resolv.conf" ]; then : > "$root/etc/resolv.conf"; fi
  rm -f "$root/etc/hostname"
  printf '%s\\n' "$2" > "$root/etc/hostname"
  if [ -e "$root/etc/machine-id" ]; then : > "$root/etc/machine-id"; fi
fi
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \\
  "$root"/var/cache/apt/archives/lock "$root"/var/cache/ldconfig/aux-cache "$root"/var/lib/dbus/machine-id \\
  "$root"/var/log/dpkg.log "$root"/var/log/alternatives.log "$root"/var/log/bootstrap.log \\
  "$root"/var/log/apt/*
# Keys that every copy of an image would share are no secret: each machine makes its own when it boots.
if [ -e "$root/usr/sbin/sshd" ]; then
  rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
  mkdir -p "$root/etc/systemd/system/ssh.service.d"
  printf '%s\\n' '[Service]' ExecStartPre= 'ExecStartPre=/usr/bin/ssh-keygen -A' \\
    'ExecStartPre=/usr/sbin/sshd -t' > "$root/etc/systemd/system/ssh.service.d/host-keys.conf"
fi
for folder in run tmp dev; do
  if [ -d "$root/$folder" ] && [ ! -L "$root/$folder" ]; then
    find "$root/$folder" -mindepth 1 -delete
  fi
done
"""

# Arguments: tree, result's folder, epoch, name, bytes, UUID, beginning of tar files, formats.
FORMATS = """\
set -eu
root=$1 out=$2 epoch=$3 name=$4 size=$5 uuid=$6 begin=$7; shift 7
wanted() { case " $formats " in *" $1 "*) true ;; *) false ;; esac; }
formats=" $* "
export E2FSPROGS_FAKE_TIME="$epoch"
if wanted raw || wanted qcow2 || wanted root; then
  find "$root" -newermt "@$epoch" -print0 | xargs -0 -r touch -h -d "@$epoch" --
fi
if [ -e "$root/var/lib/dpkg/status" ]; then
  dpkg-query --admindir="$root/var/lib/dpkg" -W \\
    -f '${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\\n' > "$out/packages"
fi
if [ -d "$root/boot" ]; then
  kernel=$(ls "$root/boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
  for pair in "vmlinuz-$kernel vmlinuz" "initrd.img-$kernel initrd"; do
    file=$root/boot/${pair% *}
    if [ -n "$kernel" ] && [ -f "$file" ] && [ ! -L "$file" ]; then
      cp -- "$file" "$out/$name.${pair##* }"
      chmod 644 "$out/$name.${pair##* }"
    fi
  done
fi
if wanted tar; then
  cp -- "$begin" "$out/$name.tar"
  tar -c --sort=name --mtime="@$epoch" --clamp-mtime --numeric-owner --one-file-system --format=pax \\
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \\
    --xattrs --xattrs-exclude='system.*' --exclude=./dev --exclude=./lost+found \\
    -C "$root" . >> "$out/$name.tar"
fi
if wanted raw || wanted qcow2; then
  if [ "$size" = 0 ]; then
    size=$(find "$root" -xdev -printf '%s\\n' \\
      | awk '{ blocks += int(($1 + 4095) / 4096) + 0.125 }
        END { printf "%.0f", int(blocks * 1.15 / 256 + 192) * 1048576 }')
  fi
  truncate -s "$size" "$out/$name.raw"
  mke2fs -q -F -t ext4 -L root -U "$uuid" -i 8192 -E "hash_seed=$uuid,root_owner=0:0,lazy_itable_init=0" \\
    -d "$root" "$out/$name.raw"
  # Dates of last access and change, and how much was written, belong to this build alone.
  dumpe2fs "$out/$name.raw" 2> /dev/null | awk -v epoch="$epoch" '
    /^Inode count:/ { count = $3 }
    /Free inodes: / {
      sub(/.*Free inodes: /, "")
      spans = split($0, span, /, */)
      for (i = 1; i <= spans; i++) {
        ends = split(span[i], end, "-")
        for (n = end[1]; n != "" && n <= end[ends] + 0; n++) free[n]
      }
    }
    END {
      print "ssv kbytes_written 0"
      for (n = 1; n <= count; n++)
        if (!(n in free)) print "sif <" n "> atime @" epoch "\\nsif <" n "> ctime @" epoch
    }' > "$out/dates"
  debugfs -w -f "$out/dates" "$out/$name.raw" > /dev/null 2> "$out/said" || { cat "$out/said"; exit 1; }
  tune2fs -e remount-ro "$out/$name.raw" > /dev/null  # also writes the copies of the superblock anew
  rm -f "$out/dates" "$out/said"
fi
if ! wanted root && ! mountpoint -q "$root"; then
  rm -rf -- "$root" &  # while qemu-img writes
fi
if wanted qcow2; then
  qemu-img convert -f raw -O qcow2 "$out/$name.raw" "$out/$name.qcow2"
fi
wait
if ! wanted raw; then rm -f "$out/$name.raw"; fi
if wanted root; then
  if ! mountpoint -q "$root"; then
    mv "$root" "$out/root"
  elif [ -e "${root%/*}/whole" ]; then
    umount "$root"
    mv "${root%/*}/upper" "$out/root"
  else
    cp -a -- "$root" "$out/root"
  fi
fi
"""
