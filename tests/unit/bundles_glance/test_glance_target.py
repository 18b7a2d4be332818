# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion asks of a target in Glance, and what it refuses to write down."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import names_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_plans import plan_targets

Json = dict[str, t.Any]
IMAGES = [
    {"type": "image", "name": name, "path": name, "sha256": "1" * 64} for name in ("a.qcow2", "b.qcow2")
]


class Hosts:
    """Every host is there."""

    def check(self, _host: str) -> None:
        """Yes."""


def plans(**more: t.Any) -> list[Json]:
    arguments = {"name": "appliance", "cloud": "production", **more.pop("arguments", {})}
    target = {"host": "here", "plugin": "glance_publish", "artifact_types": ["image"], "arguments": arguments}
    return plan_targets(t.cast(t.Any, Hosts()), [{**target, **more}], {"artifacts": IMAGES}, 5)


def test_it_takes_the_images_that_are_named() -> None:
    (all_of_them,) = plans()
    assert [one["name"] for one in all_of_them["files"]] == ["a.qcow2", "b.qcow2"]
    (one,) = plans(artifact_names=["a.*"])
    assert [image["name"] for image in one["files"]] == ["a.qcow2"]
    assert plans(artifact_names=["c.*"]) == [], "and is left out when there is none"
    assert one["place"] == "appliance/production" and one["incoming"] == "/var/lib/distrogate/incoming"


def test_no_secret_is_written_down() -> None:
    for arguments in ({"password": "x"}, {"auth": {"auth_url": "y", "password": "x"}}):
        with pytest.raises(DistrogateError, match="hold a secret") as caught:
            plans(arguments=arguments)
        assert caught.value.reason == "bad_target"


def test_the_image_has_the_names() -> None:
    (plan,) = plans()
    journal = {"channel": "latest", "version": "4.0.0"}
    names = list(names_of(plan, {"state_digest": "sha256:2"}, journal))
    assert names == [("appliance/production", word, "sha256:2") for word in ("latest", "4.0.0")]
