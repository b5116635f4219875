# Everything a checkout needs, as verbs. `make help` lists them.
# Needed beforehand: python3 (3.11 or newer) with venv and pip, Node 20.19 or newer with npm, git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready
PLAYWRIGHT := node frontend/node_modules/@playwright/test/cli.js
# The kernel runs in the active environment by default; here that is ours.
ENV := env -u VIRTUAL_ENV -u CONDA_PREFIX -u PYTHONPATH -u PYTHONHOME
# More for the program or the tests: make demo ARGS="--port 0", make test-python ARGS="-k store"
ARGS ?=

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo run setup test check lint format types test-python test-page test-browser \
	kernels notebooks kills bench page lock audit dist smoke doctor browser peers clean

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: setup ## start on the built-in demo model: no key, no network, real code on real files
	@$(ENV) $(BIN)/gptcode --demo $(ARGS)

run: setup ## start with the model of your environment or .env (OPENAI_API_KEY, OPENAI_BASE_URL ...)
	@$(ENV) $(BIN)/gptcode $(ARGS)

setup: page $(READY) ## what the others do first: .venv, Python packages, the built page

page: $(VENV)/pyvenv.cfg ## build the page if it is missing or stale
	@$(PY) scripts/build_page.py

lock: $(READY) ## after a change to setup.py or frontend/package.json: write the lock files
	@cd frontend && npm install --package-lock-only --no-audit --no-fund
	@$(PY) scripts/complete_lock.py
	@$(PY) -m scripts.lock_python

audit: setup ## known faults and licences of all that is locked; 3 where nobody could be asked
	@$(ENV) $(PY) -m scripts.audit $(ARGS)

test: setup browser peers kernels notebooks check test-python test-page test-browser ## everything: checks, Python, page, browser journeys

check: setup ## formatting, lint, types, stale generated files: Python and page
	@$(ENV) $(PY) scripts/check.py

lint: check ## the same as check

format: setup ## rewrite Python and page sources in the one format
	@$(PY) -m ruff check --fix-only -q . && $(PY) -m ruff format -q .
	@cd frontend && npm run -s format
	@cd tests/e2e && ../../frontend/node_modules/.bin/biome format --write --log-level=error .

types: setup ## write what is generated: the page's types, the settings table of the README
	@$(PY) -m scripts.gen_types && $(PY) -m scripts.gen_docs

test-python: setup ## the Python tests
	@$(ENV) $(PY) -m pytest $(ARGS)

test-page: setup ## the page's unit and component tests
	@cd frontend && npm test --silent

test-browser: setup browser ## the browser journeys, through the real product
	@$(ENV) CHROMIUM="$$($(PY) scripts/setup_browser.py --where)" PYTHON_UNDER_TEST="$(CURDIR)/$(PY)" \
		$(PLAYWRIGHT) test --config tests/e2e/playwright.config.ts $(ARGS)

browser: $(VENV)/pyvenv.cfg ## see that there is a browser, a CJK font and bubblewrap, install them from apt where allowed
	@$(PY) scripts/setup_browser.py

peers: $(VENV)/pyvenv.cfg ## see that the tests have the LiteLLM proxy to talk to, in .peers
	@$(PY) scripts/setup_peers.py

kernels: $(VENV)/pyvenv.cfg ## see that the tests have kernels of other languages: bash and Deno, in .kernels
	@$(PY) scripts/setup_kernels.py

notebooks: $(VENV)/pyvenv.cfg ## fetch other people's notebooks and Jupyter's own tools, to test exports with
	@$(PY) -m scripts.setup_notebooks

kills: setup ## kill it at 50 random instants: each time the notebook is valid (make test does a part of it)
	@$(ENV) KILLS=50 $(PY) -m pytest -q tests/test_kills.py $(ARGS)

bench: setup ## measure the running product against its targets: a table, and bench.json
	@$(ENV) $(PY) -m scripts.bench $(ARGS)

dist: setup ## build the sdist and the wheel into dist/, and check their metadata
	@rm -rf dist
	@$(PY) -m build --quiet
	@$(PY) -m twine check --strict dist/*

smoke: dist ## install the wheel in a clean environment, start it, look at it
	@$(ENV) $(PY) -m scripts.smoke_wheel

doctor: setup ## what is configured, what is missing, and the mend
	@$(ENV) $(BIN)/gptcode doctor $(ARGS)

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) .peers .kernels build dist *.egg-info bench.json .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf gpt_code_ui/web/static frontend/node_modules tests/e2e/shots test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed: install it, or run 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Python's venv is incomplete: run 'sudo apt-get install python3-venv'" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --use-pep517 -c requirements-dev.txt
$(READY): $(VENV)/pyvenv.cfg setup.py pyproject.toml requirements-dev.txt requirements-dev.lock
	@echo "setup: installing the Python packages" >&2
	@$(PY) $(PIP_INSTALL) -c requirements-dev.lock -e '.[dev]' 2>/dev/null || \
		{ echo "setup: not every locked release is to be had here; taking others within the ranges" >&2; \
		$(PY) $(PIP_INSTALL) -e '.[dev]'; }
	@touch $@
