#!/usr/bin/env bash
# Makes a key and a few small signed packages in the directory $1; prints the key's fingerprint.
set -euo pipefail
cd "$1"
mkdir -m 700 gnupg
gpg --homedir gnupg --batch --quiet --passphrase '' --quick-gen-key 'Test <test@example.org>' rsa2048 sign never
key=$(gpg --homedir gnupg --batch --with-colons --list-secret-keys | awk -F: '$1 == "fpr" { print $10; exit }')

package() { # directory name version text
    mkdir -p "incoming/$1"
    cat >"$1.spec" <<SPEC
Name: $2
Version: $3
Release: 1
Summary: $4
License: GPL
BuildArch: noarch
AutoReqProv: no
%description
$4 & more, with <location href="packages/h/hello-1.0-1.noarch.rpm"/>
%install
mkdir -p %{buildroot}/usr/share/$2
echo "$4" >%{buildroot}/usr/share/$2/text
%files
/usr/share/$2/text
SPEC
    rpmbuild --quiet --define "_topdir $PWD/$1.build" --define "_rpmdir $PWD/incoming/$1" --define "_srcrpmdir $PWD/incoming" \
        --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' -ba "$1.spec" >/dev/null 2>&1
    signed "incoming/$1/"*.rpm
}
signed() {
    GNUPGHOME=$PWD/gnupg rpmsign --define '__gpg /usr/bin/gpg' --define "_gpg_name $key" --addsign "$@" >/dev/null 2>&1
}
package first hello 1.0 first
package second hello 1.1 second
package other hello 1.0 'other contents'
package glance glance 2.0 glance
signed incoming/glance-2.0-1.src.rpm
echo 'not a package' >incoming/broken.rpm
echo "$key"
