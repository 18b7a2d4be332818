# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place to build in: what is seen there, what can be reached from it, and its limits."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

if t.TYPE_CHECKING:
    from conftest import Output


def lines(output: Output, script: str, **options: t.Any) -> list[str]:
    """What a shell program says in a place of its own."""
    with output.place() as place:
        done = place.run(["sh", "-c", script], **options)
    assert output.work() == []
    return done.text.splitlines()


def refusal(call: t.Callable[[], t.Any]) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value


def test_it_is_root_of_ids_that_own_nothing_of_the_host(output: Output) -> None:
    said = lines(
        output, "id -u; stat -c %U /etc/passwd; hostname; cat /proc/self/uid_map; ls /proc | grep -c ^1$"
    )
    assert said[:3] == ["0", "nobody", "builder"]
    assert said[3].split() == ["0", "1", "65536"]


def test_what_it_sees(output: Output, tmp_path: pathlib.Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "file").write_text("read me")
    secret = tmp_path / "secret"
    secret.write_text("no")
    said = lines(
        output,
        f"cat /mine/file; echo; ls /dev; ls {secret} /home /root /run",
        binds={"/mine": str(tmp_path / "given")},
        check=False,
    )
    assert said[0] == "read me"
    devices = set(said[1 : said.index("zero") + 1])
    assert {"null", "zero", "full", "random", "urandom", "tty", "ptmx"} <= devices
    assert not [name for name in devices if name.startswith(("vd", "sd", "loop", "mem", "kmsg", "fuse"))]
    assert sum("No such file" in line for line in said) == 3
    assert said[-1] == "lock"  # of /run


@pytest.mark.parametrize(
    "attack",
    [
        "touch {0}/marker",
        "rm -rf {0}",
        "echo x > /etc/hostname",
        "mount -o remount,rw /etc && touch /etc/distrogate-test",
        "umount /etc && touch /etc/distrogate-test",
        "touch /usr/distrogate-test",
        "mknod disk b 254 0 && cat disk",
        "mknod /dev/disk b 254 0 && cat /dev/disk",
        "echo x > /mine/file",
        "mount -o remount,rw /mine && echo x > /mine/file",
        "echo evil > /proc/sys/kernel/core_pattern",
        "echo c > /proc/sysrq-trigger",
        "mount -o remount,rw /sys && echo 1 > /sys/kernel/mm/ksm/run",
        "losetup -f",
        "kill -9 {1}",
    ],
)
def test_nothing_of_the_host_is_touched(output: Output, tmp_path: pathlib.Path, attack: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("before")
    words = attack.format(tmp_path / "mine", os.getpid())
    with output.place() as place:
        done = place.run(
            ["sh", "-c", f"({words}) && exit 0; exit 7"], binds={"/mine": str(tmp_path / "mine")}, check=False
        )
    assert done.status == 7 or "rm -rf" in attack, output.text()
    assert (tmp_path / "mine" / "file").read_text() == "before"
    assert not os.path.exists("/etc/distrogate-test") and not os.path.exists("/usr/distrogate-test")
    assert sorted(os.listdir(tmp_path / "mine")) == ["file"]


def test_what_the_caller_gives_is_out_of_reach(output: Output) -> None:
    with output.place() as place:
        pathlib.Path(place.given, "settings").write_text("ours")
        script = 'rm "$1/settings"; ln -sf /etc/passwd "$1/settings"; cat "$1/settings"'
        said = place.run(["sh", "-c", script, "x", place.given]).text
        assert said.endswith("ours") and pathlib.Path(place.given, "settings").read_text() == "ours"


def test_results_are_the_callers_own(output: Output) -> None:
    with output.place() as place:
        place.run(["touch", f"{place.out}/result"])
        assert os.stat(f"{place.out}/result").st_uid != os.getuid()
        place.own(f"{place.out}/result")
        assert os.stat(f"{place.out}/result").st_uid == os.getuid()
    assert output.work() == []


def test_time_limit(output: Output) -> None:
    with output.place(timeout=1) as place:
        error = refusal(lambda: place.run(["sh", "-c", "echo nearly there; (sleep 300 &); sleep 300"]))
    assert error.reason == "timeout" and "within 1 s" in error.message
    assert error.message.endswith("nearly there") and error.details["log"] == output.log
    assert output.work() == []


def test_a_failure_shows_the_last_lines(output: Output) -> None:
    with output.place() as place:
        error = refusal(
            lambda: place.run(["sh", "-c", "seq 100; echo no such mirror >&2; exit 9"], label="fetch it")
        )
    assert error.reason == "command_failed" and error.details["status"] == 9
    assert error.message.startswith("fetch ended with status 9; the build of small stops.")
    assert error.message.endswith("99\n100\nno such mirror") and "\n50\n" not in error.message
    assert "$ fetch it\n1\n2\n" in output.text()


def test_statuses_that_are_no_failure(output: Output) -> None:
    with output.place() as place:
        assert place.run(["sh", "-c", "exit 75"], accept=(75,)).status == 75
        assert refusal(lambda: place.run(["sh", "-c", "exit 76"], accept=(75,))).reason == "command_failed"


def test_what_it_starts_ends_with_it(output: Output) -> None:
    with output.place() as place:
        place.run(["sh", "-c", "sleep 4711 & exec sleep 0"])
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            assert b"4711" not in pathlib.Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue


def test_secrets_are_on_no_command_line(output: Output) -> None:
    script = (
        "echo $TOKEN; cat /proc/*/cmdline /proc/1/environ 2> /dev/null | tr '\\0' '\\n' | grep -c hunter[2]"
    )
    said = lines(output, script, environment={"TOKEN": "hunter2"}, check=False)
    assert said == ["hunter2", "0"] and "hunter2" not in output.text().splitlines()[0]


def test_two_places_at_once(output: Output) -> None:
    with output.place() as one, output.place() as two:
        assert one.directory != two.directory
        assert two.run(["ls", os.path.dirname(one.place)]).text.split() == [os.path.basename(two.place)]
        assert len(output.work()) == 2
    assert output.work() == []
