# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source packages whose .dsc names what is not its own, or whose parts are not what it says (dsc(5))."""

from __future__ import annotations

import hashlib
import itertools
import os
import pathlib
import re
import typing as t

from ansible_collections.distrogate.ci.tests.faults import hostile_values as values
from ansible_collections.distrogate.ci.tests.faults.hostile_case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
)

_PART = b"no real archive: nobody unpacks it"
_LISTS: dict[bytes, t.Callable[[bytes], t.Any]] = {
    b"Checksums-Sha1": hashlib.sha1,
    b"Checksums-Sha256": hashlib.sha256,
    b"Files": hashlib.md5,
}
_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
_SIGNATURE = b"\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
Change = t.Callable[[bytes], bytes]


def dsc(name: str, parts: dict[bytes, bytes], *more: bytes, **fields: bytes) -> bytes:
    """A .dsc that lists these parts; ``fields`` replace the values of its own fields."""
    own = {
        "Format": b"3.0 (native)",
        "Source": name.encode(),
        "Binary": name.encode(),
        "Architecture": b"all",
        "Version": b"1.0",
        "Maintainer": b"N <n@example.org>",
        **fields,
    }
    lines = [b"%s: %s\n" % (key.replace("_", "-").encode(), value) for key, value in own.items()]
    for field, digest in _LISTS.items():
        entries = (
            b"\n %s %d %s" % (digest(data).hexdigest().encode(), len(data), part)
            for part, data in parts.items()
        )
        lines.append(field + b":" + b"".join(entries) + b"\n")
    return b"".join(lines) + b"".join(more)


def tarball(name: str) -> bytes:
    return f"{name}_1.0.tar.xz".encode()


def case(
    source: Source,
    kind: str,
    note: object,
    change: Change = bytes,
    expect: str = REFUSED,
    spoil: t.Callable[[pathlib.Path], object] = bool,
    listed: t.Callable[[str], dict[bytes, bytes]] | None = None,
    **fields: bytes,
) -> Case:
    """A .dsc and its tarball; ``change`` the text, ``spoil`` the tarball, ``listed`` is listed."""
    name = source.fresh()
    parts = {tarball(name): name.encode() + _PART}
    text = change(dsc(name, listed(name) if listed else parts, **fields))

    def make(folder: pathlib.Path) -> list[str]:
        for part, data in parts.items():
            (folder / os.fsdecode(part)).write_bytes(data)
            spoil(folder / os.fsdecode(part))
        path = folder / f"{name}_1.0.dsc"
        path.write_bytes(text)
        return [str(path)]

    return Case(kind, str(note)[:200], make, expect)


def _names(source: Source) -> t.Iterator[Case]:
    more = (
        b"../x_1.0.tar.xz",
        b"/etc/passwd",
        b"x/../y.tar.xz",
        b"other_1.0.tar.xz",
        b"x_1.0.dsc",
        b"x.deb",
        b"x" * 300,
    )
    for name in (*source.names(), *more):
        lie = case(source, "dsc: name of a part", name, listed=lambda _name, name=name: {name: b"x"})
        yield lie
        both = case(
            source,
            "dsc: name of a part",
            (name, "more"),
            listed=lambda own, name=name: {tarball(own): own.encode() + _PART, name: b"x"},
        )
        yield both
    for name, field in itertools.product(
        source.names(), ("Source", "Version", "Format", "Architecture", "Binary")
    ):
        plain = field in ("Architecture", "Binary") and name in (
            b"..",
            b".",
            b"-rf",
            b"--help",
            b".hidden",
            b"a\tb",
            b"a b",
        )
        expect = EITHER if plain else REFUSED
        yield case(source, "dsc: path in field", (field, name), expect=expect, **{field: name})


def _parts(source: Source) -> t.Iterator[Case]:
    kind = "dsc: part"

    def moved(path: pathlib.Path, to: str) -> None:
        path.rename(path.with_name("elsewhere"))
        path.symlink_to(to)

    def replaced(path: pathlib.Path, make: t.Callable[[pathlib.Path], object]) -> None:
        path.unlink()
        make(path)

    for target in ("elsewhere", "/etc/passwd", "/dev/zero", "nowhere", "."):
        yield case(source, kind, ("link", target), spoil=lambda path, target=target: moved(path, target))
    yield case(source, kind, "missing", spoil=lambda path: path.unlink())
    yield case(source, kind, "folder", spoil=lambda path: replaced(path, pathlib.Path.mkdir))
    yield case(source, kind, "pipe", spoil=lambda path: replaced(path, os.mkfifo))
    for data in (b"", b"x", _PART, b"x" * 1000):
        yield case(
            source, kind, ("other contents", data[:5]), spoil=lambda path, data=data: path.write_bytes(data)
        )
    yield case(source, kind, "sparse", spoil=lambda path: os.truncate(path, 1 << 40))
    longer = case(source, kind, "longer", spoil=lambda path: path.write_bytes(path.read_bytes() + b"x"))
    yield longer
    for size in (b"0", b"-1", b"999999999999999", b"1e3", b"0x10", b"", b"9" * 40):
        yield case(
            source,
            kind,
            ("size", size),
            lambda text, size=size: re.sub(rb" [0-9]+ (?=hostile)", b" " + size + b" ", text),
        )
    for count in (0, 63, 65, 5000):

        def many(name: str, count: int = count) -> dict[bytes, bytes]:
            return {b"%s_1.0.orig-c%d.tar.xz" % (name.encode(), number): b"x" for number in range(count)}

        yield case(source, kind, ("count", count), listed=many)


def _lists(source: Source) -> t.Iterator[Case]:
    kind = "dsc: lists"
    for field in _LISTS:
        name = field + b":"
        changes: dict[str, Change] = {
            "gone": lambda text, name=name: text.replace(name, b"X-" + name),
            "twice": lambda text, name=name: text + name + b"\n 00 1 x\n",
            "on its line": lambda text, name=name: text.replace(name + b"\n", name + b" x\n"),
            "other digest": lambda text, name=name: text.replace(name + b"\n ", name + b"\n 0"),
            "other file": lambda text, name=name: text.replace(
                name + b"\n", name + b"\n " + b"0" * 64 + b" 1 x\n"
            ),
            "upper case": lambda text, name=name: (
                text.partition(name)[0] + name + text.partition(name)[2].upper()
            ),
            "entry twice": lambda text, name=name: text.replace(name, name + text.partition(name)[2][:120]),
        }
        for note, change in changes.items():
            optional = field == b"Checksums-Sha1" and note == "gone"
            yield case(source, kind, (field, note), change, EITHER if optional else REFUSED)
    for ours in (b"Package", b"Directory", b"Filename", b"SHA256", b"directory", b"PACKAGE"):
        for value in (b"forged", b"../../outside"):
            line = ours + b": " + value + b"\n"
            yield case(source, "dsc: the repository's field", ours, lambda text, line=line: text + line)
            yield case(
                source, "dsc: the repository's field", (ours, "first"), lambda text, line=line: line + text
            )
    for value in values.SEPARATORS:
        forged = b"X-Y: nova" + value + values.FORGED.replace(b"Filename", b"Directory") + b"\n"
        expect = REFUSED if value.strip(b"\n") not in (b".", b"#") else EITHER
        yield case(source, "dsc: second paragraph", value, lambda text, forged=forged: text + forged, expect)


def _signed(source: Source) -> t.Iterator[Case]:
    kind = "dsc: signature"
    good: dict[str, Change] = {"": lambda text: _BEGIN + text + _SIGNATURE, "none": bytes}
    bad: dict[str, Change] = {
        "text before": lambda text: b"X: y\n" + _BEGIN + text + _SIGNATURE,
        "text behind": lambda text: _BEGIN + text + _SIGNATURE + b"Package: forged\n",
        "text in the head": lambda text: (
            b"-----BEGIN PGP SIGNED MESSAGE-----\nSource: x\n\n" + text + _SIGNATURE
        ),
        "no end": lambda text: _BEGIN + text,
        "no signature's end": lambda text: _BEGIN + text + _SIGNATURE[:50],
        "twice": lambda text: (_BEGIN + text + _SIGNATURE) * 2,
        "within": lambda text: _BEGIN + _BEGIN + text + _SIGNATURE + _SIGNATURE,
        "other armor": lambda text: b"-----BEGIN PGP MESSAGE-----\n\n" + text,
        "empty": lambda text: _BEGIN + _SIGNATURE,
        "long": lambda text: _BEGIN + text + b"X: " + b"y" * (1 << 20) + _SIGNATURE,
        "nothing": lambda text: b"",
        "NUL": lambda text: b"\0" + text,
    }
    for changes, expect in ((good, PUBLISHED), (bad, REFUSED)):
        for note, change in changes.items():
            yield case(source, kind, note, change, expect)
    for value in values.BROKEN_TEXT:
        yield case(source, "dsc: not UTF-8", value, Maintainer=value)
    for number in range(40):
        seed = source.chance.randrange(1 << 30)

        def cut(text: bytes, seed: int = seed) -> bytes:
            return text[: seed % len(text)]

        def damaged(text: bytes, seed: int = seed) -> bytes:
            data = bytearray(text)
            data[seed % len(data)] ^= 1 << seed % 7
            return bytes(data)

        yield case(source, "dsc: cut", number, cut, EITHER)
        yield case(source, "dsc: damaged", number, damaged, EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_names, _parts, _lists, _signed):
        yield from part(source)
