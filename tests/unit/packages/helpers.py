# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small packages, a quick signer, and a module's call without a module."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt import Apt
from ansible_collections.distrogate.ci.plugins.module_utils._packages._publish import Publisher

KEY = "0123456789ABCDEF0123456789ABCDEF01234567"


def tar(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def ar(*members: tuple[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, data in members:
        out += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
            + data
            + b"\n" * (len(data) % 2)
        )
    return out


def gz(data: bytes) -> bytes:
    """Without the time: a package made twice has the same contents."""
    return gzip.compress(data, mtime=0)


def deb(
    control: str, suffix: str = ".gz", pack: t.Callable[[bytes], bytes] = gz, body: bytes = b"x"
) -> bytes:
    return ar(
        ("debian-binary", b"2.0\n"),
        (f"control.tar{suffix}", pack(tar("./control", control.encode()))),
        ("data.tar.gz", gz(tar("./usr/share/x", body))),
    )


def control(name: str = "nova", version: str = "1.0-1", architecture: str = "all", more: str = "") -> str:
    return (
        f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: N <n@example.org>\n"
        f"{more}Description: a package\n with a long text\n .\n in it\n"
    )


class QuickSigner:
    """Signs with a digest and its keys' names: the tests of real signatures are the integration targets."""

    def __init__(self, keys: t.Sequence[str] = (KEY,), home: str | None = None) -> None:
        self.fingerprints = list(keys)

    def detached(self, data: bytes) -> bytes:
        return f"{hashlib.sha256(data).hexdigest()} {' '.join(self.fingerprints)}".encode()

    def clear(self, data: bytes) -> bytes:
        return b"SIGNED\n" + data

    def public_key(self) -> str:
        return f"-----BEGIN-----\n\n{' '.join(self.fingerprints)}\n-----END-----\n"


class FakeCall:
    def __init__(self, params: dict[str, t.Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.difference = Difference()


class Suite:
    """An apt repository under test, used as the module uses it."""

    def __init__(self, root: t.Any) -> None:
        self.root = root
        self.changed = False
        self.difference: dict[str, t.Any] = {}

    def parameters(self, *packages: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """The module's options, with their defaults."""
        return {
            **dict.fromkeys(
                ("layers", "gnupg_home", "url", "label", "origin", "architectures", "transaction")
            ),
            **dict.fromkeys(("overlap_key", "overlap_until", "snapshot", "restore", "valid_for", "contents")),
            **dict.fromkeys(("keep_versions", "compression")),
            **dict.fromkeys(("allow_key_change", "allow_downgrade", "hard_link"), False),
            "keep": 5,
            "keep_seconds": 0,
            "keep_snapshots": 0,
            "keep_snapshots_seconds": 0,
            "pinned": [],
            "bundle": None,
            "require_bundle": None,
            "verify": "none",
            "root": str(self.root),
            "suite": "bookworm",
            "component": "main",
            "packages": [str(path) for path in packages],
            "digests": {},
            "signing_key": KEY,
            "state": "present",
            "ttl": 3600,
            "timeout": 0,
            **options,
        }

    def __call__(self, *packages: t.Any, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        params = self.parameters(*packages, **options)
        call = FakeCall(params, check)
        result = Publisher(t.cast(t.Any, call), Apt(params), "release_sha256", QuickSigner).run()
        self.changed = not call.difference.empty
        self.difference = call.difference.as_result()
        return result

    def text(self, name: str) -> str:
        return str((self.root / name).read_text())

    def packages(self, suite: str = "bookworm", index: str = "main/binary-amd64/Packages") -> str:
        """The text of an index, by its fixed name."""
        return gzip.decompress((self.root / f"dists/{suite}/{index}.gz").read_bytes()).decode()

    def indexes(self, base: str = "dists/bookworm") -> dict[str, bytes]:
        """The texts of all indexes that InRelease names, read by hash, with every digest compared."""
        texts: dict[str, bytes] = {}
        entries = {}
        for line in (self.root / base / "InRelease").read_text().partition("SHA256:\n")[2].splitlines():
            digest, size, name = line.split()
            entries[name] = (digest, int(size))
        for name, (digest, size) in entries.items():
            if not name.endswith((".gz", ".xz")):
                continue
            data = ((self.root / base / name).parent / "by-hash/SHA256" / digest).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest
            assert len(data) == size
            text = (gzip if name.endswith(".gz") else lzma).decompress(data)
            assert (hashlib.sha256(text).hexdigest(), len(text)) == entries[name[:-3]]
            texts[name[:-3]] = text
        return texts

    def names(self, base: str = "dists/bookworm") -> list[str]:
        """The packages that a reader of InRelease sees, each with its file."""
        found = []
        for name, data in self.indexes(base).items():
            for stanza in filter(str.strip, data.decode().split("\n\n")) if name.endswith("Packages") else ():
                fields = dict(
                    one.split(": ", 1) for one in stanza.strip().splitlines() if not one.startswith(" ")
                )
                contents = (self.root / fields["Filename"]).read_bytes()
                assert hashlib.sha256(contents).hexdigest() == fields["SHA256"]
                found.append(f"{fields['Package']}={fields['Version']}")
        return found
