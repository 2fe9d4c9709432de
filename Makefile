# make demo, make test: each sets up what it needs. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ENGINE ?= open

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 20
export NODE_NO_WARNINGS := 1
# A file's tests share what they set up, emulators on fixed ports among it.
SIDE_BY_SIDE := -n auto --dist loadfile
# Tests run side by side; BLAS's threads beside them would wait for each other by spinning.
export OPENBLAS_NUM_THREADS := 1
# Of the many processes that tests start, each would compile all modules where this is set.
export PYTHONDONTWRITEBYTECODE :=

PORTAL_SOURCES := $(shell find portal -type f -not -path 'portal/dist/*' -not -path 'portal/test/*' -not -path 'portal/.vitest/*' -not -path 'portal/node_modules/*')

.PHONY: help setup demo test lint audit-dependencies unit fuzz synth contract portal e2e reliability least-privilege bench load clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: .venv/.installed node_modules/.installed portal/dist/.built ## Install the pinned Python and Node packages, build the portal's pages

.venv/.installed: requirements.txt requirements-dev.txt $(wildcard lambdas/requirements*.txt) pyproject.toml
	@echo "== Installing Python packages into .venv"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -e .
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "== Installing the CDK CLI and the portal's build tools into node_modules"
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

portal/dist/.built: node_modules/.installed $(PORTAL_SOURCES)
	@echo "== Building the portal's pages"
	npm run --silent build
	@touch $@

demo: setup ## Deploy to the local cloud, label with simulated workers, destroy (ENGINE=, IMAGES=, LABELS=, TRUTH=, PEOPLE_ONLY=1, COUNT=, TARGET=)
	@$(BIN)/groundwork demo --engine $(ENGINE) $(if $(IMAGES),--images "$(IMAGES)") $(if $(LABELS),--labels "$(LABELS)") $(if $(TRUTH),--truth "$(TRUTH)") \
	  $(if $(PEOPLE_ONLY),--people-only) $(if $(COUNT),--count $(COUNT)) $(if $(TARGET),--target $(TARGET))

test: lint audit-dependencies unit synth contract portal e2e ## Everything CI runs

lint: setup ## Format, lint and types
	@echo "== ruff, mypy"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@echo "== biome, tsc"
	npm run --silent lint

audit-dependencies: setup ## Pins, licences and known vulnerabilities of all packages
	@echo "== dependencies"
	$(BIN)/python tools/audit_dependencies.py

unit: setup ## Pure logic, no I/O
	@echo "== unit tests"
	$(BIN)/pytest tests/unit tests/faults tests/fuzz -q -n auto --dist worksteal
	npm test --silent

fuzz: setup ## Hostile input of every kind, thousands of examples a property, other ones every time (EXAMPLES=)
	FUZZ_PROFILE=fuzz FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/pytest tests/fuzz -q -n auto --timeout=0

synth: setup ## Templates and policy findings
	@echo "== synth tests"
	$(BIN)/pytest tests/synth -q $(SIDE_BY_SIDE)

contract: setup ## The labeling API through a real boto3 client
	@echo "== contract tests"
	$(BIN)/pytest tests/contract -q $(SIDE_BY_SIDE)

portal: setup ## The portal's pages and elements in Chromium (Debian: apt-get install chromium fonts-noto-cjk)
	@echo "== portal tests"
	$(BIN)/pytest tests/portal -q

e2e: setup ## Deploy, label, destroy on the local cloud
	@echo "== end-to-end tests"
	$(BIN)/pytest tests/e2e -q

reliability: setup ## Let every fault happen at every point, and write docs/reliability.md (about seven minutes)
	@echo "== fault tests"
	rm -rf build/faults
	GROUNDWORK_FAULT_ROWS=build/faults $(BIN)/pytest tests/faults -q -n auto --timeout 7200
	GROUNDWORK_FAULT_ROWS=build/faults $(BIN)/pytest tests/e2e/test_destroy_and_faults.py -q
	$(BIN)/python -m tests.support.reliability build/faults

least-privilege: setup ## Each right of each role: needed by a real run of both flavours, and enough for it (about 12 minutes)
	@echo "== least privilege"
	$(BIN)/pytest tests/synth/test_rights.py tests/synth/test_calls_are_allowed.py -q
	$(BIN)/pytest tests/e2e/test_automated_labeling.py tests/e2e/test_ground_truth_flavour.py tests/e2e/test_open_flavour.py tests/e2e/test_rights_used.py -q

bench: setup ## Run the benchmarks, or one with NAME=...
	$(BIN)/python -m benchmarks $(NAME)

load: setup ## 200 workers on a job, 20 jobs side by side, 100,000 lines: fails when a task is given twice, lost, or memory grows
	$(BIN)/python -m benchmarks portal_crowd jobs_side_by_side large_job

clean: ## Remove build results (not the installed packages)
	rm -rf build cdk.out portal/dist
