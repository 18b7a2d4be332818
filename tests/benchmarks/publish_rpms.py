# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An .rpm with the tags that rpmbuild(8) gives it: of 22 KiB, with seven files and eight dependencies."""

from __future__ import annotations

import hashlib
import os
import stat

from ansible_collections.distrogate.ci.tests.benchmarks import publish_words as words
from ansible_collections.distrogate.ci.tests.benchmarks.publish_rpm_format import (
    I18N,
    INT16,
    INT32,
    STRING,
    STRING_ARRAY,
    Tags,
    rpm,
)

SIZE = 16 * 1024  # of all files; the headers have the rest
_RELEASE = "1.dg"
_EQUAL, _AT_LEAST = 8, 12  # dependency flags; the next is for rpm's own features
_FEATURE = 0x100000A


def file_name(number: int) -> str:
    return f"{words.name(number)}-{_version(number)}-{_RELEASE}.x86_64.rpm"


def package(number: int) -> bytes:
    files = _files(number)
    label = f"{words.name(number)}-{_version(number)}-{_RELEASE}"
    tags = {**_facts(number, files), **_dependencies(number), **_file_tags(files)}
    return rpm(label, tags, {f".{path}": content for path, content in files.items()})


def _version(number: int) -> str:
    return f"{number % 30}.{number % 7}.0"


def _files(number: int) -> dict[str, tuple[int, bytes]]:
    name, source = words.name(number), words.source_name(number // 2)
    modes = {
        f"/etc/{source}/{name}.conf": 0o100644,
        f"/usr/bin/{name}": 0o100755,
        f"/usr/lib64/{source}/{name}.so": 0o100755,
        f"/usr/share/doc/{name}": 0o40755,
        f"/usr/share/doc/{name}/README": 0o100644,
        f"/usr/share/doc/{name}/NEWS": 0o100644,
        f"/usr/share/licenses/{name}/LICENSE": 0o100644,
    }
    body, part = words.body(number, SIZE), SIZE // len(modes)
    return {
        path: (mode, b"" if stat.S_ISDIR(mode) else body[place * part : (place + 1) * part])
        for place, (path, mode) in enumerate(modes.items())
    }


def _facts(number: int, files: dict[str, tuple[int, bytes]]) -> Tags:
    source, version = words.source_name(number // 2), _version(number)
    author = f"A Developer <developer@example.org> - {version}"
    return {
        100: (STRING_ARRAY, ["C"]),
        1000: (STRING, words.name(number)),
        1001: (STRING, version),
        1002: (STRING, _RELEASE),
        1004: (I18N, words.summary(number)),
        1005: (I18N, "\n".join(words.text(number))),
        1006: (INT32, [words.DATE]),
        1007: (STRING, "builder.example.org"),
        1009: (INT32, [sum(len(data) for _mode, data in files.values())]),
        1014: (STRING, "Apache-2.0"),
        1016: (I18N, "Applications/Internet"),
        1020: (STRING, f"https://www.example.org/{source}"),
        1021: (STRING, "linux"),
        1022: (STRING, "x86_64"),
        1044: (STRING, f"{source}-{version}-{_RELEASE}.src.rpm"),
        1064: (STRING, "4.18.0"),
        1080: (INT32, [words.DATE, words.DATE - 86400 * 90]),
        1081: (STRING_ARRAY, [f"{author}-1", f"{author}-0"]),
        1082: (STRING_ARRAY, ["- Correct what users have found", "- Take the new release of upstream"]),
        1122: (STRING, "-O2 -g"),
        1124: (STRING, "cpio"),
        1125: (STRING, "gzip"),
        1126: (STRING, "1"),
        1132: (STRING, "x86_64-redhat-linux-gnu"),
        5062: (STRING, "utf-8"),
    }


def _dependencies(number: int) -> Tags:
    dice = words.chance(number, "requires")
    name, version = words.name(number), f"{_version(number)}-{_RELEASE}"
    provides = [(name, _EQUAL, version), (f"{name}(x86-64)", _EQUAL, version), (f"{name}.so()(64bit)", 0, "")]
    requires = [("libc.so.6()(64bit)", 0, ""), ("/bin/sh", 0, "")]
    requires += [(words.name(dice.randrange(20_000)), _AT_LEAST, f"{dice.randrange(9)}.0") for _n in range(4)]
    requires += [("rpmlib(CompressedFileNames)", _FEATURE, "3.0.4-1")]
    requires += [("rpmlib(PayloadFilesHavePrefix)", _FEATURE, "4.0-1")]
    recommends = [(words.name(dice.randrange(20_000)), 0, "")]
    tags: Tags = {}
    for (names, flags, versions), found in (
        ((1047, 1112, 1113), provides),
        ((1049, 1048, 1050), requires),
        ((5046, 5048, 5047), recommends),
    ):
        tags[names] = (STRING_ARRAY, [one[0] for one in found])
        tags[flags] = (INT32, [one[1] for one in found])
        tags[versions] = (STRING_ARRAY, [one[2] for one in found])
    return tags


def _file_tags(files: dict[str, tuple[int, bytes]]) -> Tags:
    count = len(files)
    folders = sorted({os.path.dirname(path) + "/" for path in files})
    contents = list(files.values())
    flags = {".conf": 1, "README": 2, "NEWS": 2, "LICENSE": 128}  # %config, %doc, %license
    kinds = [next((flag for end, flag in flags.items() if path.endswith(end)), 0) for path in files]
    return {
        1028: (INT32, [len(data) for _mode, data in contents]),
        1030: (INT16, [mode for mode, _data in contents]),
        1033: (INT16, [0] * count),
        1034: (INT32, [words.DATE] * count),
        1035: (STRING_ARRAY, [hashlib.sha256(data).hexdigest() if data else "" for _mode, data in contents]),
        1036: (STRING_ARRAY, [""] * count),
        1037: (INT32, kinds),
        1039: (STRING_ARRAY, ["root"] * count),
        1040: (STRING_ARRAY, ["root"] * count),
        1045: (INT32, [0xFFFFFFFF] * count),
        1095: (INT32, [1] * count),
        1096: (INT32, list(range(1, count + 1))),
        1097: (STRING_ARRAY, [""] * count),
        1116: (INT32, [folders.index(os.path.dirname(path) + "/") for path in files]),
        1117: (STRING_ARRAY, [os.path.basename(path) for path in files]),
        1118: (STRING_ARRAY, folders),
        1140: (INT32, [0] * count),
        1141: (INT32, [int(stat.S_ISDIR(mode)) for mode, _data in contents]),
        1142: (STRING_ARRAY, ["data", "directory"]),
        5011: (INT32, [8]),  # SHA256, in OpenPGP's numbers
    }
