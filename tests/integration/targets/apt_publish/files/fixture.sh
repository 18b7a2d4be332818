#!/usr/bin/env bash
# Makes a key and a few small packages in the directory $1; prints the key's fingerprint.
set -euo pipefail
cd "$1"
mkdir -m 700 gnupg
gpg --homedir gnupg --batch --quiet --passphrase '' --quick-gen-key 'Test <test@example.org>' ed25519 sign never

package() { # directory name version text compression
    mkdir -p "build/$1/DEBIAN" "build/$1/usr/share/doc/$2" "incoming/$1"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: %s\n' \
        "$2" "$3" "$4" >"build/$1/DEBIAN/control"
    echo "$4" >"build/$1/usr/share/doc/$2/text"
    dpkg-deb --root-owner-group "-Z$5" --build "build/$1" "incoming/$1/$2_$3_all.deb" >/dev/null
}
package first hello 1.0-1 first xz
package second hello 1.1-1 second gzip
package other hello 1.0-1 'other contents' none
package glance glance 1:2.0-1 glance xz
echo 'not a package' >incoming/broken.deb
gpg --homedir gnupg --batch --with-colons --list-secret-keys | awk -F: '$1 == "fpr" { print $10; exit }'
