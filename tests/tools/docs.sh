#!/usr/bin/env bash
# Builds the documentation site: antsibull-docs writes pages from the plugins, roles and guides; Sphinx renders them.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p docs/_build/rst
chmod og-w docs/_build/rst  # antsibull-docs asks for that
antsibull-docs --config-file docs/docsite/antsibull-docs.cfg collection --use-current --squash-hierarchy \
    --fail-on-error --cleanup everything --dest-dir docs/_build/rst distrogate.ci
sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -b html \
    -c docs/docsite docs/_build/rst docs/_build/html
echo "docs/_build/html/index.html"
