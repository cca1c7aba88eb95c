# `make` alone prints this list. CONTRACT, FROM and TO choose what `make run` lands: all periods if FROM is left out.
CONTRACT ?= flights
FROM ?=
TO ?=
# how long `make fuzz` looks for trouble
SECONDS ?= 300

# where the local cloud keeps everything: two folders are two clouds
DATA ?= .local

# what `make conformance` runs on: the local cloud, or a real project
TARGET ?= local
PROJECT ?=

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
LOCAL := $(PY) -m localcloud
CODE := flows blocks localcloud tests benchmarks docs

# made again whenever the lock changes; --require-hashes takes nothing that the lock does not name
INSTALLED := .venv/installed

.DEFAULT_GOAL := help
.PHONY: help run up status down env blocks test coverage conformance check lint docs fuzz lock bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { gsub(/\$$\$$/, "$$", $$2); printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo '  make run CONTRACT=weather FROM=2013-01 TO=2013-03'

run: $(INSTALLED) ## land a contract on the local cloud: web -> GCS -> BigQuery
	@$(LOCAL) exec --data $(DATA) -- sh -c '$(LOCAL) provision | $(PY) -m blocks --if-absent \
		&& exec $(PY) flows/web_to_bigquery.py $(CONTRACT) $(FROM) $(TO)'

up: $(INSTALLED) ## start the local cloud and a Prefect server, and print their addresses
	@$(LOCAL) up --data $(DATA)

status: $(INSTALLED) ## say how each of them is
	@$(LOCAL) status --data $(DATA)

down: $(INSTALLED) ## stop them
	@$(LOCAL) down --data $(DATA)

env: $(INSTALLED) ## print the exports for your own shell: eval "$$(make -s env)"
	@$(LOCAL) env --data $(DATA)

blocks: $(INSTALLED) ## make the local bucket and dataset, and register Prefect's blocks (after make up)
	@$(LOCAL) exec --data $(DATA) -- sh -c '$(LOCAL) provision | $(PY) -m blocks'

test: $(INSTALLED) ## run the tests
	@$(PY) -m pytest --numprocesses 2 --dist loadfile

coverage: $(INSTALLED) ## run the tests, show how much of flows/ they cover, branches too, and fail under 90 %
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

conformance: $(INSTALLED) ## hold the local cloud to Google's promises; TARGET=cloud PROJECT=<id> asks Google itself
	@$(PY) -m pytest tests/conformance --target=$(TARGET) $(if $(PROJECT),--project=$(PROJECT))

lint: $(INSTALLED) ## style, types and import rules
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check --quiet $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

check: lint coverage ## what CI runs: lint, then the tests and their coverage

docs: $(INSTALLED) ## write docs/contracts.md anew from the contract's models, and docs/local-cloud.md's tables from its cases
	@$(PY) docs/contracts.py
	@$(PY) -m tests.conformance.page

fuzz: $(INSTALLED) ## read mutated contracts and files for SECONDS=300, and show what is not refused with a word
	@$(PY) -m tests.fuzz --seconds $(SECONDS)

bench: $(INSTALLED) ## measure the conversion beside the course's pandas flow, and write docs/performance.md
	@$(PY) benchmarks/conversion.py

lock: $(INSTALLED) ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock

clean: ## stop everything, and remove the local cloud's data (not .venv)
	@if [ -x $(PY) ]; then $(LOCAL) down --data $(DATA); fi
	@rm -rf $(DATA)

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Landfall needs Python 3.11 or newer; set PYTHON=")'
	@echo 'installing into .venv, once'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
