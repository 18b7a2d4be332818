# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metadata of an rpm repository: primary, filelists, other, repomd.xml."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt_index import (
    compress,
    line,
    repository_url,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._deb import bad_package, open_package
from ansible_collections.distrogate.ci.plugins.module_utils._packages._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Json,
    Package,
    Rendered,
    Shown,
)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]{0,127}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
_HEADER = 64 << 20  # bytes of one header that librpm may be given
_KINDS = {
    "primary": (
        "metadata",
        ' xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"',
    ),
    "filelists": ("filelists", ' xmlns="http://linux.duke.edu/metadata/filelists"'),
    "other": ("otherdata", ' xmlns="http://linux.duke.edu/metadata/other"'),
}


def _bindings() -> t.Any:
    try:
        import createrepo_c
    except ImportError as error:
        raise DistrogateError(
            "missing_tool",
            "The Python module createrepo_c is missing on the repository host. Install python3-createrepo-c"
            " (Debian) or python3-createrepo_c (Fedora), and use the system's Python for modules.",
            tool="createrepo_c",
        ) from error
    return createrepo_c


def check_rpm(path: str) -> None:
    """Look at lead and header sizes before librpm does: it allocates what they say."""
    with open_package(path) as stream:
        total = os.fstat(stream.fileno()).st_size
        lead = stream.read(96)
        if len(lead) != 96 or lead[:4] != b"\xed\xab\xee\xdb":
            raise bad_package(path, "it is not an rpm")
        for which in ("signature", "main"):
            start = stream.tell()
            head = stream.read(16)
            if len(head) != 16 or head[:3] != b"\x8e\xad\xe8":
                raise bad_package(path, f"its {which} header is missing")
            entries, size = struct.unpack(">II", head[8:])
            length = 16 + 16 * entries + size
            if length > _HEADER or start + length > total:
                raise bad_package(path, f"its {which} header is cut off or larger than {_HEADER} bytes")
            if which == "signature":
                length += -length % 8
            stream.seek(start + length)


class Rpm:
    """One rpm repository."""

    kind = "rpm"
    scope = ""
    group = ""
    switch = "repodata/repomd.xml"

    def __init__(self, params: Json) -> None:
        self._params = params

    def read(self, path: str) -> Package:
        """Read an .rpm with the bindings of createrepo_c."""
        bindings = _bindings()
        check_rpm(path)
        try:
            found = bindings.package_from_rpm(path, bindings.SHA256, "", "", 10)
        except (bindings.CreaterepoCError, OSError, ValueError) as error:
            raise bad_package(path, str(error)) from error
        for what, pattern in (
            ("name", _NAME),
            ("version", _VERSION),
            ("release", _VERSION),
            ("arch", _ARCHITECTURE),
        ):
            value = getattr(found, what) or ""
            if not pattern.fullmatch(value):
                raise bad_package(path, f"its {what} {value[:80]!r} does not follow the rules of rpm")
        if found.arch in ("src", "nosrc") or not found.rpm_sourcerpm:
            raise DistrogateError(
                "unsupported", f"{path} is a source package; only binary packages are published."
            )
        epoch = f"{int(found.epoch)}:" if int(found.epoch or 0) else ""
        file = (
            f"packages/{found.name[0].lower()}/{found.name}-{found.version}-{found.release}.{found.arch}.rpm"
        )
        found.location_href = file
        found.time_file = found.time_build  # the arrival's time would give one package many stanzas
        try:
            primary, filelists, other = bindings.xml_dump(found)
        except (bindings.CreaterepoCError, ValueError) as error:
            raise bad_package(path, str(error)) from error
        return Package(
            name=found.name,
            version=f"{epoch}{found.version}-{found.release}",
            architecture=found.arch,
            sha256=found.pkgId,
            size=found.size_package,
            file=file,
            group="",
            index={"href": file, "primary": primary, "filelists": filelists, "other": other},
        )

    def settings(self, old: Json) -> Json:  # noqa: ARG002 -- an rpm repository has none
        """Nothing of what is signed can be set."""
        return {}

    def render(
        self,
        shown: list[Shown],
        settings: Json,  # noqa: ARG002 -- see there
        moment: int,
        signer: Signs,
    ) -> Rendered:
        """The three lists and the signed repomd.xml that names them by digest."""
        addressed: dict[str, bytes] = {}
        records = []
        for kind, (element, spaces) in _KINDS.items():
            body = "".join(_entry(one, kind) for one in shown)
            head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element}{spaces} packages="{len(shown)}">\n'
            data = f"{head}{body}</{element}>\n".encode("utf-8", "replace")
            packed = compress(data)
            digest = hashlib.sha256(packed).hexdigest()
            name = f"repodata/{digest}-{kind}.xml.gz"
            addressed[name] = packed
            records.append(
                f'  <data type="{kind}">\n    <checksum type="sha256">{digest}</checksum>\n'
                f'    <open-checksum type="sha256">{hashlib.sha256(data).hexdigest()}</open-checksum>\n'
                f'    <location href="{name}"/>\n    <timestamp>{moment}</timestamp>\n'
                f"    <size>{len(packed)}</size>\n    <open-size>{len(data)}</open-size>\n  </data>\n"
            )
        repomd = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo"'
            f' xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n  <revision>{moment}</revision>\n'
            f"{''.join(records)}</repomd>\n"
        ).encode()
        return Rendered(
            addressed=addressed,
            named={"repodata/repomd.xml.asc": signer.detached(repomd)},
            switch=(self.switch, repomd),
        )

    def sources(self, settings: Json, key: str) -> str:  # noqa: ARG002 -- key.asc has the key
        """A .repo file: packages and metadata are both verified."""
        url = repository_url(self._params)
        label = line(
            "label", self._params.get("label") or os.path.basename(os.path.abspath(self._params["root"]))
        )
        identifier = re.sub(r"[^A-Za-z0-9._-]", "-", label) or "repository"
        return (
            f"[{identifier}]\nname={label}\nbaseurl={url}\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n"
            f"gpgkey={url}/key.asc\n"
        )


def _entry(one: Shown, kind: str) -> str:
    """A stanza, with the path as this repository shows it; the texts in it are escaped."""
    text = one.package.index[kind]
    if kind == "primary":
        old, new = one.package.index["href"], one.path
        text = text.replace(f'<location href="{old}"/>', f'<location href="{new}"/>', 1)
    return text if text.endswith("\n") else text + "\n"
