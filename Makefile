# The commands of this project. A new user needs only `make run` and `make test`.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
PORT ?= 8000
PYTEST_ARGS ?=
RUN := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export CONSOLE_DEMO

.PHONY: run demo-reset serve install test test-long lint parts bench ways soak screenshots gallery lock messages clean

run: CONSOLE_DEMO = 1
run: $(VENV)/installed
	@exec $(RUN) manage.py demo --bind 127.0.0.1:$(PORT)

demo-reset: CONSOLE_DEMO = 1
demo-reset: $(VENV)/installed
	@$(RUN) manage.py demo --reset

serve: $(VENV)/installed
	@exec $(RUN) manage.py serve --bind 127.0.0.1:$(PORT)

install: $(VENV)/installed

test: $(VENV)/installed-dev parts
	@$(RUN) -m pytest -n auto --lint --durations=20 $(PYTEST_ARGS)

# Runs all examples of hypothesis and schemathesis with new random seeds, and looks at all states of the gallery.
# `make test` runs a fixed eighth of the examples, and looks at a fixed third of the states.
test-long: export CONSOLE_TEST_LONG = 1
test-long: test

lint: $(VENV)/installed-dev
	@$(RUN) -m tests.lint

# Installs the system packages for the tests, as root on Debian. Elsewhere, skipped tests name the missing package.
parts:
	@sh tests/parts.sh

bench: $(VENV)/installed-dev parts
	@$(RUN) -m tests.bench

# Traces some requests and prints the source files that they enter.
ways: $(VENV)/installed-dev parts
	@$(RUN) -m tests.bench.ways

# Load on a real server for so many seconds, then two kills. Prints the figures and their targets.
SECONDS ?= 300
soak: $(VENV)/installed-dev parts
	@$(RUN) -m tests.soak $(SECONDS)

screenshots: $(VENV)/installed-dev parts
	@$(RUN) -m tests.screenshots

# Pictures of every state of every page in gallery/index.html, and the faults of their layout. Takes most of an hour.
gallery: $(VENV)/installed-dev parts
	@$(RUN) -m tests.gallery $(GALLERY_ARGS)

messages: $(VENV)/installed
	@$(RUN) manage.py messages

lock: $(VENV)/installed
	@$(RUN) -m pip install -q uv
	@$(RUN) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --upgrade -q -o requirements.txt --custom-compile-command "make lock"
	@$(RUN) -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --upgrade -q -c requirements.txt -o requirements-dev.txt \
		--custom-compile-command "make lock"

clean:
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(RUN):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/installed: $(RUN) requirements.txt
	@echo "Installing the locked requirements; this happens once."
	@$(RUN) -m pip install -q --require-hashes -r requirements.txt
	@$(RUN) -m console.catalogues
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing the locked requirements of the tests; this happens once."
	@$(RUN) -m pip install -q --require-hashes -r requirements-dev.txt
	@touch $@
