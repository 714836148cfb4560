# Every command a person or CI needs; `make help` lists them. Nothing here needs an AWS account but `deploy` and `oncall`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
VENV_BUILD ?= .venv-build
VENV_POLICY ?= .venv-policy
VENV_313 ?= .venv-313
CONFIG_ENV ?= dev
PYTEST_ARGS ?=
DEPLOY_ARGS ?=
ARGS ?=
export SAM_CLI_TELEMETRY ?= 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE ?= 1

# The python of Lambda's runtime: on PATH, or pyenv's newest 3.13.
# Asked by running it: pyenv puts a python3.13 on PATH that only says which versions it has.
PYTHON_313 ?= $(shell for p in "$$(command -v python3.13)" $$(ls -d $$HOME/.pyenv/versions/3.13*/bin/python3.13 \
	2>/dev/null | sort -rV); do "$$p" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)

# pip writes to stderr here: the last line of `make demo` on stdout is a JSON object.
# The pins are complete and carry hashes, so pip resolves nothing: --no-deps. (Its resolver, in hash mode, also
# refuses extras that a dependency asks for, as aws-sam-cli does.)
INSTALL = -m pip install --quiet --quiet --require-hashes --no-deps --requirement

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed -E 's/^([a-z0-9-]+):.*## */\1|/' | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

# --- environments: one stamp per file of pins, so that a warm start costs nothing ---------------------------

$(VENV)/bin/python $(VENV_BUILD)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "making $(@D:/bin=) (once) ..." >&2
	@$(PYTHON) -m venv $(@D:/bin=) >&2 || \
		{ rm -rf $(@D:/bin=); echo "python3 has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.sandbox: requirements/sandbox.txt | $(VENV)/bin/python
	@echo "installing requirements/sandbox.txt (once) ..." >&2
	@$(VENV)/bin/python $(INSTALL) $< >&2
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/bin/python
	@echo "installing requirements/dev.txt (once) ..." >&2
	@$(VENV)/bin/python $(INSTALL) $< >&2
	@touch $@ $(VENV)/.sandbox $(VENV)/.oncall

$(VENV)/.oncall: requirements/oncall.txt | $(VENV)/bin/python
	@echo "installing requirements/oncall.txt (once) ..." >&2
	@$(VENV)/bin/python $(INSTALL) $< >&2
	@touch $@

# checkov pins boto3 and others exactly too. uv, for these hundred packages take pip half a minute.
$(VENV_POLICY)/.policy: requirements/policy.txt $(VENV)/.dev
	@echo "installing requirements/policy.txt (once) ..." >&2
	@$(VENV)/bin/uv venv --quiet --clear --python $(VENV)/bin/python $(VENV_POLICY)
	@$(VENV)/bin/uv pip install --quiet --python $(VENV_POLICY)/bin/python --require-hashes --no-deps --requirement $<
	@touch $@

$(VENV_BUILD)/.build: requirements/build.txt | $(VENV_BUILD)/bin/python
	@echo "installing requirements/build.txt (once) ..." >&2
	@$(VENV_BUILD)/bin/python $(INSTALL) $< >&2
	@touch $@

$(VENV_313)/.dev: requirements/dev.txt
	@test -n "$(PYTHON_313)" || { echo "$$NO_PYTHON_313" >&2; exit 1; }
	@echo "making $(VENV_313) and installing requirements/dev.txt (once) ..." >&2
	@"$(PYTHON_313)" -m venv $(VENV_313) >&2
	@$(VENV_313)/bin/python $(INSTALL) $< >&2
	@touch $@

define NO_PYTHON_313
No python3.13 was found, the runtime of the functions. Install it (pyenv install 3.13, or your system's
package python3.13 with its venv module), or say where it is: make PYTHON_313=/path/to/python3.13 ...
endef
export NO_PYTHON_313

# moto, SAM's validate and cfn-lint want a region, any region; one that is set wins. Deploying is not among these
# targets: there the profile's region counts, as it does for every other command of the AWS CLI.
demo test test-313 lint build bench: export AWS_DEFAULT_REGION ?= us-east-1

# --- the product --------------------------------------------------------------------------------------------

# make exports what its command line sets: WORLD, INPUT, RECORD, ANSWER, SETTLE, STRIPE_URL, SLACK_URL, NETSUITE_URL
# and PARAMS reach the demo as environment variables (tests/sandbox/README.md).
.PHONY: demo
demo: $(VENV)/.sandbox  ## a monthly run on this machine; ANSWER=approve or reject answers by itself
	@$(VENV)/bin/python -m tests.sandbox.demo

# With STACK it is a deployed stack that is asked; else the sandbox, which needs a region, any region.
DOCTOR_ARGS ?=
.PHONY: doctor
doctor: $(VENV)/.sandbox  ## is everything set up as a stack needs it? STACK=name, or WORLD=tiny on this machine
	@$(if $(STACK),,AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1}) $(VENV)/bin/python -m oncall.doctor $(DOCTOR_ARGS)

# Three workers on two cores: a fifth of the time a test waits for something.
.PHONY: test
test: $(VENV)/.dev $(VENV_BUILD)/.build  ## all tests; PYTEST_ARGS="-k draft" passes through
	@SAM_PYTHON=$(abspath $(VENV_BUILD))/bin/python $(VENV)/bin/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: test-313
test-313: $(VENV_313)/.dev $(VENV_BUILD)/.build  ## all tests under Python 3.13, the functions' runtime
	@SAM_PYTHON=$(abspath $(VENV_BUILD))/bin/python $(VENV_313)/bin/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

# SEED says where to begin, MINUTES how long to look; SOAK_ARGS narrows it (tests/histories/README.md).
SEED ?= 1
MINUTES ?= 10
LIVES ?= 500
.PHONY: soak
soak: $(VENV)/.dev  ## months of a firm and lives of invoices, made at random; SEED=4711 MINUTES=60 LIVES=500
	@PYTHONPATH=.:layers/billing $(VENV)/bin/python -m tests.histories $(SEED) --minutes $(MINUTES) $(SOAK_ARGS)
	@SETTLED_LIVES=$(LIVES) CUTS_EACH=30 MONTH_ORDERS=200 LISTED_ORDERS=34000 POISONED_AMONG=1000 \
		$(VENV)/bin/python -m pytest -q \
		tests/histories/test_a_month_to_the_bank.py tests/histories/test_settled_lives.py \
		tests/histories/test_settled_cuts.py tests/histories/test_faults_of_a_run.py

.PHONY: lint
lint: $(VENV)/.dev $(VENV_BUILD)/.build $(VENV_POLICY)/.policy  ## style, types, boundaries, template, state machine; reports all, then fails
	@status=0; \
	run() { echo "-- $$*" >&2; "$$@" || status=1; }; \
	run $(VENV)/bin/ruff check .; \
	run $(VENV)/bin/ruff format --check .; \
	run $(VENV)/bin/mypy; \
	run $(VENV)/bin/python -m checks; \
	run env PYTHONPATH=layers/billing:. $(VENV)/bin/lint-imports --no-cache; \
	run $(VENV)/bin/cfn-lint template.yaml; \
	run $(VENV)/bin/python -m checks.policy $(VENV_POLICY)/bin/checkov; \
	run $(VENV_BUILD)/bin/sam validate --lint --template template.yaml; \
	test $$status = 0 && echo "lint: all green" || { echo "lint: see above" >&2; exit 1; }

.PHONY: build
build: $(VENV_BUILD)/.build  ## sam build: functions and layers, as they are deployed
	@test -n "$(PYTHON_313)" || { echo "$$NO_PYTHON_313" >&2; exit 1; }
	@PATH="$(dir $(PYTHON_313)):$$PATH" LAYER_PYTHON="$(PYTHON_313)" $(VENV_BUILD)/bin/sam build
	@$(PYTHON) -m checks.built_sizes .aws-sam/build

# First of all it says which account and region it is about to use, or that it cannot tell; SAM alone would silently
# take us-east-1 where no region is set.
.PHONY: deploy
deploy: $(VENV_BUILD)/.build  ## sam deploy; CONFIG_ENV=prod, DEPLOY_ARGS=--guided (needs an AWS account)
	@region="$$($(VENV_BUILD)/bin/python -m checks.deploy_target $(CONFIG_ENV) $(DEPLOY_ARGS))"; \
	$(MAKE) build; \
	$(VENV_BUILD)/bin/sam deploy --config-env $(CONFIG_ENV) $(DEPLOY_ARGS) --region "$$region"

# make's own exit code is 2 for any failure: a script runs $(VENV)/bin/python -m oncall itself (README, "On call").
.PHONY: oncall
oncall: $(VENV)/.oncall  ## the command line for the people on call; ARGS="runs --last 5" (needs an AWS account)
	@$(VENV)/bin/python -m oncall $(ARGS)

BENCH_ARGS ?=
.PHONY: bench
bench: $(VENV)/.dev  ## measures calls, cost and times, and writes docs/benchmarks.md; BENCH_ARGS="calls starts"
	@PYTHONPATH=.:layers/billing $(VENV)/bin/python -m benchmarks $(BENCH_ARGS)

# --- upkeep -------------------------------------------------------------------------------------------------

.PHONY: lock
lock: $(VENV)/.dev  ## resolve every requirements.in to pins with hashes; LOCK_ARGS=--upgrade for newer ones
	@$(VENV)/bin/python -m checks.lock $(LOCK_ARGS)

.PHONY: format
format: $(VENV)/.dev  ## let ruff fix and format what it can
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

.PHONY: print-python-313
print-python-313:
	@echo "$(PYTHON_313)"

.PHONY: clean
clean:  ## remove environments and everything built
	@rm -rf $(VENV) $(VENV_BUILD) $(VENV_POLICY) $(VENV_313) .aws-sam build .mypy_cache .ruff_cache .pytest_cache .hypothesis
