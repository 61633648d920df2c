# Plaudit: `make help` lists the targets. Needs Python 3.11 to 3.14 with venv and pip, and network access for the first set-up. All
# packages are wheels, on x86-64 Linux with any of these versions, on ARM Linux and Apple silicon from 3.12 on.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNNABLE := $(VENV)/.runnable
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PACKAGES := protocol state consensus rewards tokens operations chain index client node rpc wallet
PYTEST_JOBS ?= 2
KILLS ?= 500
INPUTS ?= 1000000
SEED ?= 1
MUTANTS ?= 1500
SEEDS ?= 400
FIRST ?= 1
SIM_JOBS ?= 2
ROUNDS ?= 12
SECONDS ?= 1500
RATE ?= 200

.DEFAULT_GOAL := help
.PHONY: help setup setup-run run smoke test coverage mutants check parity sim sim-faults crash fuzz network soak siege clients count bench docs format lock wheels clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create or update .venv with the pinned packages

$(RUNNABLE): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit("Plaudit needs Python 3.11 to 3.14" if not (3, 11) <= sys.version_info < (3, 15) else 0)'
	$(PIP_INSTALL) --require-hashes -r requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(READY): $(RUNNABLE) requirements-dev.lock
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

setup-run: $(RUNNABLE) ## Create .venv with only the packages needed to run

run: $(RUNNABLE) ## Run a development chain on this machine
	$(BIN)/plaudit dev

smoke: $(RUNNABLE) ## Start a development chain, check that it produces blocks, and stop it
	$(BIN)/python -m tests.smoke $(BIN)/plaudit

test: $(READY) ## Run the tests, except the slow ones
	$(BIN)/python -m pytest -q -n $(PYTEST_JOBS) -m "not slow" tests

coverage: $(READY) ## Run the tests of the layers below the node, and require 95 % coverage of each package
	$(BIN)/python -m tests.cover -q -n $(PYTEST_JOBS) -m "not slow"

mutants: $(READY) ## Mutation testing: check that tests detect 1,500 small changes of the program (resumable)
	$(BIN)/python -m tests.mutants run --total $(MUTANTS) --seed $(SEED)

check: $(READY) ## Check format, lint, types, layers, notes and generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(PACKAGES) tests benchmarks docs
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_money_door.py tests/test_todos.py

parity: $(READY) ## Run the tests named in docs/reference-parity.md, on three chains with different names
	for chain in preset names other; do $(BIN)/python -m tests.parity --chain $$chain -n $(PYTEST_JOBS) || exit 1; done

sim: $(READY) ## Simulate networks with network faults and faulty witnesses (SEEDS=n runs, FIRST=n first seed)
	$(BIN)/python -m tests.sim --seeds $(SEEDS) --first $(FIRST) --jobs $(SIM_JOBS)

sim-faults: $(READY) ## Plant faults in the program and check that the simulations detect each of them
	$(BIN)/python -m tests.sim.faults

audit: $(READY) ## Compare the state with independent accounting over 24,000 random operations (PLAUDIT_AUDIT_SEED=n replays a seed)
	$(BIN)/python -m pytest -q -s tests/audit/test_audit.py tests/audit/test_planted_faults.py

machine: $(READY) ## Run the stateful tests of all operations at length (PLAUDIT_MACHINE_EXAMPLES=n examples)
	$(BIN)/python -m pytest -q -s tests/audit/test_state_machine.py

crash: $(READY) ## Kill a node 500 times at random moments and reopen it (KILLS=n for another number)
	PLAUDIT_KILLS=$(KILLS) $(BIN)/python -m pytest -q -s tests/crash

fuzz: $(READY) ## Fuzz with corrupted messages, requests, transactions and blocks (INPUTS=n inputs, SEED=n)
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS) --seed $(SEED)

network: $(READY) ## Kill, restore, partition and heal a network of four daemons (ROUNDS=n faults, PLAUDIT_NETWORK_SEED=n repeats a run)
	PLAUDIT_NETWORK_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -q -s tests/network

soak: $(READY) ## Load test of a network of three daemons (SECONDS=n duration, RATE=n transactions per second)
	$(BIN)/python -m tests.network.soak $(SECONDS) $(RATE)

siege: $(READY) ## Run all known attacks on a witness with 21 keys (about eight minutes)
	$(BIN)/python -m tests.siege

clients: $(READY) ## Run the tests with client libraries against a running node
	$(BIN)/python -m tests.clients.install
	$(BIN)/python -m pytest -q -n $(PYTEST_JOBS) tests/clients

count: $(READY) ## Count the calls and, with valgrind, the instructions of transactions, blocks and reads
	$(BIN)/python -m benchmarks.count

bench: $(READY) ## Run the benchmarks
	$(BIN)/python -m benchmarks

docs: $(READY) ## Regenerate the generated pages of docs/
	$(BIN)/python -m docs.generate

format: $(READY) ## Format the code and apply the linter's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(RUNNABLE) ## Pin the newest allowed packages for all systems and Python versions in requirements*.lock
	$(PIP_INSTALL) "uv>=0.8"
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --extra build --extra dev -o requirements-dev.lock pyproject.toml

LOCK_OPTIONS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

wheels: $(RUNNABLE) ## Download the pinned wheels for every supported system and Python version
	$(PIP_INSTALL) "uv>=0.8"
	@for target in $(TARGETS); do \
	    system=$${target%/*} version=$${target#*/} folder=$$(mktemp -d); \
	    echo "$$system, Python $$version"; \
	    $(BIN)/uv pip install --quiet --no-deps --only-binary :all: --require-hashes --python-platform $$system \
	        --python-version $$version --target $$folder -r requirements-dev.lock || exit 1; \
	    rm -rf $$folder; \
	done

TARGETS := x86_64-manylinux_2_28/3.11 $(foreach system,x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin,\
	$(foreach version,3.12 3.13 3.14,$(system)/$(version)))

clean: ## Remove .venv, caches and build products
	rm -rf .venv .venv-newest $(VENV) .cache build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
