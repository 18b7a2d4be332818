# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many refusals of each cause a run must see, so that no generator silently loses one; what is known."""

from __future__ import annotations

import re
import typing as t

# Of which format, words of the message, how often at least in the first third of the inputs. A whole run
# sees each twice as often, and each once.
CAUSES: tuple[tuple[str, str, int], ...] = (
    ("apt", "it is not a regular file", 0),
    ("apt", "it is a symbolic link", 0),
    ("apt", "cannot be read: No such file", 0),
    ("apt", "cannot be read: File name too long", 0),
    ("apt", "it is not an ar archive", 6),
    ("apt", "it is cut off or broken", 10),
    ("apt", "it is cut off.", 8),
    ("apt", "a size in the archive is not a number", 13),
    ("apt", "its first member is not debian-binary", 3),
    ("apt", "it has no control or no data archive", 2),
    ("apt", "its control archive stands twice, or behind the data archive", 0),
    ("apt", "its control archive is larger than", 0),
    ("apt", "its control archive unpacks to more than", 0),
    ("apt", "its control archive is broken", 25),
    ("apt", "the compression of '…' is not known", 0),
    ("apt", "it has no control file", 2),
    ("apt", "its control file is cut off or larger than", 0),
    ("apt", "its control file is not UTF-N", 10),
    ("apt", "its control file has control characters", 41),
    ("apt", "its control file has more than one paragraph", 6),
    ("apt", "its control file has a line that is no field", 10),
    ("apt", "its control file has a field twice", 3),
    ("apt", "which belongs to the repository", 9),
    ("apt", "its package '…' does not follow", 3),
    ("apt", "its version '…' does not follow", 10),
    ("apt", "its architecture '…' does not follow", 5),
    ("apt", "its source '…' does not follow", 7),
    ("apt", "its format '…' does not follow", 2),
    ("apt", "its binary '…' does not follow", 2),
    ("apt", "it names the file '…', which is not one of its own", 6),
    ("apt", "its files has the line '…'", 3),
    ("apt", "its lists of files are empty, or name different files", 0),
    ("apt", "it has no field", 0),
    ("apt", "which it names, is not a regular file", 0),
    ("apt", "which PATH names, cannot be read", 0),
    ("apt", "should have N bytes", 0),
    ("apt", "it has text outside of the signed part", 0),
    ("apt", "its signature is cut off", 0),
    ("contents", "its data archive has the file name '…'", 8),
    ("contents", "its data archive is broken", 7),
    ("contents", "a number in its data archive is broken", 0),
    ("contents", "its data archive has a member of type", 0),
    ("contents", "its data archive has pax headers", 0),
    ("contents", "its data archive is cut off", 0),
    ("contents", "its data archive has a name of more than", 0),
    ("contents", "its file names are longer than", 0),
    ("rpm", "it is not a regular file", 0),
    ("rpm", "it is a symbolic link", 0),
    ("rpm", "cannot be read: No such file", 2),
    ("rpm", "it is not an rpm", 4),
    ("rpm", "its signature header is missing", 0),
    ("rpm", "its signature header is cut off or larger than", 0),
    ("rpm", "its main header is missing", 3),
    ("rpm", "its main header is cut off or larger than", 6),
    ("rpm", "its name '…' does not follow", 10),
    ("rpm", "its version '…' does not follow", 10),
    ("rpm", "its release '…' does not follow", 10),
    ("rpm", "its arch '…' does not follow", 9),
    ("rpm", "rpmReadPackageFile", 93),
    ("rpm", "its texts have characters that XML does not know", 0),
    ("rpm", "reading it crashes", 0),
    ("rpm", "takes too much memory", 0),
    ("rpm", "Forbidden control chars found", 52),
)

# Findings about the product that wait for it: each must still be seen, else it is to be removed here.
KNOWN: dict[str, str] = {}


def lost(causes: t.Mapping[str, int], whole: bool) -> list[str]:
    """Causes that were seen more seldom than they must be, in the first third or in a whole run."""
    missing = []
    for name, words, least in CAUSES:
        wanted = max(1, 2 * least) if whole else least
        seen = sum(
            count for cause, count in causes.items() if cause.startswith(f"{name}: ") and words in cause
        )
        if seen < wanted:
            missing.append(f"{name}: {words!r} was seen {seen} times, not {wanted}")
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
