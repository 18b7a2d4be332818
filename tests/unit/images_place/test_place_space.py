# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Too little space, before a build and during it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

if t.TYPE_CHECKING:
    from conftest import Output

_FILL = "head -c 30M /dev/zero > file"


def refusal(call: t.Callable[[], t.Any]) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value


def test_before(output: Output) -> None:
    error = refusal(lambda: output.place(free_space=1 << 60).__enter__())
    assert error.reason == "disk_full" and "1099511627776 MiB must stay free" in error.message
    assert output.path in error.message and output.work() == []


def test_during(output: Output, monkeypatch: t.Any) -> None:
    with output.place() as place:
        free = iter([10 << 20])
        monkeypatch.setattr(BuildPlace, "free", lambda _self: next(free, 1000))
        error = refusal(lambda: place.run(["sh", "-c", "echo unpacks; sleep 300"]))
    assert error.reason == "disk_full" and error.message.endswith("unpacks")
    assert output.work() == []


def test_a_disk_that_is_full(tmp_path: pathlib.Path) -> None:
    """A real one: the build ends with an error, and nothing of it stays."""
    small = tmp_path / "small"
    small.mkdir()
    program = """
import sys
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
try:
    with BuildPlace(sys.argv[1], "small", log=sys.argv[2], timeout=60, free_space=int(sys.argv[3])) as place:
        place.run(["sh", "-c", "echo writes; " + sys.argv[4]])
except DistrogateError as error:
    print(error.reason, error.message)
import os
print(os.listdir(sys.argv[1] + "/.work"), os.statvfs(sys.argv[1]).f_bfree * 4096 > 15 << 20)
"""
    inside = 'mount -t tmpfs -o size=20m,mode=777 small "$1" && shift && exec "$@"'
    for space, script in (("0", _FILL), (str(8 << 20), "head -c 15M /dev/zero > file; sleep 300")):
        words = [sys.executable, "-c", program, str(small), str(tmp_path / "log"), space, script]
        done = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "sh", "-c", inside, "x", str(small), *words]
            if os.getuid()
            else ["unshare", "--mount", "sh", "-c", inside, "x", str(small), *words],
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout.startswith("disk_full There is too little space"), done.stdout + done.stderr
        assert "writes" in done.stdout and done.stdout.endswith(
            "['lock'] True\n".replace("['lock']", "['lock']")
        )
