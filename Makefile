# Everything that a person types. `make help` lists it. The first run sets up .venv by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Every process would compile each module anew: half the time of its start.
export PYTHONDONTWRITEBYTECODE :=
# Whatever environment a shell has activated: everything goes into our own.
export VIRTUAL_ENV := $(CURDIR)/.venv

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate
SYNCED := .venv/.synced
BUILT := api/static/dist/manifest.json
ASSET_SOURCES := tools/build_assets.mjs package.json $(wildcard api/static/src/* api/static/css/*)
ARGS ?=

.PHONY: help demo up test check bench proof lock assets fmt clean setup \
	check-format check-lint check-types check-imports check-image check-house

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## a sample portfolio with e-mails, tasks and pages; ARGS="--customers 300 --days 60 --exit" runs and ends
	@$(BIN)/everstay demo $(ARGS)

up: setup ## the embedded stack: Postgres, Temporal, API, workers; Ctrl-C stops it
	@$(BIN)/everstay up $(ARGS)

test: setup ## every tier of tests; ARGS="-m unit" or ARGS=tests/domain for a part
	@$(BIN)/pytest -n 3 --durations=15 $(ARGS)

check: setup ## format, lint, types, import contracts, Dockerfile, compose file, house rules; names every fault
	@$(MAKE) --keep-going check-format check-lint check-types check-imports check-image check-house

check-format:
	@$(BIN)/ruff format --check .

check-lint:
	@$(BIN)/ruff check .

check-types:
	@$(BIN)/mypy

check-imports:
	@$(BIN)/lint-imports --no-logo

check-image:
	@$(BIN)/hadolint Dockerfile

check-house:
	@$(BIN)/pytest -q tests/house

bench: setup ## every benchmark
	@$(BIN)/everstay bench all $(ARGS)

proof: setup ## the long proofs: kills, many seeds; without limit of time; commit the JSON that it writes
	@$(BIN)/pytest -m proof --timeout=0 -p tests.proofs --proofs=docs/proofs/latest.json $(ARGS)

setup: $(SYNCED) $(BUILT) ## .venv with the locked dependencies, and the assets

assets: $(BUILT) ## bundle scripts and styles into api/static/dist

fmt: $(SYNCED) ## format, and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(UV) ## resolve the dependencies anew within the bounds of pyproject.toml; ARGS=--upgrade for newer ones
	@$(COMPILE) $(ARGS) pyproject.toml --output-file requirements.txt
	@$(COMPILE) $(ARGS) pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) $(ARGS) --group node --output-file requirements-node.txt
	@npm install --package-lock-only --ignore-scripts

clean: ## remove what was built or cached; .everstay, the state of the embedded stack, stays
	@rm -rf .venv .node node_modules api/static/dist build dist .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Everstay needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SYNCED): $(UV) requirements-dev.txt pyproject.toml
	@$(UV) pip sync --quiet --require-hashes requirements-dev.txt
	@$(UV) pip install --quiet --offline --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.package-lock.json: package-lock.json $(SYNCED)
	@tools/with_node npm ci --ignore-scripts --silent
	@touch $@

$(BUILT): node_modules/.package-lock.json $(ASSET_SOURCES)
	@tools/with_node npm run --silent build
