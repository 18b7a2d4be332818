from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.tests.tools import shipped_text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("src: ../../inventories/small/hosts.yml", 1),
        ("file: docs/run.schema.json", 1),
        ("ansible.builtin.set_fact:", 1),
        ("ignore_errors: true", 1),
        ("path: /usr/share/docs/x", 0),
        ("ansible.builtin.command: make", 0),
    ],
)
def test_problems(tmp_path: Path, text: str, count: int) -> None:
    (tmp_path / "main.yml").write_text(f"---\n{text}\n")
    assert len(list(shipped_text.problems(tmp_path))) == count
    assert shipped_text.main([str(tmp_path)]) == min(count, 1)
