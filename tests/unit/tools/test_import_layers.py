from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.tests.tools import import_layers

UTILS = f"{import_layers.ROOT}.module_utils"


def problems(plugins: Path, path: str, source: str) -> list[str]:
    file = plugins / path
    file.parent.mkdir(parents=True)
    file.write_text(source)
    return list(import_layers.problems(plugins))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("modules/te.py", f"from {UTILS}._leases.te import Te"),
        ("action/te.py", f"import {UTILS}._bundles.seal"),
        ("module_utils/_leases/te.py", f"from {UTILS}._core import store"),
        ("module_utils/_leases/te.py", "from .._core.store import Store"),
        ("module_utils/_leases/te.py", "from . import errors"),
        ("module_utils/_core/store.py", "from .atomic import replace\nimport json"),
    ],
)
def test_allowed(tmp_path: Path, path: str, source: str) -> None:
    assert problems(tmp_path, path, source) == []


@pytest.mark.parametrize(
    ("path", "source", "reason"),
    [
        ("module_utils/_leases/te.py", f"from {UTILS}._packages.apt import Suite", "the domain _packages"),
        ("module_utils/_leases/te.py", f"from {UTILS} import _packages", "the domain _packages"),
        ("module_utils/_leases/te.py", "from .._packages import apt", "the domain _packages"),
        ("module_utils/_leases/te.py", "from .. import _packages", "the domain _packages"),
        ("module_utils/_core/store.py", f"import {UTILS}._leases.te", "must not import a domain"),
        ("module_utils/_core/store.py", "def f():\n    from .._leases import te", "must not import a domain"),
        ("module_utils/_leases/te.py", f"from {import_layers.ROOT}.modules import te", "import a plugin"),
        ("module_utils/common/te.py", "", "neither _core nor a domain"),
    ],
)
def test_refused(tmp_path: Path, path: str, source: str, reason: str) -> None:
    (problem,) = problems(tmp_path, path, source)
    assert reason in problem


def test_exit_code(tmp_path: Path) -> None:
    assert import_layers.main(str(tmp_path)) == 0
    problems(tmp_path, "module_utils/common/te.py", "")
    assert import_layers.main(str(tmp_path)) == 1
