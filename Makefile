# Everything a newcomer needs: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
TARGET ?= local
UV := $(CURDIR)/.venv/bin/uv
INSTALL := $(UV) pip install --no-deps --require-hashes
LAUNCH := .venv/bin/python -m include.launcher
# Airflow, PyTorch and the AWS libraries take many seconds to compile: each process would do it again.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: env ## Set everything up, run the whole workflow, show what came of it (TARGET=aws for your AWS account)
	@$(LAUNCH) run --target $(TARGET)

.PHONY: aws-check
aws-check: .venv/.installed ## Say what your AWS account has, lacks and will be billed; nothing is made
	@$(LAUNCH) aws-check --target aws

.PHONY: aws-policy
aws-policy: .venv/.installed ## Print the IAM policies that the caller of your AWS account needs, as JSON
	@$(LAUNCH) aws-policy --target aws

.PHONY: teardown
teardown: env ## List what the project made; delete it with CONFIRM=<project> (SCOPE=endpoint, all_but_data, everything; TARGET=aws)
	@$(LAUNCH) teardown --target $(TARGET) $(if $(SCOPE),--scope $(SCOPE)) $(if $(CONFIRM),--confirm $(CONFIRM))

.PHONY: up
up: env ## Start the local cloud and Airflow and leave them running for the UI
	@$(LAUNCH) up --target $(TARGET)

.PHONY: down
down: .venv/.installed ## Stop what `make up` started; the data stay
	@$(LAUNCH) down --target $(TARGET)

.PHONY: status
status: .venv/.installed ## Say what runs
	@$(LAUNCH) status --target $(TARGET)

.PHONY: report
report: env ## Build one day's capture report without Airflow (DATE=YYYY-MM-DD, today if left out)
	@$(LAUNCH) report --target $(TARGET) $(if $(DATE),--date $(DATE))

.PHONY: demo
demo: env ## After make run: days of invented traffic that drifts, and their reports (on the local cloud alone)
	@$(LAUNCH) demo --target $(TARGET)

.PHONY: notebook
notebook: env .venv/.notebook ## Open the course's steps as a notebook (TARGET=aws for your AWS account)
	@$(LAUNCH) notebook --target $(TARGET)

.PHONY: cloud
cloud: .venv-cloud/.installed ## Start the local cloud alone, in the foreground
	@.venv-cloud/bin/python -m include.local_cloud --port $${SCONES_CLOUD_PORT:-4566} --data $${SCONES_HOME:-.local}/cloud

.PHONY: aws-env
aws-env: ## Print what sets a shell up for the local cloud: eval "$$(make -s aws-env)"
	@test -x .venv/bin/python || { echo "run make env first" >&2; exit 1; }
	@$(LAUNCH) aws-env

.PHONY: cloud-check
cloud-check: .venv/.installed ## Say whether the local cloud is ready
	@.venv/bin/python -c "import httpx; print(httpx.get('http://127.0.0.1:$${SCONES_CLOUD_PORT:-4566}/_local_cloud/health', timeout=5).text)"

# Each environment's half of the tests; both run at the same time, for most tests wait for something.
CLOUD_TESTS := tests/local_cloud tests/image_classification
TEST_CLOUD := .venv-cloud/bin/python -m pytest $(CLOUD_TESTS)
TEST_CLIENT := .venv/bin/python -m pytest tests/browser tests/e2e tests $(addprefix --ignore ,$(CLOUD_TESTS))

TESTED := env .venv/.notebook .venv-audit/.installed .venv-sdk2/.installed

.PHONY: test
test: $(TESTED) ## Run all tests
	@tests/recorded tests/both "$(TEST_CLOUD) -n 2" "$(TEST_CLIENT) -n 3"

.PHONY: conformance
conformance: $(TESTED) ## Run all tests and make the local cloud's table of operations of it
	@tests/recorded --write tests/both "$(TEST_CLOUD) -n 2" "$(TEST_CLIENT) -n 3"

.PHONY: coverage
coverage: $(TESTED) ## Run all tests and measure the coverage of all processes
	@tests/coverage tests/both "$(TEST_CLOUD) -n 2" "$(TEST_CLIENT) -n 3"

.PHONY: test-unit
test-unit: env .venv/.notebook ## Run the tests that need no process and no network: under a minute
	@tests/both "$(TEST_CLOUD) -m unit" "$(TEST_CLIENT) -m unit -n 2"

.PHONY: test-client-unit
test-client-unit: .venv/.installed ## Run the unit tests of the client environment alone, which needs no PyTorch
	$(TEST_CLIENT) -m unit -n 2

.PHONY: test-cloud
test-cloud: env .venv/.notebook .venv-sdk2/.installed ## Run the tests that need the local cloud, and no Airflow
	@tests/both "$(TEST_CLOUD) -m cloud -n 2" "$(TEST_CLIENT) -m cloud -n 2"

TORCH_BENCHMARKS := benchmarks/deep_training.py
CLIENT_CODE := include/scones include/operators include/pages include/launcher lambdas dags plugins requirements \
	$(filter-out $(TORCH_BENCHMARKS),$(wildcard benchmarks/*.py)) \
	$(filter-out tests/__pycache__ $(CLOUD_TESTS),$(patsubst %/,%,$(wildcard tests/*/))) $(wildcard tests/*.py)

.PHONY: check
check: types ## Lint, format, type and layer checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

.PHONY: types
types: env .venv/.notebook ## Type checks
	.venv/bin/mypy $(CLIENT_CODE)
	.venv/bin/mypy --python-executable .venv-cloud/bin/python include/local_cloud include/image_classification $(CLOUD_TESTS) $(TORCH_BENCHMARKS)

.PHONY: audit
audit: .venv-audit/.installed ## Check the locked packages against known vulnerabilities (needs PyPI's or OSV's advisories)
	@.venv-audit/bin/python requirements/audit.py

.PHONY: batch-image
batch-image: env ## Build the batch job's container image and push it to your AWS registry (Docker or Podman)
	@.venv/bin/python -m include.scones.batch.image

.PHONY: container-image
container-image: env ## Build the project's own training and serving image and push it to your AWS registry (Docker or Podman)
	@.venv/bin/python -m include.scones.models.image

.PHONY: mwaa
mwaa: .venv/.installed ## Write build/mwaa: DAGs, plugins.zip and requirements.txt for Amazon MWAA
	@.venv/bin/python -m include.launcher.mwaa

.PHONY: test-compose
test-compose: .venv/.installed ## Run the workflow in docker-compose.yaml's containers, as root (KILLS=1: and kill each amid it)
	.venv/bin/python -m pytest -m compose tests/compose/test_in_containers.py $(if $(KILLS),tests/compose/test_killed.py)

.PHONY: clean
clean: ## Stop everything and remove .local/ with all its data, unless AWS still has something of it (FORCE=1)
	@if [ -d .local ] && [ -x .venv/bin/python ]; then SCONES_HOME=.local $(LAUNCH) clean $(if $(FORCE),--force); \
	elif [ -z "$(FORCE)" ] && grep -qsx aws .local/target; then \
		echo "AWS may still have something of .local/: run make env, which can ask it, or forget it: make clean FORCE=1" >&2; exit 1; fi
	rm -rf .local

.PHONY: env
env: .venv/.installed .venv-cloud/.installed ## Make the two Python environments

NO_PACKAGES := { echo "The packages cannot be installed: the lines above say why. If the package index cannot be reached, name one that can (PIP_INDEX_URL and UV_DEFAULT_INDEX), then run make again." >&2; exit 1; }

.venv/.installed: requirements/bootstrap.txt requirements/runtime.txt requirements/development.txt
	@$(PYTHON) requirements/check_python.py
	@echo "1 of 3: .venv, the client environment: Airflow, its Amazon provider and the developers' tools"
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	@.venv/bin/pip install --disable-pip-version-check --no-deps --require-hashes -r $< || $(NO_PACKAGES)
	@$(INSTALL) --python .venv/bin/python -r requirements/runtime.txt -r requirements/development.txt || $(NO_PACKAGES)
	@touch $@

# Beside the client environment's packages and of the same versions, so that a notebook's kernel has all of both.
.venv/.notebook: requirements/notebook.txt .venv/.installed
	@$(INSTALL) --python .venv/bin/python -r $< || $(NO_PACKAGES)
	@touch $@

.venv-cloud/.installed: requirements/cloud.txt requirements/testing.txt requirements/torch.txt .venv/.installed
	@echo "2 of 3: .venv-cloud, the local cloud's environment: MiniStack, ONNX and the tests' tools"
	@test -x .venv-cloud/bin/pip || $(PYTHON) -m venv .venv-cloud
	@$(INSTALL) --compile-bytecode --python .venv-cloud/bin/python -r $< -r requirements/testing.txt || $(NO_PACKAGES)
	@echo "3 of 3: PyTorch for CPUs, the largest package, into .venv-cloud"
	@requirements/install-torch .venv-cloud/bin/python $(UV)
	@touch $@

.venv-audit/.installed: requirements/audit.txt .venv/.installed
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv --without-pip .venv-audit
	@$(INSTALL) --quiet --python .venv-audit/bin/python -r $< || $(NO_PACKAGES)
	@touch $@

# The SDK of version 2 for the test of the course's notebook: version 3, which the project uses, cannot be beside it.
.venv-sdk2/.installed: requirements/sdk2.txt .venv/.installed
	@test -x .venv-sdk2/bin/python || $(PYTHON) -m venv --without-pip .venv-sdk2
	@$(INSTALL) --quiet --compile-bytecode --python .venv-sdk2/bin/python -r $< || $(NO_PACKAGES)
	@touch $@
