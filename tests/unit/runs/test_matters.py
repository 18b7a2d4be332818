# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that matter: the first error of the last command, never its echo, never what harms a screen."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters import lines_that_matter, matters
from ansible_collections.distrogate.ci.plugins.module_utils._runs._plain import escaped, plain_line

SAMPLES = {
    "gcc": (
        """sandbox$ dpkg-checkbuilddeps
dpkg-checkbuilddeps: error: Unmet build dependencies: libfoo-dev
sandbox$ dpkg-buildpackage
gcc -Werror=format-security -c -o ok.o ok.c
gcc -Wno-error -c -o error.o error.c
main.c: In function 'main':
main.c:3:5: error: 'x' undeclared (first use in this function)
    3 |     x = 1;
      |     ^
make[2]: *** [Makefile:2: main.o] Error 1
make[2]: Leaving directory '/build'
make[1]: *** [Makefile:9: all] Error 2
dh_auto_build: error: make -j2 returned exit code 2
make: *** [debian/rules:3: binary] Error 25
dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2
""",
        """gcc -Wno-error -c -o error.o error.c
main.c: In function 'main':
main.c:3:5: error: 'x' undeclared (first use in this function)
    3 |     x = 1;
      |     ^
[…]
dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2
""",
    ),
    "only make": (
        """sandbox$ dpkg-buildpackage
 debian/rules binary
make[1]: Entering directory '/build'
false
make[1]: *** [debian/rules:6: override_dh_auto_build] Error 1
make[1]: Leaving directory '/build'
make: *** [debian/rules:3: binary] Error 2
dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2
""",
        """sandbox$ dpkg-buildpackage
 debian/rules binary
false
make[1]: *** [debian/rules:6: override_dh_auto_build] Error 1
[…]
dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2
""",
    ),
    "dpkg": (
        """$ apt-get install tiny
Get:1 http://example.org tiny 1.0
Selecting previously unselected package tiny.
(Reading database ... 6000 files)
Setting up tiny (1.0) ...
no such luck
dpkg: error processing package tiny (--configure):
 installed tiny package post-installation script subprocess returned error exit status 1
Errors were encountered while processing:
 tiny
E: Sub-process /usr/bin/dpkg returned an error code (1)
""",
        """Setting up tiny (1.0) ...
no such luck
dpkg: error processing package tiny (--configure):
 installed tiny package post-installation script subprocess returned error exit status 1
[…]
E: Sub-process /usr/bin/dpkg returned an error code (1)
""",
    ),
    "unmet": (
        """$ apt-get install tiny
W: some warning about an error
Some packages could not be installed.
The following packages have unmet dependencies:
 tiny : Depends: nothing-has-it but it is not installable
E: Unable to correct problems, you have held broken packages.
""",
        """Some packages could not be installed.
The following packages have unmet dependencies:
 tiny : Depends: nothing-has-it but it is not installable
E: Unable to correct problems, you have held broken packages.
""",
    ),
    "silent": (
        "$ apt-get update\nE: it failed, and was tried again\n$ tiny --self-test\n",
        "$ tiny --self-test\n[it printed nothing]\n",
    ),
    "weak": (
        "$ prog\n0 errors so far\nall is well\nthe server refused us\nbye\n",
        "0 errors so far\nall is well\nthe server refused us\n",
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_error_is_found_and_its_echo_is_not(name: str) -> None:
    log, wanted = SAMPLES[name]
    assert "\n".join(matters(log.split("\n"))) + "\n" == wanted


def test_a_traceback_ends_with_its_exception_also_when_it_is_cut() -> None:
    frames = [text for n in range(40) for text in (f'  File "a.py", line {n}, in f', f"    f({n})")]
    log = [
        "$ pytest",
        "before",
        "Traceback (most recent call last):",
        *frames,
        "ValueError: 7 is no number",
        "x",
    ]
    found = matters(log)
    assert len(found) == 20
    assert found[-1] == "ValueError: 7 is no number"
    assert "Traceback (most recent call last):" in found


def test_pytest_says_what_differed_and_which_test() -> None:
    log = [
        "$ pytest",
        "tests/test_a.py::test_one PASSED",
        "    def test_two():",
        ">       assert 1 + 1 == 3",
        "E       assert 2 == 3",
        "tests/test_a.py:2: AssertionError",
        "FAILED tests/test_a.py::test_two - assert 2 == 3",
        "1 failed, 1 passed",
    ]
    found = matters(log)
    assert "E       assert 2 == 3" in found and ">       assert 1 + 1 == 3" in found
    assert "FAILED tests/test_a.py::test_two - assert 2 == 3" in found


def test_errors_of_a_job_beside_count_only_when_near() -> None:
    far = ["tests/passes.sh:3: error: this is what the test wants", *[f"line {n}" for n in range(1000)]]
    near = ["src/a.c:1:1: error: real", "make: *** [a.o] Error 1", "make: *** [all] Error 2"]
    found = matters(["$ make", *far, *near])
    assert "src/a.c:1:1: error: real" in found and far[0] not in found


def test_a_log_in_which_nobody_complains_ends_as_it_ends() -> None:
    assert matters(["$ prog", *[f"line {n}" for n in range(100)]]) == [
        "$ prog",
        "[…]",
        *[f"line {n}" for n in range(82, 100)],
    ]


@pytest.mark.parametrize("limit", [-1, 0, 1, 2, 3, 7, 20])
def test_never_more_than_asked_for(limit: int) -> None:
    for log, _wanted in SAMPLES.values():
        assert len(matters(log.split("\n") * 3, limit)) <= max(0, limit)
    assert len(matters([f"a{n}.c:1: error: no" for n in range(99)], limit)) <= max(0, limit)


def test_nothing_that_moves_a_cursor_gets_through() -> None:
    assert plain_line("\x1b[31;1merror:\x1b[0m no\x1b]0;title\x07 way\n") == "error: no way"
    assert plain_line(" 10%\r 20%\r100% done\r\n") == "100% done"
    assert plain_line("a\x1bZ\x08\u202eb\ud800") == "a\\x1bZ\\x08\\u202eb\\ud800"
    assert escaped("a\rb\nc") == "a\\rb\\nc"
    assert len(plain_line("x" * 10**6)) == 400


def test_a_file_of_a_stranger_costs_little(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "x.log"
    with log.open("wb") as stream:
        stream.truncate(1 << 30)  # one line of a gibibyte
    assert len("".join(lines_that_matter(str(log)))) <= 400
    log.write_bytes(b"\xff\xfe" * 300_000 + b"\nE: the end\n</script>\n")
    assert lines_that_matter(str(log))[-1] == "E: the end"
    (tmp_path / "link").symlink_to(log)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "absent", ".", "a\0b"):
        assert lines_that_matter(str(tmp_path / name)) == []


def test_secrets_are_not_shown(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "build.log"
    key = "-----BEGIN PRIVATE KEY-----\nMIIabcdefghijklmnop\n-----END PRIVATE KEY-----"
    path.write_text(f"error: login with password=hunter2000 failed\n{key}\n")
    shown = "\n".join(lines_that_matter(str(path)))
    assert "error: login with password=********" in shown
    assert "hunter2000" not in shown and "MIIabc" not in shown
