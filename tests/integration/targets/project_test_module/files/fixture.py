"""Make a root filesystem of busybox, and a run with a checkout, in the folder that is named."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

place = pathlib.Path(sys.argv[1])
root = place / "rootfs"
for name in ("bin", "proc", "dev", "etc", "root", "tmp"):
    (root / name).mkdir(parents=True)
(root / "etc").chmod(0o777)  # it belongs to nobody whom the sandbox knows
shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin" / "busybox")
for name in ("sh", "cat", "chown", "echo", "grep", "mkdir", "tar", "tee"):
    (root / "bin" / name).symlink_to("busybox")
install = root / "bin" / "install"  # busybox has none
install.write_text(
    "#!/bin/sh\nfor word; do case $word in -*) ;; *) mkdir -p $word; chown 1000:1000 $word ;; esac; done\n"
)
install.chmod(0o755)

run = place / "run"
for name in ("stages", "workspace/service"):
    (run / name).mkdir(parents=True)
(run / "workspace/service/code").write_text("good\n")
(run / "run.json").write_text(json.dumps({"version": 1, "queue": [{"project": "service"}]}))
known = {"path": "workspace/service", "tree": "0a1b", "date": 1760000000}
stage = {
    "stage": "workspace",
    "verdict": "success",
    "started_ns": 1,
    "artifacts": [],
    "facts": {"projects": {}},
}
stage["facts"]["projects"]["service"] = known
(run / "stages/workspace.json").write_text(json.dumps(stage))
