# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Without a key that can sign nothing is written; what was signed stays as it is."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.tests.faults.errors import told
from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository

# gpg is not found: the calls that would start it fail so, wherever PATH says that it may be.
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NO_GPG = (
    *("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=execve", "-e", "inject=execve:error=ENOENT"),
    *(part for folder in _FOLDERS for part in ("-P", f"{folder}/gpg")),
)
_USER = "Other <other@example.org>"
_BATCH = ("gpg", "--batch", "--pinentry-mode", "loopback")


def tree(root: pathlib.Path) -> dict[str, t.Any]:
    """Everything about every file and folder that a reader or a backup would notice."""
    found: dict[str, t.Any] = {}
    for path in [root, *root.rglob("*")] if root.exists() else []:
        status = path.lstat()
        what = (
            os.readlink(path) if path.is_symlink() else sha256_file(str(path)) if path.is_file() else "folder"
        )
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, what)
    return found


def public(found: dict[str, t.Any]) -> dict[str, t.Any]:
    """The part of ``tree`` that readers see: all files, with their inodes."""
    return {name: what for name, what in found.items() if what[3] != "folder" and ".distrogate" not in name}


@pytest.fixture
def home(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """An empty GnuPG home."""
    folder = tmp_path / "gnupg"
    folder.mkdir(mode=0o700)
    yield folder
    end_agent(tmp_path)


def gpg(home: pathlib.Path, *arguments: str) -> str:
    argv = [_BATCH[0], "--homedir", str(home), *_BATCH[1:], *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def fingerprint(home: pathlib.Path) -> str:
    listing = gpg(home, "--with-colons", "--list-keys")
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def new_key(home: pathlib.Path, *options: str, phrase: str = "", expires: str = "never") -> str:
    gpg(home, *options, "--passphrase", phrase, "--quick-generate-key", _USER, "ed25519", "sign", expires)
    return fingerprint(home)


def no_such_key(_home: pathlib.Path) -> str:
    return "0123456789ABCDEF0123456789ABCDEF01234567"


def no_fingerprint(_home: pathlib.Path) -> str:
    return "release@example.org"


def no_home(home: pathlib.Path) -> str:
    key = new_key(home)
    end_agent(home.parent)
    shutil.rmtree(home)
    return key


def no_secret(home: pathlib.Path) -> str:
    key = new_key(home)
    gpg(home, "--yes", "--delete-secret-keys", key)
    return key


def expired(home: pathlib.Path) -> str:
    return new_key(home, "--faked-system-time", "20200101T000000", expires="1d")


def revoked(home: pathlib.Path) -> str:
    key = new_key(home)
    certificate = (home / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----", "-----")
    (home / "revoked").write_text(certificate)
    gpg(home, "--import", str(home / "revoked"))
    return key


def locked(home: pathlib.Path) -> str:
    """Its passphrase is not known to anyone; a new agent remembers none."""
    key = new_key(home, phrase="secret")
    end_agent(home.parent)
    return key


def refused(
    repository: Repository, home: pathlib.Path, key: str, reasons: t.Sequence[str] = ("no_signing_key",)
) -> None:
    repository.options.update(signing_key=key, gnupg_home=str(home), allow_key_change=True)
    done = repository.run()
    assert done.status
    told(done)
    assert done.result["reason"] in reasons
    assert repository.look() == repository.before


@pytest.mark.parametrize("spoil", [no_such_key, no_fingerprint, no_home, no_secret, expired, revoked])
def test_a_useless_key_changes_nothing(
    repository: Repository, home: pathlib.Path, spoil: t.Callable[[pathlib.Path], str]
) -> None:
    key = spoil(home)
    for operation in ("new", "add", "remove"):
        repository.reset(operation)
        before = tree(repository.root)
        refused(repository, home, key)
        assert tree(repository.root) == before


@pytest.mark.parametrize("repository", ["apt"], indirect=True)
def test_a_key_that_will_not_sign_changes_nothing_public(repository: Repository, home: pathlib.Path) -> None:
    """Whether a passphrase is needed shows when something is to be signed."""
    key = locked(home)
    repository.reset("add")
    own = repository.arguments()["gnupg_home"]
    before = tree(repository.root)
    refused(repository, home, key, ("no_signing_key", "command_failed"))
    assert public(tree(repository.root)) == public(before)
    repository.options["signing_key"], repository.options["gnupg_home"] = repository.key, own
    repository.call()
    assert repository.look() == repository.after


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_no_gpg_changes_nothing(repository: Repository) -> None:
    for operation in ("new", "add", "remove"):
        repository.reset(operation)
        before = tree(repository.root)
        done = repository.run(*_NO_GPG)
        assert done.status
        told(done)
        assert done.result["reason"] == "missing_tool" and "gpg" in done.result["msg"]
        assert tree(repository.root) == before
    repository.survived(done)


def test_no_key_for_a_new_repository(repository: Repository) -> None:
    repository.reset("new")
    repository.options["signing_key"] = None
    done = repository.run()
    assert done.result["reason"] == "no_signing_key"
    assert not repository.root.exists()


def test_the_key_of_the_repository_is_the_default(repository: Repository) -> None:
    """A next run that names no key signs with the one of before: never an unsigned state."""
    repository.reset("add")
    repository.options["signing_key"] = None
    repository.call()
    assert repository.look() == repository.after
    repository.at_rest()
    repository.client(repository.after, at_rest=True)
