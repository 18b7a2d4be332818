# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in a real Glance: published once and verified, moved, hidden, removed, whatever dies meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from ansible_collections.distrogate.ci.tests.real.glance.config import auth
from ansible_collections.distrogate.ci.tests.real.glance.publisher import Publisher
from ansible_collections.distrogate.ci.tests.real.glance.service import PASSWORD

KILLS = int(os.environ.get("DISTROGATE_KILLS", "6"))  # instants, by chance
LARGE = 256 << 20


def test_published_as_predicted_and_once(publisher: Publisher) -> None:
    image = publisher.artifact("a")
    publisher(image, version="1.0.0", check=True)
    expected = publisher.difference
    assert publisher.changed and publisher.names() == {}
    (row,) = publisher(image, version="1.0.0", properties={"hw_disk_bus": "scsi"})["published"]
    assert publisher.difference == expected
    publisher(image, version="1.0.0", properties={"hw_disk_bus": "scsi"})
    assert not publisher.changed
    sdk = publisher.cloud.sdk()
    found = sdk.image.get_image(row["image"])
    data = (publisher.incoming / "a.raw").read_bytes()
    assert (found.hash_algo, found.hash_value) == ("sha512", hashlib.sha512(data).hexdigest())
    assert found.tags == ["1.0.0"] and found.hw_disk_bus == "scsi"
    assert hashlib.sha256(sdk.image.download_image(found).content).hexdigest() == image["sha256"]


def test_old_ones_are_hidden_and_go_and_a_reader_always_finds_one(publisher: Publisher) -> None:
    publisher(publisher.artifact("a"))
    done, seen = threading.Event(), []

    def read() -> None:
        sdk = publisher.cloud.sdk()
        query = {"distrogate_name": publisher.name, "distrogate_channel_latest": "current"}
        while not done.is_set():
            images = sdk.image.get("/images", params=query).json()["images"]
            seen.append([image["status"] for image in images])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for word in "bc":
            publisher(publisher.artifact(word), keep=1)
        assert publisher.names() == {"a": "hidden", "b": "previous", "c": "current"}
        result = publisher(publisher.artifact("d"), keep=1)
    finally:
        done.set()
        reader.join()
    assert len(result["removed"]) == 1 and publisher.names() == {
        "b": "hidden",
        "c": "previous",
        "d": "current",
    }
    assert len(seen) > 10 and all(found in (["active"], ["active"] * 2) for found in seen)


def test_transactions(publisher: Publisher) -> None:
    publisher(publisher.artifact("a"))
    publisher(publisher.artifact("b"), state="prepared", transaction="one")
    publisher(state="undone", transaction="one")
    assert publisher.names() == {"a": "current"}
    publisher(publisher.artifact("b"), state="prepared", transaction="two")
    publisher(state="committed", transaction="two")
    assert publisher.names() == {"a": "previous", "b": "current"}
    publisher(state="undone", transaction="two", keep=5)
    assert publisher.names() == {"a": "current", "b": "hidden"}


def test_refused_deactivated_and_lost(publisher: Publisher) -> None:
    """What Glance does not allow, and what others do to the images, block nobody."""
    image = publisher.artifact("a")
    found = publisher(image)["published"][0]["image"]
    too_many = {f"name_{number}": "x" for number in range(200)}
    error = publisher.refused(image, version="1.0.0", properties=too_many)
    assert error.reason == "glance_failed" and "No name has moved" in error.message
    sdk = publisher.cloud.sdk()
    assert sdk.image.post(f"/images/{found}/actions/deactivate").status_code == 204
    assert publisher.refused(image).reason == "image_deactivated"
    made = publisher(publisher.artifact("b"), transaction="one")["published"][0]["image"]
    assert publisher.refused(state="undone", transaction="one").reason == "image_deactivated"
    assert sdk.image.post(f"/images/{found}/actions/reactivate").status_code == 204
    assert publisher.names() == {"a": "previous", "b": "current"}
    publisher(publisher.artifact("c"), state="prepared", transaction="two")
    for one in sdk.image.get("/images", params={"os_hidden": "true"}).json()["images"]:
        if one.get("distrogate_name") == publisher.name:
            sdk.image.delete(f"/images/{one['id']}")
    assert publisher.refused(state="committed", transaction="two").reason == "unknown_transaction"
    assert sdk.image.get(f"/images/{made}").json()["distrogate_channel_latest"] == "current"
    publisher(publisher.artifact("c"))
    assert publisher.names() == {"b": "previous", "c": "current"}


def test_killed_at_random_instants(publisher: Publisher) -> None:
    publisher(publisher.artifact("a"))
    image = publisher.artifact("b", 32 << 20)
    began = time.monotonic()
    child = publisher.start(publisher.artifact("c", 32 << 20))
    output = child.communicate()[0]
    assert child.returncode == 0, output
    lasts, seed = time.monotonic() - began, random.randrange(1 << 30)
    dice = random.Random(seed)
    for number in range(KILLS):
        child = publisher.start(image)
        time.sleep(dice.uniform(0.3, 1) * lasts)
        child.kill()
        child.communicate()
        assert publisher.current(), f"seed {seed}, kill {number}"
    publisher(image)
    assert publisher.names() == {"b": "current", "c": "previous"}, f"seed {seed}"
    assert _no_bytes_without_an_image(publisher)


def _no_bytes_without_an_image(publisher: Publisher) -> bool:
    """Glance keeps nothing of what was given up."""
    sdk = publisher.cloud.sdk()
    known = {image.id for hidden in (False, True) for image in sdk.image.images(is_hidden=hidden)}
    return {path.name for path in publisher.cloud.images.iterdir()} <= known


def test_glance_dies_during_the_upload(publisher: Publisher) -> None:
    publisher(publisher.artifact("a"))
    image = publisher.artifact("b", LARGE)
    before = {path.name for path in publisher.cloud.images.iterdir()}
    killer = threading.Thread(target=_kill_when_it_writes, args=(publisher, before))
    killer.start()
    error = publisher.refused(image)
    killer.join()
    assert error.reason == "cloud_unreachable" and "removed by the next run" in error.message, error.message
    assert PASSWORD not in error.message
    publisher.cloud.glance.start()
    assert publisher.current() == [publisher.artifact("a")["key"]]
    publisher(image)
    assert publisher.names() == {"a": "previous", "b": "current"}
    assert (
        publisher.refused(publisher.artifact("a"), auth=auth("http://127.0.0.1:9/v3")).reason
        == "cloud_unreachable"
    )


def _kill_when_it_writes(publisher: Publisher, before: set[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        new = [path for path in publisher.cloud.images.iterdir() if path.name not in before]
        if any(path.stat().st_size > 8 << 20 for path in new):
            break
        time.sleep(0.01)
    publisher.cloud.glance.end()


def test_a_large_image_takes_no_memory(publisher: Publisher) -> None:
    """The greatest size of a process that sends an image larger than what it may have."""
    child = publisher.start(publisher.artifact("a", LARGE))
    largest = 0
    while child.poll() is None:
        try:
            status = Path(f"/proc/{child.pid}/status").read_text()
        except OSError:
            break
        sizes = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
        largest = max(largest, *sizes, 0)
        time.sleep(0.05)
    assert child.wait() == 0
    assert largest < 160 << 10, f"{largest >> 10} MiB"


def test_a_stranger_with_our_properties_is_nobody(publisher: Publisher) -> None:
    """Another project shares an image with all, which says that it is the latest."""
    import openstack

    stranger = openstack.connect(
        auth={**auth(publisher.cloud.auth_url, "stranger", "others"), "password": PASSWORD},
        region_name="R1",
        load_yaml_config=False,
        load_envvars=False,
    )
    image = publisher.artifact("a")
    values = {
        "name": "x",
        "visibility": "community",
        "disk_format": "raw",
        "container_format": "bare",
        "distrogate_name": publisher.name,
        "distrogate_key": image["key"],
        "distrogate_sha256": image["sha256"],
        "distrogate_state": "published",
        "distrogate_channel_latest": "current",
    }
    made = stranger.image.post("/images", json=values).json()
    stranger.image.put(
        f"/images/{made['id']}/file", data=b"x", headers={"Content-Type": "application/octet-stream"}
    )
    (row,) = publisher(image)["published"]
    assert row["image"] != made["id"]
    assert stranger.image.get(f"/images/{made['id']}").json()["distrogate_channel_latest"] == "current"


def test_as_a_task_no_secret_is_shown(publisher: Publisher, tmp_path: Path) -> None:
    image = publisher.artifact("a")
    options = {name: value for name, value in publisher.options(image).items() if value is not None}
    task = {"distrogate.ci.glance_publish": options}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "play.json").write_text(json.dumps(play))
    argv = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-vvv",
        "--diff",
        "-i",
        "localhost,",
        "play.json",
    ]
    extra = {"ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"), "HOME": str(tmp_path)}
    python = ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [*argv, *python],
        cwd=tmp_path,
        env={**os.environ, **extra},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "changed=1" in done.stdout
    # The playbook itself holds it here; what Ansible says of the task and its result does not.
    assert PASSWORD not in done.stdout + done.stderr
    assert '"username": "publisher"' in done.stdout, "and what is no secret is"
    assert publisher.names() == {"a": "current"}
