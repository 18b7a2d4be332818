# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start or end a registry on a free port, or push an image: ``registry.py start|stop|push FOLDER …``."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

IMAGE = "application/vnd.oci.image.manifest.v1+json"


def start(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}},"
        f" delete: {{enabled: true}}}}\nhttp: {{addr: '127.0.0.1:{port}', secret: tests}}\n"
    )
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(process.pid))
    for _attempt in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            print(f"http://127.0.0.1:{port}")
            return
        time.sleep(0.05)
    raise SystemExit("the registry did not start")


def stop(folder: pathlib.Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        pid = int((folder / "pid").read_text())
        (folder / "pid").unlink()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def ask(method: str, url: str, data: bytes = b"", kind: str = "application/octet-stream") -> str:
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers.get("Location", ""))


def push(_folder: pathlib.Path, url: str, repository: str, tag: str) -> None:
    """An image that is all its own; prints what a bundle says of it."""
    rows = []
    for kind in ("config.v1+json", "layer.v1.tar"):
        data = json.dumps({"os": "linux", "name": f"{repository}:{tag}:{kind}"}).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        location = urllib.parse.urljoin(url, ask("POST", f"{url}/v2/{repository}/blobs/uploads/"))
        ask("PUT", f"{location}&digest={digest}", data)
        row = {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(data)}
        rows.append(row)
    value = {"schemaVersion": 2, "mediaType": IMAGE, "config": rows[0], "layers": rows[1:]}
    manifest = json.dumps(value).encode()
    ask("PUT", f"{url}/v2/{repository}/manifests/{tag}", manifest, IMAGE)
    artifact = {
        "type": "oci_image",
        "name": repository.rpartition("/")[2],
        "sha256": hashlib.sha256(manifest).hexdigest(),
        "size": len(manifest) + sum(row["size"] for row in rows),
        "registry": url,
        "repository": repository,
        "media_type": IMAGE,
    }
    print(json.dumps(artifact))


{"start": start, "stop": stop, "push": push}[sys.argv[1]](pathlib.Path(sys.argv[2]), *sys.argv[3:])
