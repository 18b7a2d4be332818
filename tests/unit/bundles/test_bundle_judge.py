# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion reads of a bundle before it judges: the run directory, and the archive."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from bundle_samples import CONTENTS, signed

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _run_files, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge, Verdict

Json = dict[str, t.Any]
HOLD: Json = {"name": "cve", "author": "Ada", "reason": "CVE-2026-1", "at_ns": 10}


class OneHost:
    """The controller is the builder, and modules are called as functions."""

    own = "builder"

    def run(self, host: str, module: str, arguments: Json) -> Json:
        assert (host, module) == ("builder", "distrogate.ci.run_files")
        return _run_files.read_run(arguments["run_dir"], arguments["check"])


class Place:
    """A run directory with a sealed bundle, and an archive that has it, too."""

    def __init__(self, folder: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> None:
        self.run = folder / "run"
        self.store, self.bundle, self.key = store, bundle, key
        self.archive = Archive(str(folder / "archive"))
        self.texts = signed(bundle, key)
        text = _bundle.bundle_text(bundle)
        files = {"run.json": "{}", "bundle.json": text, **{path: data.decode() for path, data in CONTENTS.items()}}
        for name, content in {**files, **{f"statements/{n}": s for n, s in self.texts.items()}}.items():
            path = self.run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.archive.add(bundle["digest"], text, self.texts)

    def hold(self, name: str = "hold-1.json") -> str:
        """A hold that the archive alone has, as when it was placed before this run directory was restored."""
        value = _statements.statement(self.bundle["digest"], _statements.HOLD, HOLD)
        text = _statements.sign(value, self.key)
        self.archive.add(self.bundle["digest"], None, {name: text})
        return text

    def judge(self) -> Verdict:
        hosts: t.Any = OneHost()
        judge = Judge(hosts, self.store, {}, self.key.public, self.archive.root)
        return judge.judge("latest", None, judge.located(None, str(self.run)), False)

    def rules(self) -> list[str]:
        return [reason["rule"] for reason in self.judge().refused]


@pytest.fixture
def place(tmp_path: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> Place:
    return Place(tmp_path, store, bundle, key)


def test_a_hold_of_the_archive_counts(place: Place) -> None:
    assert place.rules() == []
    place.hold()
    assert place.rules() == ["holds"]


def test_no_file_of_the_run_directory_hides_one_of_the_archive(place: Place) -> None:
    """Names are not signed: who may write there could give a good statement the name of a hold."""
    place.hold("hold-1.json")
    (place.run / "statements/hold-1.json").write_text(place.texts["provenance.json"])
    assert place.rules() == ["holds"]


@pytest.mark.parametrize("where", ["run", "archive"])
def test_a_statement_that_cannot_be_read_is_not_left_out(
    place: Place, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk or a permission that fails must not make a hold disappear."""
    text = place.hold()
    if where == "run":
        (place.run / "statements/hold-1.json").write_text(text)
    real = _run_files.os.open

    def failing(path: str, *more: t.Any) -> int:
        if path.endswith("/hold-1.json") and str(place.run if where == "run" else place.archive.root) in path:
            raise OSError(5, "Input/output error", path)
        return real(path, *more)

    monkeypatch.setattr(_run_files.os, "open", failing)
    with pytest.raises(DistrogateError) as raised:
        place.judge()
    assert raised.value.reason == "io_error"
    assert "hold-1.json" in raised.value.message
