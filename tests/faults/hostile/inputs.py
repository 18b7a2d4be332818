# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the option ``packages`` may name besides a package: links, pipes, devices, holes, no names."""

from __future__ import annotations

import functools
import os
import pathlib
import socket
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
    written,
)

Good = t.Callable[..., bytes]  # of a name, and perhaps a version and a text


def _made(
    kind: str,
    note: object,
    name: str,
    make: t.Callable[[str], object],
    expect: str = REFUSED,
    heavy: bool = False,
) -> Case:
    """A case whose input ``make`` creates at a path."""

    def prepared(folder: pathlib.Path) -> list[str]:
        path = os.path.join(folder, name)
        make(path)
        return [path]

    return Case(kind, str(note)[:200], prepared, expect, heavy)


def _named(kind: str, note: object, path: str) -> Case:
    return Case(kind, str(note)[:200], lambda _folder: [path], REFUSED)


def _socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))  # a socket's path may have 107 bytes only
        end.bind(os.path.basename(path))
        os.chdir(here)


def _holes(path: str, size: int, begin: bytes = b"", end: bytes = b"") -> None:
    """A sparse file of ``size`` bytes."""
    with open(path, "wb") as stream:
        stream.write(begin)
        stream.truncate(size)
        stream.seek(size - len(end))
        stream.write(end)


def _kinds(kind: str, suffix: str, source: Source) -> t.Iterator[Case]:
    name = f"{source.fresh()}{suffix}"
    yield _made(f"{kind}: no file", "pipe", name, os.mkfifo)
    yield _made(f"{kind}: no file", "folder", name, os.mkdir)
    yield _made(f"{kind}: no file", "socket", name, _socket)
    for device in (
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/tty",
        "/dev/stdin",
        "/dev/fd/0",
    ):
        yield _named(f"{kind}: no file", device, device)
        yield _made(f"{kind}: no file", ("link", device), name, lambda path, to=device: os.symlink(to, path))
    for path in ("/proc/self/mem", "/proc/self/environ", "/proc/kmsg", "/proc/self/maps", "/proc/self/exe"):
        yield _named(f"{kind}: file of the kernel", path, path)
    for path in ("/sys/kernel/uevent_seqnum", "/proc/self/fd/1", "/proc/1/mem", "/proc/self/clear_refs"):
        yield _named(f"{kind}: file of the kernel", path, path)
    for to in ("nowhere", name, "/etc/passwd", "/proc/self/mem", "..", ""):
        if to:
            yield _made(f"{kind}: link", to, name, lambda path, to=to: os.symlink(to, path))
    odd = (
        "",
        " ",
        ".",
        "..",
        "/",
        "-",
        "--",
        "/nonexistent/x",
        "x" * 300,
        "/" + "x/" * 3000,
        "a\0b",
        "\0",
        "a\nb",
    )
    odd += (
        "\udcff\udcfe",
        "\ud800",
        "\u202e",
        "~",
        "$HOME",
        "%s",
        "{{ 1 }}",
        "http://localhost/x",
        "/etc/passwd/x",
    )
    for path in odd:
        yield _named(f"{kind}: no path", path.encode("unicode-escape"), path)
        yield _named(f"{kind}: no path", path.encode("unicode-escape") + b" with suffix", path + suffix)


def _contents(kind: str, suffix: str, source: Source, good: Good) -> t.Iterator[Case]:
    name = f"{source.fresh()}{suffix}"
    for size in (0, 1, 8, 96, 4096):
        yield written(f"{kind}: other contents", ("zeros", size), name, bytes(size), REFUSED)
        noise = source.chance.randbytes(size)
        yield written(f"{kind}: other contents", ("noise", size), name, noise, REFUSED)
    others = (
        b"!<arch>\n",
        b"\xed\xab\xee\xdb",
        b"PK\3\4",
        b"\x1f\x8b",
        b"\x7fELF",
        b"%PDF",
        b"#!/bin/sh\n",
        b"<html>",
    )
    for begin in others:
        yield written(f"{kind}: other contents", begin, name, begin + b"x" * 200, REFUSED)
        yield written(f"{kind}: other contents", (begin, "twice"), name, begin * 30, REFUSED)
    for size in (1 << 32, 1 << 40, 1 << 43):
        yield _made(f"{kind}: holes", size, name, functools.partial(_holes, size=size))
        for begin in (b"!<arch>\n", b"\xed\xab\xee\xdb", good(source.fresh())[:200]):
            make = functools.partial(_holes, size=size, begin=begin)
            yield _made(f"{kind}: holes", (size, begin[:8]), name, make)


def _good(kind: str, suffix: str, source: Source, good: Good) -> t.Iterator[Case]:
    """Good packages with odd names, through links, in odd company: published or refused as a whole."""

    def link(path: str, data: bytes) -> None:
        pathlib.Path(path + ".real").write_bytes(data)
        os.symlink(path + ".real", path)

    for _number in range(3):
        name, data = f"{source.fresh()}{suffix}", good(source.fresh())
        yield _made(f"{kind}: link to a package", "", name, lambda path, data=data: link(path, data), EITHER)
        yield written(f"{kind}: good", "", name, good(source.fresh()), PUBLISHED)
    odd = (
        "-rf",
        "--help",
        ".hidden",
        "a\nb",
        "a b",
        "$(id)",
        "\u202e",
        "x" * 200,
        "..x",
        "é",
        "'",
        '"',
        "\\",
        "%s",
        "{{x}}",
    )
    for word in odd:
        yield written(f"{kind}: good with an odd name", word, word + suffix, good(source.fresh()), PUBLISHED)
    for word in (".txt", ".deb.rpm", "", ".DEB", ".tar.gz", ".udeb", ".ddeb"):
        name = source.fresh() + word
        yield written(f"{kind}: good with an odd suffix", word, name, good(source.fresh()), EITHER)
    for bad in (b"", b"x" * 500):
        yield _together(kind, ("good and bad", bad[:1]), [good(source.fresh()), bad], suffix, REFUSED)
        yield _together(kind, ("bad and good", bad[:1]), [bad, good(source.fresh())], suffix, REFUSED)
    yield _together(kind, "good and good", [good(source.fresh()), good(source.fresh())], suffix, PUBLISHED)
    name = source.fresh()
    two = [good(name, text=text) for text in (b"one", b"other")]
    yield _together(kind, "one name, other contents", two, suffix, REFUSED)
    for version in (b"2.0", b"1.0"):
        data = good(name, version)
        yield written(f"{kind}: downgrade", version, f"{name}{suffix}", data, EITHER)
    one = good(source.fresh())
    yield _together(kind, "the same twice", [one, one], suffix, EITHER)
    many = [good(source.fresh()) for _number in range(20)]
    yield _together(kind, "many good, one bad", [*many, b"x"], suffix, REFUSED)


def _together(kind: str, note: object, parts: list[bytes], suffix: str, expect: str) -> Case:
    def make(folder: pathlib.Path) -> list[str]:
        paths = [folder / f"{number}{suffix}" for number in range(len(parts))]
        for path, data in zip(paths, parts):
            path.write_bytes(data)
        return [str(path) for path in paths]

    return Case(f"{kind}: several", str(note), make, expect)


def cases(kind: str, suffix: str, source: Source, good: Good) -> t.Iterator[Case]:
    yield from _kinds(kind, suffix, source)
    yield from _contents(kind, suffix, source, good)
    yield from _good(kind, suffix, source, good)
