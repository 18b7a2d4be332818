from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "repositories"


def test_root(host):
    root = host.file(str(ROOT))
    assert root.is_directory
    assert not root.mode & 0o002


@pytest.mark.parametrize("program", ["gpg", "rsync"])
def test_program(host, program):
    assert host.exists(program)


@pytest.mark.parametrize("module", ["createrepo_c", "rpm"])
def test_python_module(host, module):
    assert host.run(f"/usr/bin/python3 -c 'import {module}'").succeeded
