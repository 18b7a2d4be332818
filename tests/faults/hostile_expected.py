# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many refusals of each cause a run must see, so that no generator silently loses one; what is known."""

from __future__ import annotations

import re
import typing as t

# In the first half of the inputs: of which format, words of the message, how often at least.
CAUSES: tuple[tuple[str, str, int], ...] = (
    ("apt", "it is not a regular file", 5),
    ("apt", "it is a symbolic link", 5),
    ("apt", "cannot be read: No such file", 8),
    ("apt", "cannot be read: File name too long", 1),
    ("apt", "it is not an ar archive", 20),
    ("apt", "it is cut off or broken", 25),
    ("apt", "it is cut off.", 20),
    ("apt", "a size in the archive is not a number", 25),
    ("apt", "its first member is not debian-binary", 8),
    ("apt", "it has no control or no data archive", 8),
    ("apt", "its control archive stands twice, or behind the data archive", 4),
    ("apt", "its control archive is larger than", 1),
    ("apt", "its control archive unpacks to more than", 4),
    ("apt", "its control archive is broken", 50),
    ("apt", "the compression of '…' is not known", 5),
    ("apt", "it has no control file", 20),
    ("apt", "its control file is cut off or larger than", 2),
    ("apt", "its control file is not UTF-N", 25),
    ("apt", "its control file has control characters", 90),
    ("apt", "its control file has more than one paragraph", 15),
    ("apt", "its control file has a line that is no field", 25),
    ("apt", "its control file has a field twice", 9),
    ("apt", "which belongs to the repository", 25),
    ("apt", "its package '…' does not follow", 10),
    ("apt", "its version '…' does not follow", 25),
    ("apt", "its architecture '…' does not follow", 18),
    ("apt", "its source '…' does not follow", 18),
    ("apt", "its format '…' does not follow", 8),
    ("apt", "its binary '…' does not follow", 6),
    ("apt", "it names the file '…', which is not one of its own", 15),
    ("apt", "its files has the line '…'", 8),
    ("apt", "its lists of files are empty, or name different files", 2),
    ("apt", "it has no field", 5),
    ("apt", "which it names, is not a regular file", 2),
    ("apt", "which PATH names, cannot be read", 1),
    ("apt", "should have N bytes", 1),
    ("apt", "it has text outside of the signed part", 1),
    ("apt", "its signature is cut off", 1),
    ("contents", "its data archive has the file name '…'", 40),
    ("contents", "its data archive is broken", 20),
    ("contents", "a number in its data archive is broken", 10),
    ("contents", "its data archive has a member of type", 5),
    ("contents", "its data archive has pax headers", 5),
    ("contents", "its data archive is cut off", 5),
    ("contents", "its data archive has a name of more than", 1),
    ("contents", "its data archive has more than", 1),
    ("rpm", "it is not a regular file", 5),
    ("rpm", "it is a symbolic link", 5),
    ("rpm", "cannot be read: No such file", 8),
    ("rpm", "it is not an rpm", 15),
    ("rpm", "its signature header is missing", 2),
    ("rpm", "its signature header is cut off or larger than", 4),
    ("rpm", "its main header is missing", 5),
    ("rpm", "its main header is cut off or larger than", 25),
    ("rpm", "its name '…' does not follow", 20),
    ("rpm", "its version '…' does not follow", 20),
    ("rpm", "its release '…' does not follow", 20),
    ("rpm", "its arch '…' does not follow", 20),
    ("rpm", "is a source package", 2),
    ("rpm", "rpmReadPackageFile", 200),
    ("rpm", "Forbidden control chars found", 100),
)

# Findings about the product that wait for it: each must still be seen, else it is to be removed here.
KNOWN: dict[str, str] = {
    r"^(apt|rpm) .*: no (path|file).*(embedded null byte|surrogates not allowed)": "no name of a file",
    r"^(apt|rpm) .*: (file of the kernel|link), .*OSError": "reading fails",
    r"^apt .*(a true one|two control files|several streams|pax field).*reader finds": "dpkg reads other fields",
    r"^(apt|rpm) .*the message names no path: .* is published with sha256": "content_conflict names no path",
    r"^rpm .*(UnicodeDecodeError|SystemError: <built-in function xml_dump>)": "no UTF-8 in an rpm",
    r"^rpm .*ParseError: not well-formed": "U+FFFE and U+FFFF in an rpm",
    r"^rpm .*kind of a tag, \((1116|1117|1118), .*wait status 11": "createrepo_c crashes",
    r"^rpm .*\(1003, 'two'\).*reader finds": "two epochs",
    r"^rpm .*(bomb|long text), .*(MiB of memory|no end after|Memory allocation failed)": "an rpm that grows",
}


def lost(causes: t.Mapping[str, int]) -> list[str]:
    """Causes that were seen more seldom than they must be."""
    missing = []
    for name, words, least in CAUSES:
        seen = sum(
            count for cause, count in causes.items() if cause.startswith(f"{name}: ") and words in cause
        )
        if seen < least:
            missing.append(f"{name}: {words!r} was seen {seen} times, not {least}")
    return missing


def sorted_out(problems: t.Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """New problems, and how often each known one was seen."""
    known = dict.fromkeys(KNOWN, 0)
    new = []
    for problem in problems:
        pattern = next((one for one in KNOWN if re.search(one, problem, re.DOTALL)), "")
        if pattern:
            known[pattern] += 1
        else:
            new.append(problem)
    return new, known
