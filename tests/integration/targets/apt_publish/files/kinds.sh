#!/usr/bin/env bash
# Makes packages of several kinds and architectures in $1/kinds.
set -euo pipefail
mkdir -p "$1/kinds" "$1/build"
cd "$1/build"

binary() { # name architecture suffix [field…]
    mkdir -p "$1-$2/DEBIAN" "$1-$2/usr/share/$1"
    printf '%s\n' "Package: $1" 'Version: 1:1.0-1' "Architecture: $2" 'Maintainer: Test <test@example.org>' \
        'Description: test' "${@:4}" >"$1-$2/DEBIAN/control"
    echo "$1" >"$1-$2/usr/share/$1/text"
    dpkg-deb --root-owner-group --build "$1-$2" "../kinds/$1_1.0-1_$2.$3" >/dev/null
}
binary tool amd64 deb 'Section: admin'
binary tool arm64 deb 'Section: admin'
binary tool-data all deb
binary tool-dbgsym amd64 ddeb 'Section: debug' 'Auto-Built-Package: debug-symbols'
binary tool-udeb amd64 udeb 'Section: debian-installer' 'Package-Type: udeb'

mkdir -p tool-1.0/debian/source
echo '3.0 (quilt)' >tool-1.0/debian/source/format
printf 'Source: tool\nMaintainer: Test <test@example.org>\n\nPackage: tool\nArchitecture: any\nDescription: test\n' \
    >tool-1.0/debian/control
printf 'tool (1:1.0-1) unstable; urgency=low\n\n  * Test.\n\n -- Test <test@example.org>  %s\n' \
    'Thu, 01 Jan 2026 00:00:00 +0000' >tool-1.0/debian/changelog
printf '#!/usr/bin/make -f\n' >tool-1.0/debian/rules
tar --exclude=debian -caf tool_1.0.orig.tar.xz tool-1.0
dpkg-source --build tool-1.0 >/dev/null 2>&1
mv tool_1.0* ../kinds/
