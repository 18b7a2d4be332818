# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion reads of a bundle, in its run directory and in the archive, and what it says of it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from judge_site import JudgeSite, failing

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import together
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_targets import HostTarget

Json = dict[str, t.Any]
HOLD = {"name": "wait", "author": "Ada", "reason": "The lab is down", "at_ns": 5}


@pytest.fixture
def site(tmp_path: pathlib.Path, store: Store, bundle: Json, key: _statements.SigningKey) -> JudgeSite:
    return JudgeSite(tmp_path, store, bundle, key)


def rules(site: JudgeSite, back: bool = False) -> list[str]:
    """The rules that say no."""
    verdict = site.judge().judge("latest", site.digest, site.origin, back)
    return [reason["rule"] for reason in verdict.refused if reason["rule"] != "artifact"]


def test_a_file_of_the_run_directory_hides_no_hold(site: JudgeSite) -> None:
    assert rules(site) == []
    site.archive.add(site.digest, None, {"hold-wait.json": site.envelope(_statements.HOLD, **HOLD)})
    assert rules(site) == ["holds"]
    (site.run_dir / "statements/hold-wait.json").write_text(sorted(site.statements.values())[0])
    assert rules(site) == ["holds"]
    assert rules(site, back=True) == ["holds"]


def test_what_only_the_run_directory_says_counts_too(site: JudgeSite) -> None:
    """Under a name that the archive has for something else."""
    name = sorted(site.statements)[0]
    text = site.envelope(_statements.HOLD, **HOLD)
    (site.run_dir / "statements" / name).write_text(text)
    assert rules(site) == ["holds"]
    texts = site.judge().judge("latest", site.digest, site.origin, False).texts
    assert texts.statements[name] == site.statements[name]
    assert sorted(texts.statements.values()) == sorted([*site.statements.values(), text])


def test_one_name_for_three_texts() -> None:
    found = together({"a.json": "1"}, {"a.json": "2"})
    again = together(found, {"a.json": "3"})
    assert sorted(again.values()) == ["1", "2", "3"]
    (other,) = set(found) - {"a.json"}
    assert sorted(together({**found, other: "4"}, {"a.json": "2"}).values()) == ["1", "2", "4"]
    assert together(again, {"a.json": "2"}) == again


def test_an_earlier_bundle_whose_run_directory_is_gone(site: JudgeSite) -> None:
    site.lose_run()
    verdict = site.judge().judge("latest", site.digest, site.origin, True)
    assert verdict.refused == []
    with pytest.raises(DistrogateError, match="Put its run directory back, or give the archive") as caught:
        site.judge(archived=False).judge("latest", site.digest, site.origin, True)
    assert caught.value.reason == "bundle_gone"


def test_an_earlier_bundle_whose_run_directory_is_another_run_now(site: JudgeSite) -> None:
    (site.run_dir / "bundle.json").write_text(site.text.replace(site.digest, "sha256:" + "0" * 64))
    assert site.judge().judge("latest", site.digest, site.origin, True).refused == []
    verdict = site.judge(archived=False).judge("latest", site.digest, site.origin, True)
    assert [reason["rule"] for reason in verdict.refused] == ["bundle"]


def test_the_statement_of_a_roll_back_goes_where_the_bundle_still_is(site: JudgeSite) -> None:
    world, journal = site.world(), site.journal("rolled_back")
    site.lose_run()
    world.publish_statement(journal)
    assert journal["statement"] in site.archive.statements(site.digest).values()
    assert not site.run_dir.exists()


def plans(**more: t.Any) -> list[Json]:
    """A registry, and a repository of packages."""
    row = {"host": "here", "from_environment": None, "timeout": 5, "attach": False, "files": []}
    image = {"name": "nova", "type": "oci_image", "sha256": "1" * 64}
    arguments = {"registry": "http://127.0.0.1:5000", "repository": "cloud/{name}"}
    oci = {"plugin": "oci_publish", "arguments": arguments, "files": [image], "attach": True, **more}
    return [{**row, "plugin": "apt_publish", "arguments": {"root": "/srv"}}, {**row, **oci}]


def test_images_get_what_is_said_of_their_bundle(site: JudgeSite, other_key: t.Any) -> None:
    world, journal = site.world(), site.journal()
    stranger = site.envelope(_statements.PROMOTION, other_key, channel="theirs")
    (site.run_dir / "statements/theirs.json").write_text(stranger)
    site.hosts.answers["oci_publish"] = lambda _arguments: {"changed": True}
    world.attach_statements(journal, plans())
    (told,) = site.hosts.told("oci_publish")
    attached = [one["envelope"] for one in told["attach"]]
    assert sorted(attached) == sorted([*site.statements.values(), journal["statement"]]), "and no stranger's"
    assert told["state"] == "attached"
    assert told["artifacts"] == plans()[1]["files"]
    assert told["repository"] == "cloud/{name}"
    world.attach_statements(journal, plans(attach=False))
    assert len(site.hosts.told("oci_publish")) == 1


def test_images_get_the_promotion_alone_when_nobody_has_the_rest(site: JudgeSite) -> None:
    world, journal = site.world(archived=False), site.journal()
    site.lose_run()
    site.hosts.answers["oci_publish"] = lambda _arguments: {"changed": True}
    world.attach_statements(journal, plans())
    (told,) = site.hosts.told("oci_publish")
    assert [one["envelope"] for one in told["attach"]] == [journal["statement"]]
    assert "is not read again" in "".join(site.lines)


def test_a_registry_that_takes_none_says_so(site: JudgeSite) -> None:
    site.hosts.answers["oci_publish"] = failing("registry_failed", "It takes none.")
    with pytest.raises(DistrogateError, match="It takes none"):
        site.world().attach_statements(site.journal(), plans())


class FilesOnHost:
    """file_publish on a host that has a set of files, or has it no more."""

    def __init__(self, site: JudgeSite, whole: bool) -> None:
        self.told: list[Json] = []
        self.whole = whole
        site.hosts.answers["file_publish"] = self.answer

    def answer(self, arguments: Json) -> Json:
        self.told.append(arguments)
        if not self.whole and not arguments.get("incoming"):
            raise DistrogateError("artifact_missing", "Files have to be brought.")
        return {"changed": True, "state_digest": "sha256:" + "2" * 64}


def target(site: JudgeSite, state: str) -> HostTarget:
    file = {"name": "cloud.qcow2", "path": "artifacts/cloud.qcow2", "sha256": "3" * 64}
    arguments = {"root": "/srv/files", "name": "cloud"}
    row = {"host": "builder", "plugin": "file_publish", "arguments": arguments, "timeout": 5, "files": [file]}
    plan = {**row, "incoming": "/srv/incoming", "from_environment": None}
    return HostTarget(t.cast(t.Any, site.hosts), plan, site.journal(state), "transaction")


def test_a_roll_back_takes_the_files_that_are_on_the_host(site: JudgeSite) -> None:
    asked = FilesOnHost(site, whole=True)
    journal = target(site, "rolled_back")
    site.lose_run()
    journal.prepare()
    (told,) = asked.told
    assert "incoming" not in told
    assert told["artifacts"][0]["sha256"] == "3" * 64


def test_a_roll_back_brings_the_files_that_are_gone_from_the_host(site: JudgeSite) -> None:
    asked = FilesOnHost(site, whole=False)
    target(site, "rolled_back").prepare()
    assert [told.get("incoming") for told in asked.told] == [None, str(site.run_dir)]


def test_a_promotion_brings_its_files(site: JudgeSite) -> None:
    asked = FilesOnHost(site, whole=False)
    target(site, "promoted").prepare()
    assert [told.get("incoming") for told in asked.told] == [str(site.run_dir)]
