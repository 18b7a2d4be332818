# `make help` lists the targets. Heavier logic is in tests/tools/.
# PYTHON chooses the Python that .venv is made with, when the system's is not wanted.

SHELL := /bin/bash
bin := .venv/bin
python := $(bin)/python
# Tools call each other (ansible-lint calls ansible, molecule calls pytest): .venv comes first for all of them.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# pip trusts these, too: a site's mirror may have a certificate of its own.
export UV_SYSTEM_CERTS := 1
# In programs that tests start, too, `ansible_collections.distrogate.ci` is this tree.
units faults demo demo-clean appliance end-to-end test-real bench bench-steer bench-publish bench-leases bench-mirror bench-bundles bench-page bench-images: export PYTHONPATH := $(CURDIR)/.venv/collections

# Two run at once, as each of them waits for programs half of its time: the longest first. Sanity takes what is
# left of the time of end-to-end, which makes what integration begins with.
PARTS := end-to-end units sanity integration lint molecule docs
QUICK := ruff mypy layers yamllint units
TARGETS :=
ARGS :=

.PHONY: help venv requirements demo demo-clean appliance test test-quick test-real bench bench-steer bench-publish bench-leases bench-mirror bench-bundles bench-page bench-images bench-venv \
	faults clean \
	ruff mypy layers yamllint ansible-lint docs-lint environment $(PARTS)

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

venv:  ## make .venv and install missing system packages; nothing when it is up to date
	@tests/tools/venv.sh

requirements: venv  ## pin what requirements/*.in ask for, anew
	$(bin)/uv pip compile --quiet --upgrade --no-header --no-annotate requirements/dev.in -o requirements/dev.txt
	$(bin)/uv pip compile --quiet --upgrade --no-header --no-annotate requirements/glance.in -o requirements/glance.txt

demo: venv  ## take one change through every stage, on this machine
	@$(python) tests/demo/demo.py

demo-clean: venv  ## remove what the demo made
	@$(python) tests/demo/demo.py --clean

appliance: venv  ## take changes of an appliance through check, gate and post, with images that boot, on this machine
	@$(python) tests/demo/appliance.py $(ARGS)

test: venv  ## every part that must pass, two at a time
	@$(python) tests/tools/parts.py 2 $(PARTS)

test-quick: venv  ## what is worth running before each commit (less than 2 minutes)
	@$(python) tests/tools/parts.py 1 $(QUICK)

test-real: venv  ## tests against real services, which take longer
	@$(python) tests/real/real.py $(ARGS)
	@$(python) -m pytest -q tests/real
	@$(python) tests/real/images_dib.py
	@$(python) tests/real/boot.py

bench: bench-venv  ## measure the pipeline, publishing, leases, mirrors, promotion, the page and images; ARGS=--write keeps the results
	@$(python) tests/benchmarks/pipeline.py $(ARGS)
	@$(python) tests/benchmarks/pipeline.py --project hello --rounds 1 $(ARGS)
	@$(python) tests/benchmarks/pipeline_steer.py $(ARGS)
	@$(python) tests/benchmarks/publish.py $(ARGS)
	@$(python) tests/benchmarks/leases.py $(ARGS)
	@$(python) tests/benchmarks/mirror.py $(ARGS)
	@$(MAKE) --no-print-directory bench-bundles ARGS="$(ARGS)"
	@$(python) tests/benchmarks/run_page.py $(ARGS)
	@$(python) tests/benchmarks/images.py $(ARGS)

bench-steer: bench-venv  ## measure how soon a failure cancels what runs beside it, and a rerun in vain
	@$(python) tests/benchmarks/pipeline_steer.py $(ARGS)

bench-publish: bench-venv  ## measure publishing only, against the tools of the distributions
	@$(python) tests/benchmarks/publish.py $(ARGS)

bench-leases: bench-venv  ## measure leases only, against kazoo's lock on ZooKeeper; ARGS=--quick only tries
	@$(python) tests/benchmarks/leases.py $(ARGS)

bench-mirror: bench-venv  ## measure mirror_sync only, against rsync and trsync (--trsync FOLDER)
	@$(python) tests/benchmarks/mirror.py $(ARGS)

# Each part runs, also when one before it is over its bar.
bench-bundles: bench-venv  ## measure bundles only: sealing, bundle_info, promotion in a registry; ARGS=--quick only tries
	@failed=; for part in seal info registry; do \
	  $(python) tests/benchmarks/bundles_$$part.py $(ARGS) || failed="$$failed $$part"; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

bench-page: bench-venv  ## measure the page of a run only: made, opened, searched; ARGS=--quick only tries
	@$(python) tests/benchmarks/run_page.py $(ARGS)

bench-images: bench-venv  ## measure images only: a key again, builds against the tools by hand; ARGS=--quick only tries
	@$(python) tests/benchmarks/images.py $(ARGS)

bench-venv:
	@tests/tools/venv.sh bench

faults: venv  ## kill programs at every system call that matters, and offer them hostile packages
	$(python) -m pytest -q tests/faults

lint: ruff mypy layers yamllint ansible-lint docs-lint environment  ## all static checks of our own choice

ruff: venv
	$(bin)/ruff check .
	$(bin)/ruff format --check .

# By their importable name, so that mypy sees modules as Ansible does.
mypy: venv
	$(bin)/mypy -p ansible_collections.distrogate.ci.plugins

layers: venv
	$(python) tests/tools/import_layers.py plugins
	$(python) tests/tools/shipped_text.py playbooks roles
	$(bin)/vermin --no-tips --quiet --violations --target=3.9- plugins/modules plugins/module_utils

yamllint: venv
	$(bin)/yamllint --strict .

ansible-lint: venv
	$(bin)/ansible-lint --offline --profile production

docs-lint: venv
	$(bin)/antsibull-docs lint-collection-docs --plugin-docs .
	$(bin)/antsibull-changelog lint

environment: venv
	$(bin)/ansible-builder introspect --sanitize .venv/collections >/dev/null

sanity: venv  ## ansible-test sanity, with no ignores
	BUILT=yes COPY=sanity tests/tools/in_collection.sh ansible-test sanity --local \
		--python "$$($(python) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

units: venv  ## unit tests
	$(python) -m pytest -q -n 3 tests/unit

integration: venv  ## integration targets; TARGETS="a b" runs some
	tests/tools/integration.sh $(TARGETS)

molecule: venv  ## the roles that prepare a host
	cd extensions && molecule test --all

end-to-end: venv  ## a change goes through the pipeline, and through what may go wrong
	@$(python) tests/demo/end_to_end.py

docs: venv  ## the documentation site, in docs/_build/html
	tests/tools/docs.sh

clean:  ## remove all that the other targets made, but the demo
	rm -rf .venv .cache .ansible docs/_build tests/output
