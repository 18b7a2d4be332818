#!/usr/bin/env bash
# Starts an SSH server for this user alone, in the directory $1; prints its port.
set -euo pipefail
cd "$1"
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host_key
ssh-keygen -q -t ed25519 -N '' -f user_key
cp user_key.pub authorized_keys
chmod 600 authorized_keys
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sftp=$(ls /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server 2>/dev/null || true)
cat >sshd_config <<CONFIG
ListenAddress 127.0.0.1
Port $port
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized_keys
PidFile $PWD/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp $sftp
CONFIG
"$(command -v sshd)" -f "$PWD/sshd_config" -E "$PWD/sshd.log"
echo "$port"
