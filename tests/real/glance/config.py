# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of a Keystone and a Glance that keep everything in one folder."""

from __future__ import annotations

from pathlib import Path

_DATABASE = "connection=sqlite:///{folder}/{name}.db?timeout=20"
_KEYSTONE = """\
[database]
{database}
[token]
provider=fernet
[fernet_tokens]
key_repository={folder}/fernet
[fernet_receipts]
key_repository={folder}/fernet
[credential]
key_repository={folder}/credential
[cache]
enabled=false
"""
_GLANCE = """\
[DEFAULT]
bind_host=127.0.0.1
bind_port={port}
workers=0
enabled_backends=fs:file
node_staging_uri=file://{folder}/staging
worker_self_reference_url={url}
[database]
{database}
[glance_store]
default_backend=fs
[fs]
filesystem_store_datadir={folder}/images
[os_glance_staging_store]
filesystem_store_datadir={folder}/staging
[os_glance_tasks_store]
filesystem_store_datadir={folder}/tasks
[keystone_authtoken]
www_authenticate_uri={auth_url}
auth_url={auth_url}
auth_type=password
project_domain_id=default
user_domain_id=default
project_name=service
username=glance
password={password}
[paste_deploy]
flavor=keystone
config_file={paste}
"""
_SERVE = """\
import sys
port = int(sys.argv.pop())
from keystone.wsgi.api import application
import waitress
waitress.serve(application, listen=f"127.0.0.1:{port}", threads=4)
"""
_CATALOG = """\
import openstack
cloud = openstack.connect(auth={auth!r}, region_name="R1", load_yaml_config=False, load_envvars=False)
identity = cloud.identity
roles = {{role.name: role for role in identity.roles()}}
def user(name, project, role):
    found = identity.create_user(name=name, password={password!r}, domain_id="default")
    identity.assign_project_role_to_user(project, found, roles[role])
service = identity.create_project(name="service", domain_id="default")
user("glance", service, "admin")
user("publisher", identity.create_project(name="images", domain_id="default"), "member")
user("stranger", identity.create_project(name="others", domain_id="default"), "member")
glance = identity.create_service(type="image", name="glance")
for interface in ("public", "internal", "admin"):
    identity.create_endpoint(service_id=glance.id, interface=interface, url={url!r}, region_id="R1")
"""


def auth(auth_url: str, name: str = "publisher", project: str = "images") -> dict[str, str]:
    """Who logs in, without the password."""
    return {
        "auth_url": auth_url,
        "username": name,
        "project_name": project,
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


def bootstrap(auth_url: str, password: str) -> list[str]:
    """The arguments that make Keystone's first user and its own endpoints."""
    urls = [
        word for kind in ("admin", "public", "internal") for word in (f"--bootstrap-{kind}-url", auth_url)
    ]
    return ["bootstrap", "--bootstrap-password", password, *urls, "--bootstrap-region-id", "R1"]


def write(folder: Path, auth_url: str, url: str, password: str, venv: Path) -> None:
    """All files that the two services and the script that fills the catalogue need."""
    for name in ("images", "staging", "tasks"):
        (folder / name).mkdir(parents=True)
    known = {
        "folder": folder,
        "auth_url": auth_url,
        "url": url,
        "port": url.rpartition(":")[2],
        "password": password,
        "paste": venv / "etc/glance/glance-api-paste.ini",
        "auth": {**auth(auth_url, "admin", "admin"), "password": password},
    }
    for name, text in (("keystone", _KEYSTONE), ("glance", _GLANCE)):
        database = _DATABASE.format(folder=folder, name=name)
        (folder / f"{name}.conf").write_text(text.format(database=database, **known))
    (folder / "serve.py").write_text(_SERVE)
    (folder / "catalog.py").write_text(_CATALOG.format(**known))
