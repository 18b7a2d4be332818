# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to have a change tested again: Jenkins, Zuul, or a comment in Gerrit.

Jenkins: "Remote Access API" and "CSRF Protection" (a crumb is bound to a session; who comes with an
API token needs none). Zuul: POST /api/tenant/TENANT/project/PROJECT/enqueue with a bearer token.
Gerrit: "Set Review".
"""

from __future__ import annotations

import json
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._sources._http import Answer, Server, basic, shown

Json = dict[str, t.Any]
Change = t.Mapping[str, str]

NEEDS = {
    "jenkins": ("url", "job"),
    "zuul": ("url", "tenant", "pipeline"),
    "gerrit": ("url", "comment"),
    "check": (),
}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json; charset=UTF-8"}


def secret(options: t.Mapping[str, t.Any], name: str) -> str:
    """A secret that was given, or stands in a file on the controller."""
    path = options.get(f"{name}_file")
    if options.get(name) or not path:
        return str(options.get(name) or "")
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(65536).strip()
    except (OSError, ValueError) as error:
        raise DistrogateError("no_secret", f"{name}_file {path} cannot be read on the controller.") from error


def server_of(options: t.Mapping[str, t.Any], timeout: float) -> Server:
    """The server of one entry, with what proves who we are."""
    token = secret(options, "token") if options.get("kind") == "zuul" else ""
    user = options.get("user") or ""
    authorization = f"Bearer {token}" if token else ""
    if user and not token:
        authorization = basic(user, secret(options, "password"))
    return Server(options["url"], authorization, timeout, options.get("ca_path"))


def trigger(options: t.Mapping[str, t.Any], change: Change, timeout: float) -> str:
    """Have a change tested again; returns what the server said of it."""
    missing = [name for name in NEEDS[options["kind"]] if not options.get(name)]
    if missing:
        raise DistrogateError(
            "bad_options", f"The entry {options['kind']} of retest_with needs {', '.join(missing)}."
        )
    return _HOW[options["kind"]](server_of(options, timeout), options, change)


def _jenkins(server: Server, options: t.Mapping[str, t.Any], change: Change) -> str:
    parameters = {
        "GERRIT_EVENT_TYPE": "patchset-created",
        "GERRIT_PROJECT": change["project"],
        "GERRIT_BRANCH": change["branch"],
        "GERRIT_CHANGE_NUMBER": change["change_id"],
        "GERRIT_PATCHSET_NUMBER": change["patch_set"],
        "GERRIT_PATCHSET_REVISION": change["commit"],
        "GERRIT_REFSPEC": change["ref"],
        **{str(name): str(value) for name, value in (options.get("parameters") or {}).items()},
    }
    folders = "".join(f"/job/{urllib.parse.quote(part, safe='')}" for part in options["job"].split("/"))
    headers = {**_FORM, **(_crumb(server) if options.get("crumb") else {})}
    body = urllib.parse.urlencode(parameters).encode()
    answer = _good(server.ask("POST", f"{folders}/buildWithParameters", body, headers), "Jenkins", (200, 201))
    return f"queued as {shown(urllib.parse.urlsplit(answer.headers.get('Location', '')).path) or 'a build'}"


def _crumb(server: Server) -> dict[str, str]:
    answer = _good(server.ask("GET", "/crumbIssuer/api/json"), "Jenkins", (200,))
    crumb = parse_json(answer.data, "Jenkins' crumb")
    if not isinstance(crumb, dict):
        raise DistrogateError("trigger_failed", f"Jenkins gave no crumb: {answer.said()}")
    cookies = [line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie") or []]
    headers = {str(crumb.get("crumbRequestField")): str(crumb.get("crumb"))}
    return {**headers, **({"Cookie": "; ".join(cookies)} if cookies else {})}


def _zuul(server: Server, options: t.Mapping[str, t.Any], change: Change) -> str:
    tenant = urllib.parse.quote(options["tenant"], safe="")
    path = f"/api/tenant/{tenant}/project/{urllib.parse.quote(change['project'])}/enqueue"
    wanted = {"pipeline": options["pipeline"], "change": f"{change['change_id']},{change['patch_set']}"}
    answer = _good(server.ask("POST", path, json.dumps(wanted).encode(), _JSON), "Zuul", (200,))
    if answer.data.strip() != b"true":
        raise DistrogateError("trigger_failed", f"Zuul did not enqueue it: {answer.said()}")
    return f"enqueued in {options['pipeline']}"


def _gerrit(server: Server, options: t.Mapping[str, t.Any], change: Change) -> str:
    prefix = "/a" if options.get("user") else ""
    name = f"{urllib.parse.quote(change['project'], safe='')}~{change['change_id']}"
    path = f"{prefix}/changes/{name}/revisions/{change['commit']}/review"
    body = json.dumps({"message": options["comment"]}).encode()
    _good(server.ask("POST", path, body, _JSON), "Gerrit", (200,))
    return f"commented with {shown(options['comment'])}"


def _good(answer: Answer, name: str, wanted: tuple[int, ...]) -> Answer:
    if answer.status in (401, 403):
        raise DistrogateError("not_allowed", f"{name} refuses us ({answer.status}): {answer.said()}")
    if answer.status not in wanted:
        raise DistrogateError("trigger_failed", f"{name} answered {answer.status}: {answer.said()}")
    return answer


_HOW = {"jenkins": _jenkins, "zuul": _zuul, "gerrit": _gerrit}
