"""Makes a HOME, in the folder that is named, in which ansible-test can fill its virtual environments.

ansible-test would download get-pip from a server of its own, and hides PIP_* variables from pip. Here get-pip
is a few lines around pip's own wheel, fetched as any other package, and pip's settings are put into a file.
"""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys
from pathlib import Path

PIP = "24.2"  # the one that ansible-test of ansible-core 2.19 asks for
SHIM = """\
import sys
sys.path.insert(0, {wheel!r})
from pip._internal.cli.main import main
sys.exit(main(["install"] + [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]))
"""


def pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def settings() -> configparser.RawConfigParser:
    config = configparser.RawConfigParser()
    config.add_section("global")
    config.set("global", "quiet", "2")
    for line in sorted(pip("config", "list").splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, key = name.rsplit(".", 1)
        section = "global" if section == ":env:" else section  # sorted last: the environment wins
        if not config.has_section(section):
            config.add_section(section)
        config.set(section, key, ast.literal_eval(value).replace("\n", "\n\t"))
    return config


def main() -> None:
    home = Path(sys.argv[1]).resolve()
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("pip-*.whl")):
        pip("download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={PIP}")
    (wheel,) = cache.glob("pip-*.whl")
    (cache / f"get_pip_{PIP.replace('.', '_')}.py").write_text(SHIM.format(wheel=str(wheel)))
    conf = home / ".config/pip/pip.conf"
    conf.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        settings().write(stream)
    print(home)


if __name__ == "__main__":
    main()
