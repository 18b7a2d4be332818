# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets that lie under a key, and the signature of their SHA256SUMS."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import Files

KEY, OTHER = "a" * 64, "b" * 64
Keys = tuple[str, list[str]]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Keys]:
    """A GnuPG home with two keys."""
    home = str(tmp_path_factory.mktemp("gnupg"))
    gpg = ["gpg", "--homedir", home, "--batch", "--passphrase", ""]
    for name in ("one@example.org", "two@example.org"):
        subprocess.run([*gpg, "--quick-gen-key", name, "ed25519", "sign"], check=True, capture_output=True)
    listed = subprocess.run([*gpg, "--with-colons", "-K"], check=True, capture_output=True, text=True).stdout
    yield home, [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")]
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def signers(folder: pathlib.Path, home: str) -> list[str]:
    """Whose signature a user finds right."""
    argv = ["gpg", "--homedir", home, "--status-fd", "1", "--verify", "SHA256SUMS.asc", "SHA256SUMS"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return [line.split()[2] for line in done.stdout.splitlines() if "VALIDSIG" in line]


def test_a_set_lies_under_its_key(files: Files) -> None:
    image = files.artifact("a.qcow2", "one")
    predicted = files(image, key=f"sha256:{KEY}", check=True)
    assert files(image, key=f"sha256:{KEY}") == predicted
    assert predicted["state_digest"] == f"sha256:{KEY}"
    assert files.read(named=KEY) == {"a.qcow2": "one"}
    files(image, key=KEY)
    assert not files.changed
    files(files.artifact("a.qcow2", "two", key=OTHER))  # as a bundle's artifacts carry it
    assert files.read(named=OTHER) == {"a.qcow2": "two"}
    assert files.read("latest.previous", named=KEY) == {"a.qcow2": "one"}


def test_artifacts_of_several_keys_are_a_set_of_their_own(files: Files) -> None:
    files(files.artifact("a.img", "a", key=KEY), files.artifact("b.img", "b", key=OTHER))
    assert files.read() == {"a.img": "a", "b.img": "b"}  # named by its digest


def test_what_lies_under_a_key_never_becomes_something_else(files: Files) -> None:
    files(files.artifact("a.qcow2", "one"), key=KEY)
    for check in (True, False):
        with pytest.raises(DistrogateError, match="built twice by one key differs") as caught:
            files(files.artifact("a.qcow2", "another"), key=KEY, check=check)
        assert caught.value.reason == "key_taken"
    assert files.read(named=KEY) == {"a.qcow2": "one"}


@pytest.mark.parametrize("key", ["../../etc", "A" * 64, "a" * 63, "latest", "sha512:" + "a" * 64])
def test_a_key_is_no_path(files: Files, key: str) -> None:
    for asked in ({"key": key}, {}):
        image = files.artifact("a.img", "one", **({} if asked else {"key": key}))
        with pytest.raises(DistrogateError) as caught:
            files(image, **asked)
        assert caught.value.reason == "bad_name"


def test_checksums_are_signed_as_predicted_and_once(files: Files, keys: Keys) -> None:
    home, (one, two) = keys
    image = files.artifact("a.img", "one")
    options = {"signing_key": one, "gnupg_home": home}
    files(image, check=True, **options)
    expected = files.difference
    files(image, **options)
    assert files.difference == expected and "SHA256SUMS.asc" in expected["before"]["missing_files"]
    assert signers(files.base / "latest", home) == [one]
    files(image, **options)
    assert not files.changed
    files(image)  # who does not sign leaves it as it is
    assert not files.changed and signers(files.base / "latest", home) == [one]
    files(image, signing_key=two, gnupg_home=home)
    assert files.changed and signers(files.base / "latest", home) == [two]


def test_a_set_without_a_signature_or_with_a_damaged_one_gets_it(files: Files, keys: Keys) -> None:
    home, (one, _two) = keys
    image = files.artifact("a.img", "one")
    files(image)
    signature = files.base / "latest" / "SHA256SUMS.asc"
    assert not signature.exists()
    files(image, signing_key=one, gnupg_home=home, incoming=None)
    assert files.difference["before"]["missing_files"] == ["SHA256SUMS.asc"]
    signature.chmod(0o644)
    signature.write_text("damaged")
    files(image, signing_key=one, gnupg_home=home, incoming=None)
    assert files.changed and signers(files.base / "latest", home) == [one]


def test_a_signature_goes_with_its_set(files: Files, keys: Keys) -> None:
    home, (one, _two) = keys
    for name in "abc":
        image = files.artifact(f"{name}.img", name)
        files(image, signing_key=one, gnupg_home=home, keep=0, key=KEY if name == "a" else None)
    assert not (files.base / KEY).exists() and len(files.sets()) == 2


def test_without_the_key_nothing_is_published(files: Files, keys: Keys) -> None:
    image = files.artifact("a.img", "one")
    for check in (True, False):
        with pytest.raises(DistrogateError) as caught:
            files(image, signing_key="0" * 40, gnupg_home=keys[0], check=check)
        assert caught.value.reason == "no_signing_key"
    assert not (files.base / "latest").exists()


def test_a_link_instead_of_a_signature(files: Files, keys: Keys, tmp_path: pathlib.Path) -> None:
    image = files.artifact("a.img", "one")
    files(image)
    (files.base / "latest" / "SHA256SUMS.asc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DistrogateError) as caught:
        files(image, signing_key=keys[1][0], gnupg_home=keys[0])
    assert caught.value.reason == "in_the_way" and not (tmp_path / "elsewhere").exists()
