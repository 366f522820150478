# Targets a user needs first. Everything runs in .venv, made on first use and again when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV := $(VENV)/.ready-dev

.DEFAULT_GOAL := help
.PHONY: help demo serve check check-long test test-postgresql lint conformance-install conformance durability fuzz bench bench-quick clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: $(READY) ## play the whole sync with generated people; the last lines are the funnel
	@$(BIN)/stackadapt-emulator demo

serve: $(READY) ## run the emulator on http://127.0.0.1:8585
	@$(BIN)/stackadapt-emulator serve

check: $(DEV) ## everything that CI runs, stage by stage; says what this machine cannot run
	@$(BIN)/python -m tests.check

check-long: $(DEV) ## what takes too long for CI
	@$(BIN)/python -m tests.check --long

test: $(DEV) lint ## lint, types, unit, contract and end-to-end tests
	$(BIN)/pytest -n auto --dist worksteal -q

test-postgresql: $(DEV) ## the suites of both services again on a PostgreSQL server (needs one installed)
	$(BIN)/pytest -n auto --dist worksteal -q --store postgresql tests/stackadapt tests/segment tests/e2e --ignore tests/e2e/test_example_project.py

lint: $(DEV) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: overload
overload: $(DEV) ## a server under more load than it can serve, for a minute
	@$(BIN)/python -m tests.overload

.PHONY: soak
soak: $(DEV) ## ten minutes of mixed load over 64 connections: memory, failures, slow answers
	@$(BIN)/python -m tests.soak

.PHONY: matrix
matrix: $(DEV) ## install the wheel beside gql, Django, moto, pytest 7 to 9 and others (needs PyPI)
	@$(BIN)/python -m tests.matrix

.PHONY: docs
docs: $(DEV) ## rewrite the generated parts of the documentation and the output that it shows
	@$(BIN)/python -m tests.docs.tables
	UPDATE_DOCS=1 $(BIN)/pytest -q tests/docs/test_blocks.py

.PHONY: release-notes
release-notes: $(DEV) ## print the section of a version of the changelog: make release-notes VERSION=0.1.0
	@$(BIN)/python -m tests.release_notes $(or $(VERSION),Unreleased)

conformance-install: $(DEV) ## install the published Segment packages from npm (needs Node)
	@$(BIN)/python -m tests.conformance.install

conformance: $(DEV) conformance-install ## compare with Segment's published engine on fresh random cases (needs Node)
	$(BIN)/python -m tests.conformance.differential --cases 2000

.PHONY: node-types
node-types: $(DEV) ## rewrite the types of the package for Node from the OpenAPI document (needs Node)
	@$(BIN)/python -m tests.conformance.node_types

durability: $(DEV) ## kill the emulator and its database 130 times under load; nothing may be lost
	@$(BIN)/python -m tests.durability

bench: $(DEV) conformance-install ## figures, each beside a peer in the same run; about 5 minutes (needs Node)
	@$(BIN)/python -m tests.bench

bench-quick: $(DEV) conformance-install ## the same rows with less data, in under a minute
	@$(BIN)/python -m tests.bench --quick

fuzz: $(DEV) ## a seeded fuzz of a running server, and Schemathesis on everything; takes about an hour
	$(BIN)/python -m tests.fuzz --requests 100000 --schemathesis 20000

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(READY): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(READY)
