# One command a goal. `make demo` and `make test` need nothing but Python 3.11-3.13 and the package registries.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := $(VENV)/.demo-installed
DEV    := $(VENV)/.dev-installed
STORE  := var/demo
LONG   := 40
REPORTED := stdlib-14m stdlib-14m-decay1 stdlib-14m-shuffled

.PHONY: help setup demo test-fast test test-long test-compose torch-env test-torch check bench evidence report series neo4j neo4j-home up docs clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(DEV)  ## a .venv with all that development needs

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d: run make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)

$(DEMO): requirements/base.txt requirements/service.txt requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(DEMO)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

demo: $(DEMO)  ## ingest the bundled series into an embedded store and serve it
	$(BIN)/neuromfa demo --data-dir $(STORE)

check: $(DEV)  ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

test-fast: $(DEV)  ## between two edits: no server, no browser, nothing slow
	$(BIN)/python -m pytest -n 2 -m "not (server or neo4j or browser or slow or install or long or compose)"

test: check  ## everything once: check, then unit, API, integration, browser and installation tests
	-@$(BIN)/python -m neuromfa.servers.neo4j_server assemble --classes --quiet
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations=25 --durations-min=5

test-long: $(DEV)  ## the same faults many times: kills, starts at once, simulations (LONG=200 sets how many)
	NEUROMFA_TEST_LONG=$(LONG) $(BIN)/python -m pytest -n 2 --dist loadgroup -m long

test-compose: $(DEV)  ## the image and docker compose for real, on an engine of its own (root; docker.io docker-compose debootstrap slirp4netns)
	-@$(BIN)/python -m neuromfa.servers.neo4j_server assemble --classes --quiet
	$(BIN)/python -m pytest -m compose tests/compose

torch-env: $(DEV)  ## a virtual environment of its own with torch (about 5 GB), for test-torch
	test -x .venv-torch/bin/python || $(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt -r requirements/torch.txt
	.venv-torch/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .

test-torch: torch-env  ## the tests that need torch: models built by transformers, live training
	NEUROMFA_TEST_REQUIRE=torch .venv-torch/bin/python -m pytest tests/unit/checkpoints -k "callback or architectures or families or written_by_torch"

bench: $(DEV)  ## every benchmark; figures go to benchmarks/results/
	$(BIN)/python -m benchmarks

evidence: $(DEV)  ## the tables of docs/structure.md, counted in full (about 15 minutes); results go to evidence/results/
	$(BIN)/python -m evidence

report: $(DEV)  ## measure the bundled series and write docs/report again (some minutes)
	$(BIN)/neuromfa report $(REPORTED:%=series/%) --matrices -o docs/report/report.html

series: $(DEV)  ## train and score the bundled checkpoint series again (extra torch, about 5 GB)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/torch.txt
	$(BIN)/python -m series.train --series all
	$(BIN)/python -m series.score

neo4j-home: $(DEMO)  ## assemble Neo4j 5.26 from Maven Central (needs a JDK 17 or 21, and Maven)
	$(BIN)/python -m neuromfa.servers.neo4j_server assemble --classes

neo4j: $(DEMO)  ## a Neo4j with the bundled series, opened in the Neo4j Browser with style and guide
	$(BIN)/neuromfa browser --data-dir var/neo4j

up:  ## docker compose: neo4j, api, worker
	docker compose up --build

docs: $(DEV)  ## write the generated parts of docs/ again (OpenAPI, schemas, settings, commands)
	$(BIN)/python -m neuromfa.app.cli.write_docs

clean:  ## remove the virtual environment, caches and the demo store
	rm -rf $(VENV) .venv-torch var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
