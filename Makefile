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
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: env ## Set everything up, run the whole workflow, show what came of it (TARGET=aws for your AWS account)
	@$(LAUNCH) run --target $(TARGET)

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

.PHONY: test
test: env .venv/.notebook .venv-audit/.installed ## Run all tests
	.venv-cloud/bin/python -m pytest -n 2 tests/local_cloud tests/image_classification
	.venv/bin/python -m pytest -n 2 tests/browser tests/e2e tests --ignore tests/local_cloud --ignore tests/image_classification

.PHONY: check
check: env ## Lint, format and type checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy include/scones include/operators include/launcher lambdas dags plugins requirements
	.venv/bin/mypy --python-executable .venv-cloud/bin/python include/local_cloud include/image_classification

.PHONY: audit
audit: .venv-audit/.installed ## Check the locked packages against known vulnerabilities (needs PyPI's or OSV's advisories)
	@.venv-audit/bin/python requirements/audit.py

.PHONY: batch-image
batch-image: env ## Build the batch job's container image and push it to your AWS registry (needs Docker)
	@.venv/bin/python -m include.scones.batch.image

.PHONY: clean
clean: ## Stop everything and remove .local/ with all its data
	@if [ -x .venv/bin/python ] && [ -d .local ]; then $(LAUNCH) down; fi
	rm -rf .local

.PHONY: env
env: .venv/.installed .venv-cloud/.installed ## Make the two Python environments

NO_PACKAGES := { echo "The packages cannot be installed: the lines above say why. If the package index cannot be reached, name one that can (PIP_INDEX_URL and UV_DEFAULT_INDEX), then run make again." >&2; exit 1; }

.venv/.installed: requirements/bootstrap.txt requirements/airflow.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}: set PYTHON=python3.11")'
	@echo "setting up .venv"
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	@.venv/bin/pip install --disable-pip-version-check --no-deps --require-hashes -r $< || $(NO_PACKAGES)
	@$(INSTALL) --python .venv/bin/python -r requirements/airflow.txt || $(NO_PACKAGES)
	@touch $@

# Beside the client environment's packages and of the same versions, so that a notebook's kernel has all of both.
.venv/.notebook: requirements/notebook.txt .venv/.installed
	@$(INSTALL) --python .venv/bin/python -r $< || $(NO_PACKAGES)
	@touch $@

.venv-cloud/.installed: requirements/cloud.txt requirements/torch.txt .venv/.installed
	@echo "setting up .venv-cloud"
	@test -x .venv-cloud/bin/pip || $(PYTHON) -m venv .venv-cloud
	@$(INSTALL) --compile-bytecode --python .venv-cloud/bin/python -r $< || $(NO_PACKAGES)
	@requirements/install-torch .venv-cloud/bin/python $(UV)
	@touch $@

.venv-audit/.installed: requirements/audit.txt .venv/.installed
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv --without-pip .venv-audit
	@$(INSTALL) --quiet --python .venv-audit/bin/python -r $< || $(NO_PACKAGES)
	@touch $@
