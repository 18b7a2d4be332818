"""Checks that imports go one way: plugins, then the domains of module_utils, then module_utils/_core.

A domain never imports another domain, and nothing in module_utils imports a plugin.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = "ansible_collections.distrogate.ci.plugins"
CORE = "_core"
DOMAINS = ("_leases", "_packages", "_mirrors", "_bundles", "_images", "_sources", "_runs")


def layer(parts: list[str]) -> str:
    """The layer of a module, by its path below plugins/: a name under module_utils, or "plugins"."""
    if parts[:1] != ["module_utils"]:
        return "plugins"
    return parts[1] if len(parts) > 1 else ""


def imported(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line and path below plugins/ of everything of ours that is imported; package is the importer's."""
    prefix = ROOT.split(".")
    for node in ast.walk(tree):
        names: list[list[str]] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                full = prefix + package
                base = full[: len(full) - node.level + 1] + base
            names = [[*base, alias.name] for alias in node.names]
        for name in names:
            if name[: len(prefix)] == prefix:
                yield node.lineno, name[len(prefix) :]


def refusal(source: str, target: str) -> str:
    """Why the layer source may not import the layer target; empty when it may."""
    if source == "plugins" or target in (source, CORE, ""):
        return ""
    if target == "plugins":
        return "module_utils must not import a plugin"
    if source == CORE:
        return f"{CORE} must not import a domain ({target})"
    return f"the domain {source} must not import the domain {target}"


def problems(plugins: Path) -> Iterator[str]:
    for path in sorted(plugins.rglob("*.py")):
        parts = list(path.relative_to(plugins).with_suffix("").parts)
        source = layer(parts)
        if source not in ("plugins", "__init__", CORE, *DOMAINS):
            yield f"{path}:1: {source} is neither {CORE} nor a domain"
        for line, target in imported(ast.parse(path.read_bytes(), str(path)), parts[:-1]):
            if reason := refusal(source, layer(target)):
                yield f"{path}:{line}: {reason}"


def main(plugins: str) -> int:
    found = list(problems(Path(plugins)))
    print("\n".join(found) or "import layers: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
