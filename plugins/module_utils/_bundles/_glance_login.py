# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging in to a cloud: the options for it, and the session that comes of them."""

from __future__ import annotations

import sys
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance, faults
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]
_SAID = (
    "access_token_endpoint",
    "access_token_type",
    "application_credential_id",
    "application_credential_name",
    "auth_url",
    "client_id",
    "default_domain_id",
    "default_domain_name",
    "discovery_endpoint",
    "domain_id",
    "domain_name",
    "identity_provider",
    "openid_scope",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "protocol",
    "service_provider",
    "system_scope",
    "trust_id",
    "user_domain_id",
    "user_domain_name",
    "user_id",
    "username",
)
_HIDDEN = (
    "access_token",
    "application_credential_secret",
    "client_secret",
    "passcode",
    "password",
    "token",
)
# What is no secret stays readable in results: a region or a project may be called as a user is.
_AUTH: Json = {
    **{name: {"type": "str", "no_log": False} for name in _SAID},
    **{name: {"type": "str", "no_log": True} for name in _HIDDEN},
}
CLOUD_SPEC: Json = {
    "cloud": {"type": "str"},
    "config_file": {"type": "path"},
    "auth": {"type": "dict", "options": _AUTH},
    "auth_type": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "region_name": {"type": "str"},
    "interface": {"type": "str", "choices": ["public", "internal", "admin"], "default": "public"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "api_timeout": {"type": "int", "default": 60},
}
_SECRET = {"v3applicationcredential": "application_credential_secret"}


def connect(params: Json) -> Glance:
    """A session with the cloud of the options; nothing is taken from the environment."""
    try:
        import openstack
        from openstack.config import OpenStackConfig
    except ImportError as error:
        raise DistrogateError(
            "missing_library",
            f"{sys.executable} on this host cannot import openstacksdk ({error}), so nothing was published in"
            " Glance. Install python3-openstacksdk there: name it in repository_host_packages, and run the"
            " playbook prepare.",
        ) from error
    files: t.Any = {"config_files": [params["config_file"]]} if params["config_file"] else {}
    which = params["cloud"] or given(params["auth"]).get("auth_url")
    with faults(f"The cloud {which} cannot be used", "bad_cloud"):
        loader = OpenStackConfig(load_envvars=False, load_yaml_config=bool(params["cloud"]), **files)
        region = loader.get_one(cloud=params["cloud"], **_login(params))
        connection = openstack.connection.Connection(config=region)
    return Glance(connection, params["api_timeout"])


def given(auth: Json | None) -> Json:
    """What was said of ``auth``."""
    return {name: value for name, value in (auth or {}).items() if value is not None}


def _login(params: Json) -> Json:
    """The options as openstacksdk names them; those that are not given are those of the cloud."""
    auth = given(params["auth"])
    if params["password"]:
        auth[_SECRET.get(params["auth_type"] or "", "password")] = params["password"]
    renamed = {"validate_certs": "verify", "ca_cert": "cacert", "client_cert": "cert", "client_key": "key"}
    found: Json = {"auth": auth} if auth else {}
    for name in ("auth_type", "region_name", "interface", "api_timeout", *renamed):
        if params[name] is not None:
            found[renamed.get(name, name)] = params[name]
    return found
