#!/usr/bin/env bash
# Makes a second key in $1/gnupg, and $1/keys with the keys that clients trust; prints the new fingerprint.
set -euo pipefail
cd "$1"
mkdir -p keys
gpg --homedir gnupg --armor --export >keys/old.asc
gpg --homedir gnupg --batch --quiet --passphrase '' --quick-gen-key 'Next <test@example.org>' "${2:-ed25519}" sign never
gpg --homedir gnupg --armor --export >keys/both.asc
gpg --homedir gnupg --armor --export Next >keys/new.asc
gpg --homedir gnupg --batch --with-colons --list-secret-keys Next | awk -F: '$1 == "fpr" { print $10; exit }'
