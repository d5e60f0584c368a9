# The two commands: `make up` and `make test`. Both install what they need and can be run again at any time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup tests-setup up down verify lint unit artifacts e2e long test bench clean

STACK ?= dev
BIN := .venv/bin
# Pulumi and its helpers on PATH, state and passphrase of this checkout.
LAB_ENV := eval "$$($(BIN)/stacklab env)"

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 16

setup: ## host packages, virtual environment
	@setup/bootstrap

tests-setup: setup ## what only tests need besides: a browser
	@setup/bootstrap --tests

up: setup ## from a fresh machine to a running lab [STACK=dev]
	@$(BIN)/stacklab validate $(STACK)
	@$(BIN)/stacklab fetch $(STACK)
	@$(LAB_ENV); pulumi stack select --create $(STACK); pulumi up --yes --skip-preview --stack $(STACK)
	@$(BIN)/stacklab verify $(STACK)

down: setup ## remove the lab and prove that nothing is left [STACK=dev]
	@$(LAB_ENV); pulumi destroy --yes --skip-preview --stack $(STACK)
	@$(BIN)/stacklab receipt $(STACK)

verify: ## reach everything in a running lab [STACK=dev]
	@$(BIN)/stacklab verify $(STACK)

lint: tests-setup ## formatting, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: tests-setup ## the fast tests
	@$(BIN)/pytest -q -n 2 -m "not e2e"

# Whatever lab the user's shell names: these are for all of them. The older version is the one that is upgraded.
artifacts: setup ## what labs of the newest Kubernetes are made of, and of an older one over SSH
	@env -u STACKLAB_STACK $(BIN)/stacklab fetch --kubernetes latest
	@env -u STACKLAB_STACK $(BIN)/stacklab fetch --kubernetes 1.35.4 --backend ssh

e2e: tests-setup artifacts ## real clusters on this machine
	@$(BIN)/pytest -m "e2e and not long" -n 2 --no-loadscope-reorder -v --durations=20 || { $(BIN)/python -m tests.support.clean; exit 1; }

long: tests-setup ## what takes many minutes: virtual machines, upgrades, more faults
	@env -u STACKLAB_STACK $(BIN)/stacklab fetch
	@$(BIN)/pytest -m long -v --durations=20 || { $(BIN)/python -m tests.support.clean; exit 1; }

test: lint ## everything; what CI runs: the fast tests while artifacts are made
	@$(MAKE) --no-print-directory -j2 unit artifacts
	@$(MAKE) --no-print-directory e2e

bench: setup artifacts ## the same lab by hand and by stacklab, side by side
	@$(BIN)/python -m benchmarks.dev_lab

clean: ## remove what tests and labs of this checkout left on the host
	@$(BIN)/python -m tests.support.clean
