# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which elements of diskimage-builder an image is really made of, found as diskimage-builder finds them.

Only names are read here, nothing of an element is run: the key needs every
element, also those that others depend on.
"""

from __future__ import annotations

import collections
import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

PYTHON = "/usr/bin/python3"  # the distribution's, which has its diskimage_builder
_ASK = (
    "import diskimage_builder, os; from diskimage_builder import version;"
    "print(os.path.dirname(diskimage_builder.__file__)); print(version.version_info.version_string())"
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")
_LIMIT = 1 << 16  # bytes of element-deps
_OPERATING_SYSTEM = "operating-system"
_OURS = "distrogate"


def installation() -> tuple[str, str]:
    """The folder of the installed diskimage-builder, and its version."""
    # Not isolated: a site may have it in dist-packages or in site-packages of that Python.
    done = _command.run([PYTHON, "-c", _ASK], timeout=60, check=False)
    lines = done.text.split()
    if done.status or len(lines) != 2:
        raise DistrogateError(
            "missing_tool",
            f"{PYTHON} has no diskimage-builder. Apply the role distrogate.ci.builder to this host, or"
            " install the package python3-diskimage-builder.",
            tool="disk-image-create",
        )
    return lines[0], lines[1]


def expanded_elements(request: ImageRequest) -> dict[str, str]:
    """Each element that the image is made of, and its folder: also ``base``, and what they depend on.

    Errors: ``no_element``, ``element_conflict``, ``no_operating_system``.
    """
    folders = [*request.element_path, os.path.join(installation()[0], "elements")]
    return expand(asked_for(request), folders)


def asked_for(request: ImageRequest) -> list[str]:
    """The elements as disk-image-create begins with them."""
    asked = list(request.elements)
    if "vm" in asked and not any(name.startswith("block-device-") for name in asked):
        arm = request.architecture in ("arm64", "aarch64")
        asked.append("block-device-efi" if arm else "block-device-mbr")
    return asked if request.environment.get("SKIP_BASE") == "1" else ["base", *asked]


def expand(asked: t.Sequence[str], folders: t.Sequence[str]) -> dict[str, str]:
    """The closure over element-deps(5) without what another element provides, by name."""
    wanted, provided = set(asked), dict[str, str]()
    queue = collections.deque(asked)
    while queue:
        name = queue.popleft()
        if name in provided:
            continue
        path = _find(name, folders)
        for word in sorted(_words(path, "element-provides")):
            if word in provided:
                raise _conflict(word, provided[word], name)
            provided[word] = name
        needed = _words(path, "element-deps")
        queue.extend(sorted(needed - wanted - set(provided)))
        wanted |= needed
    for word in asked:
        if word in provided:
            raise _conflict(word, provided[word], word)
    if _OPERATING_SYSTEM not in provided:
        raise DistrogateError(
            "no_operating_system",
            f"None of the elements {', '.join(sorted(wanted))} is an operating system. Add one, such as"
            " debian-minimal.",
        )
    return {name: _find(name, folders) for name in sorted(wanted - set(provided))}


def _conflict(word: str, first: str, second: str) -> DistrogateError:
    return DistrogateError(
        "element_conflict", f"Both elements {first} and {second} provide {word}. Leave one of them out."
    )


def _find(name: str, folders: t.Sequence[str]) -> str:
    """The first folder of that name; diskimage-builder goes by the name that a link leads to."""
    if name == _OURS:
        raise DistrogateError(
            "reserved_element",
            f"An element {name} is added to every image: no other one may have its name. Rename yours.",
        )
    if _NAME.fullmatch(name):
        for folder in folders:
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.isdir(path) and os.path.basename(path) == name:
                return path
    raise DistrogateError(
        "no_element",
        f"There is no element {name[:100]!r} in {', '.join(folders)}. Correct its name (elements and"
        " element-deps files), or add its folder to element_path.",
    )


def _words(path: str, name: str) -> set[str]:
    """The lines of one small file of an element; none when there is no such file."""
    try:
        descriptor = os.open(os.path.join(path, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return set()
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LIMIT:
            raise DistrogateError("bad_element", f"{path}/{name} is no file of at most {_LIMIT} bytes.")
        lines = stream.read(_LIMIT).decode("utf-8", "replace").splitlines()
    return {line.strip() for line in lines if line.strip()}
