# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that reads an rpm repository as dnf does; it runs by itself, with dnf's own interpreter.

dnf's command line has no way to fetch packages without what they depend on
unless plugins are installed; the API under it (dnf.readthedocs.io) has one.
Standard input is a JSON object: the folder ``scratch``, ``url``, ``key`` (a URL),
``signed``, and ``packages``, a list of [name, evr, architecture].
"""

from __future__ import annotations

import json
import logging
import os
import sys
import typing as t


def _base(dnf: t.Any, wanted: dict[str, t.Any]) -> t.Any:
    """dnf with nothing of this machine: no repositories, plugins, cache or installed packages."""
    base = dnf.Base()
    conf, scratch = base.conf, wanted["scratch"]
    for name in ("cachedir", "persistdir", "logdir", "installroot"):
        os.makedirs(f"{scratch}/{name}")
        setattr(conf, name, f"{scratch}/{name}")
    conf.reposdir, conf.pluginpath, conf.pluginconfpath, conf.varsdir = [], [], [], []
    conf.plugins, conf.zchunk = False, False
    conf.substitutions["releasever"] = "1"
    return base


def _repository(dnf: t.Any, base: t.Any, wanted: dict[str, t.Any]) -> t.Any:
    class Agree(dnf.callback.KeyImport):  # type: ignore[misc]
        """The key is the one that the caller gave; there is nobody to ask."""

        def _confirm(self, *_: object) -> bool:
            return True

    repository = base.repos.add_new_repo(
        "verified",
        base.conf,
        baseurl=[wanted["url"]],
        gpgkey=[wanted["key"]],
        repo_gpgcheck=True,
        gpgcheck=wanted["signed"],
        skip_if_unavailable=False,
    )
    repository.load_metadata_other = True
    repository._set_key_import(Agree())
    return repository


def _check_signature(base: t.Any, package: t.Any) -> None:
    result, why = base.package_signature_check(package)
    if result == 1:  # the key is not in this empty root yet
        base.package_import_key(package, fullaskcb=lambda _: True)
        result, why = base.package_signature_check(package)
    if result:
        raise ValueError(why or "its signature does not verify")


def main() -> str:
    """Read the metadata and the packages; returns what is wrong, or an empty text."""
    import dnf
    import dnf.callback

    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="%(message)s")
    wanted = json.load(sys.stdin)
    reading = f"the metadata of {wanted['url']}"
    try:
        with _base(dnf, wanted) as base:
            _repository(dnf, base, wanted)
            base.fill_sack(load_system_repo=False)
            base.read_comps(arch_filter=False)
            packages = []
            for name, evr, architecture in wanted["packages"]:
                reading = f"the entry of {name}-{evr}.{architecture}"
                found = base.sack.query().available().filter(name=name, evr=evr, arch=architecture).run()
                if len(found) != 1:
                    return f"{reading}: it is there {len(found)} times."
                packages += found
            reading = "the packages"
            base.download_packages(packages)
            for package in packages if wanted["signed"] else []:
                reading = f"the signature of {package}"
                _check_signature(base, package)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the client cannot read the repository
        return f"{reading}: {error}"
    return ""


if __name__ == "__main__":
    raise SystemExit(main() or None)
