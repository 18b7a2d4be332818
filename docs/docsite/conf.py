"""Settings of the documentation site. It is built with no network, so without the indexes of other sites."""

from __future__ import annotations

from typing import Any

project = "distrogate.ci"
title = html_short_title = "distrogate.ci"
copyright = "distrogate.ci maintainers"  # noqa: A001

extensions = ["sphinx_antsibull_ext"]
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_theme_options = {"display_version": False}
html_copy_source = False
html_show_sphinx = False
html_use_index = False

# Pages of Ansible's own documentation that antsibull-docs refers to.
ANSIBLE_LABELS = {
    "action_plugins",
    "ansible_configuration_settings",
    "callback_plugins",
    "check_mode_dry",
    "collections_keyword",
    "common_return_values",
    "diff_mode",
    "general_precedence_rules",
    "list_of_callback_plugins",
    "list_of_collections",
    "playbooks_async",
}


def foreign(_app: object, _env: object, node: Any, text: Any) -> Any:
    """Leaves a reference to somebody else's page as plain text; one to a page of ours must be right."""
    label = node.get("reftarget", "")
    ours = label.startswith("ansible_collections.distrogate.ci.")
    theirs = label.startswith("ansible_collections.") or label in ANSIBLE_LABELS
    return text if theirs and not ours else None


def setup(app: Any) -> None:
    app.connect("missing-reference", foreign)
