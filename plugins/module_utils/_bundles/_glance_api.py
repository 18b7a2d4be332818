# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Talking to Glance: who logs in is openstacksdk's, each request has a limit, each fault a reason."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]
_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
_ID = re.compile(r"[0-9a-fA-F-]{32,36}")
_MOST = 10_000  # images of one name
_DO = {
    "cloud_unreachable": "Look at whether Keystone and Glance run, and try again.",
    "cloud_refused": "Look at auth, password, and what that user may do in its project.",
    "bad_cloud": "Look at cloud, config_file, auth and region_name.",
}


class Glance:
    """The requests that publishing needs. ``project`` owns what is published; None: nobody says."""

    def __init__(self, connection: t.Any, limit: int) -> None:
        self._limit = limit
        with faults("Logging in failed"):
            self._image = connection.image
            self.project: str | None = connection.session.get_project_id()
            self.url: str = str(self._image.get_endpoint()).rstrip("/")

    def images(self, **wanted: str) -> list[Json]:
        """All images of this project with these properties: those that are hidden, too."""
        found: list[Json] = []
        for hidden in ("false", "true"):
            query = {**wanted, "os_hidden": hidden, "visibility": "all", "limit": "200"}
            path, params = "/images", {**query, **({"owner": self.project} if self.project else {})}
            while path and len(found) <= _MOST:
                page = self._json("get", path, params=params)
                found += page.get("images", [])
                path, params = _next(page), {}
        if len(found) > _MOST:
            raise DistrogateError(
                "glance_failed",
                f"Glance ({self.url}) has more than {_MOST} images with {wanted}. Nothing was changed. Remove"
                " those that nobody needs, or set keep and keep_versions lower.",
            )
        return [image for image in found if _ID.fullmatch(str(image.get("id")))]

    def show(self, identifier: str) -> Json | None:
        """One image; None when there is none."""
        answer = self._send("get", f"/images/{identifier}")
        return None if answer.status_code == 404 else self._read(answer, "reading")

    def create(self, values: Json) -> Json:
        return self._json("post", "/images", json=values)

    def patch(self, identifier: str, operations: t.Sequence[Json]) -> Json:
        """Change one image, all or nothing."""
        data = json.dumps(list(operations))
        return self._json("patch", f"/images/{identifier}", data=data, headers=_PATCH)

    def remove(self, identifier: str) -> bool:
        """Whether it is gone: one that somebody uses or protects stays."""
        answer = self._send("delete", f"/images/{identifier}")
        if answer.status_code in (403, 409):
            return False
        if answer.status_code != 404:
            self._read(answer, "removing")
        return True

    def upload(self, identifier: str, data: t.Iterable[bytes], seconds: float) -> None:
        """Send an image's bytes, once: what was read cannot be read again."""
        answer = self._send(
            "put",
            f"/images/{identifier}/file",
            data=data,
            headers={"Content-Type": "application/octet-stream"},
            timeout=(self._limit, max(1.0, seconds)),
        )
        self._read(answer, "uploading")

    def _json(self, method: str, path: str, **options: t.Any) -> Json:
        return self._read(self._send(method, path, **options), f"{method} {path}")

    def _send(self, method: str, path: str, **options: t.Any) -> t.Any:
        with faults(f"Glance ({self.url}) does not answer"):
            options = {"timeout": self._limit, **options}
            return self._image.request(path, method.upper(), raise_exc=False, connect_retries=0, **options)

    def _read(self, answer: t.Any, what: str) -> Json:
        if answer.status_code >= 400:
            reason = "cloud_refused" if answer.status_code in (401, 403) else "glance_failed"
            raise DistrogateError(
                reason,
                f"Glance ({self.url}) answered {answer.status_code} ({what}): {_said(answer.text)}"
                f" {_after(answer.status_code)}",
                status=answer.status_code,
            )
        try:
            value = answer.json() if answer.content else {}
        except ValueError as error:
            message = (
                f"Glance ({self.url}) sent something that is no JSON ({what}). Look at whether that is its"
                " address, and at what stands between."
            )
            raise DistrogateError("glance_failed", message) from error
        return value if isinstance(value, dict) else {}


class faults:  # noqa: N801 -- used as a function
    """What the libraries raise, as an error with a reason."""

    def __init__(self, what: str, reason: str = "cloud_unreachable") -> None:
        self._what, self._reason = what, reason

    def __enter__(self) -> None:
        """Nothing is needed before."""

    def __exit__(self, kind: t.Any, error: BaseException | None, trace: t.Any) -> None:
        if error is None or isinstance(error, DistrogateError) or not isinstance(error, Exception):
            return
        if not _of_library(error):
            return
        refused = "Unauthorized" in type(error).__name__ or getattr(error, "http_status", 0) in (401, 403)
        reason = "cloud_refused" if refused else self._reason
        raise DistrogateError(reason, f"{self._what}: {_said(str(error))} {_DO[reason]}") from error


def _of_library(error: Exception) -> bool:
    module = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or module in ("keystoneauth1", "openstack", "requests", "urllib3")


def _after(status: int) -> str:
    """What to do about an answer."""
    if status in (401, 403):
        return _DO["cloud_refused"]
    if status >= 500:
        return "Its own log says why. Try again when it is well."
    return "Correct what it names: properties, visibility, tags, a quota. Then try again."


def _said(text: str) -> str:
    """A short line of what a server said, without its markup."""
    plain = " ".join(re.sub(r"<[^>]{0,200}>", " ", text[:4000]).split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in plain[:300])
    return shown or "nothing."


def _next(page: Json) -> str:
    """The address of the next page, which stays with this server."""
    path = str(page.get("next") or "")
    return path[len("/v2") :] if path.startswith("/v2/images?") else ""
