# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How tools say that something went wrong, what they say because of it, and what is noise beside it."""

from __future__ import annotations

import re


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words))


# Commands as our logs announce them: where a step begins.
STEP = re.compile(r"(?:sandbox)?[$] \S")

# What went wrong, in the words of whoever noticed it first.
CAUSES = _any(
    r"Traceback \(most recent call last\):",
    r"(?:\S{1,300}:\d+(?::\d+)?: )?(?:fatal |internal compiler |syntax )?error(?:\[E\d+\])?: ",  # compilers
    r"\S{1,300}:\d+(?::\d+)?: (?:fatal |internal compiler |syntax )?[Ee]rror\b",
    r".{0,300}: (?:undefined reference to|multiple definition of|cannot find -l)",
    r"CMake Error",
    r"configure: error: ",
    r"(?:g?make(?:\[\d+\])?): \*\*\* (?!\[|Waiting)",  # no rule, missing separator
    r"E {2,}\S",  # pytest
    r"(?:FAILED|ERROR) \S+(?:::|\.py)",
    r"(?:FAIL|ERROR): ",
    r"not ok \d",
    r"--- FAIL: ",
    r"E: (?!Sub-process|lintian)",  # apt, and lintian's errors
    r" \S+ : (?:Depends|PreDepends|Conflicts|Breaks): ",
    r"dpkg[a-z-]*: (?:error|fatal error|unrecoverable fatal error)\b",
    r"dh_\w+: error: (?!.{0,200}(?:returned exit code|exited with))",
    r"error: (?!Bad exit status|command )",
    r"fatal: ",  # git
    r".{1,200}: (?:command )?not found$",
    r"\S{0,200}(?:Error|Exception): ",
    r"Exception in thread ",
    r"panic: ",
    r"thread '.{0,100}' panicked at",
    r"npm ERR! ",
    r"Can't locate \S+ in @INC",
    r"(?:Segmentation fault|Killed|Aborted|Bus error)\b",
    r".{0,300}: (?:No space left on device|Cannot allocate memory|Permission denied)$",
    r".{0,300}: symbol lookup error: ",
)

# What others said because of it. The first of them says where; what stands before it may say why.
CONSEQUENCES = _any(
    r"g?make(?:\[\d+\])?: \*\*\* \[",
    r"dh_\w+: error: .{0,200}(?:returned exit code|exited with)",
    r"dpkg-buildpackage: error: .{0,200} subprocess (?:returned|was killed)",
    r"dpkg-(?:deb|source): error: .{0,200} (?:subprocess returned|gave error)",
    r"E: Sub-process ",
    r"Errors were encountered while processing",
    r"error: (?:Bad exit status from|command .{0,200} failed)",
    r"ninja: build stopped",
    r"error: could not compile ",
    r"collect2: error: ",
    r"subprocess\.CalledProcessError: ",
)

# Somebody speaks of trouble, in words of their own.
WEAK = re.compile(
    r"(?:.{0,400}[^\w=-])?(?:errors?|fatal|failed|failures?|fail|cannot|can't|denied|unable to|no such"
    r"|not found|refused|invalid|unrecognized|timed out|killed|missing)\b"
    r"(?![\w./-]*\.(?:c|cc|cpp|h|hpp|o|lo|py|rs|go|html|pm|js)\b)",
    re.IGNORECASE,
)
HARMLESS = re.compile(
    r".{0,400}(?:\b(?:no|0) (?:errors?|failures?|failed)\b|\bwarning:|\(ignored\)|[:=] ?0$|^W: )",
    re.IGNORECASE,
)

# Nobody misses these.
NOISE = _any(
    r"\s*$",
    r"g?make(?:\[\d+\])?: (?:Entering|Leaving) directory",
    r"g?make(?:\[\d+\])?: \*\*\* Waiting for unfinished jobs",
    r"(?:Get|Hit|Ign):\d+ ",
    r"Fetched .{0,80} in ",
    r"Reading (?:package lists|state information)|Building dependency tree",
    r"\(Reading database",
    r"Selecting previously unselected package|Preparing to unpack|Unpacking \S",
    r"debconf: ",
    r"dpkg-buildpackage: info: ",
)
