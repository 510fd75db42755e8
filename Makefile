# Two commands matter: `make lab` opens the lessons, `make test` proves them.
# Needs python3 (3.11 to 3.14), make and pip; uses uv where it is present.
.PHONY: lab test site faults press bench bench-check bench-grade bench-start bench-classroom hub-test pictures release requirements clean
SHELL = /bin/sh

IN_RANGE = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
COMPILE = uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --quiet
SITE = jobs_kit/publish/site/requirements

INSTALL = .venv/bin/python -m pip --python $(1)/bin/python --quiet \
	--disable-pip-version-check install --no-user

lab: .venv/ready
	@.venv/bin/jobs-kit start

test: .venv/ready
	.venv/bin/python -m pytest -n auto --cache-clear || .venv/bin/python tests/repeat_failed.py $$?

faults: .venv/ready
	@PYTHONPATH=tests .venv/bin/python tests/faults/harness.py $(OPTIONS)

bench: .venv/ready .venv-engines/ready
	@PYTHONPATH=tests .venv/bin/python tests/benchmarks/engines.py --python .venv-engines/bin/python $(OPTIONS)

bench-check: .venv/ready
	@.venv/bin/python tests/benchmarks/checks.py

bench-grade: .venv/ready .venv-graders/ready
	@.venv/bin/python tests/benchmarks/grading.py $(OPTIONS)

bench-start: .venv/ready
	@.venv/bin/python tests/benchmarks/start.py $(OPTIONS)

bench-classroom: .venv/ready
	@.venv/bin/python tests/benchmarks/classroom.py $(OPTIONS)

# Real launches: on Binder, and in a JupyterHub with two users.
hub-test: .venv/ready .venv-hub/ready .venv-binder/ready
	$(call INSTALL,.venv-hub) --no-deps --force-reinstall .
	$(call INSTALL,.venv-binder) -r binder/requirements.txt
	.venv/bin/python -m pytest -s -p no:nbval -o addopts= --timeout 600 \
	  tests/browser/on_binder.py tests/browser/on_hub.py

pictures: .venv/ready
	@.venv/bin/python tests/browser/pictures.py

site: .venv/ready .venv-site/ready
	@.venv/bin/python -m jobs_kit.publish.site --tools .venv-site $(OPTIONS) build/site

release: .venv/ready site
	@.venv/bin/python -m jobs_kit.publish.release dist

press: .venv/ready
	@.venv/bin/jobs-kit press

requirements:
	$(COMPILE) --all-extras --output-file requirements.txt pyproject.toml
	$(COMPILE) --output-file $(SITE).txt $(SITE).in

clean:
	rm -rf .venv .venv-graders .venv-engines .venv-site .venv-hub .venv-binder build dist

# Made again when the pins have changed or the folder has moved. The last step writes `ready`, with
# the folder in it; the shell compares, because a folder's name may hold what make or grep reads.
MOVED := $(shell [ "$$(cat .venv/ready 2>/dev/null)" = "$$(pwd -P)" ] || rm -f .venv/ready)

.venv/ready: requirements.txt pyproject.toml
	@set -e; umask 022; \
	for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14 none; do \
	  if [ $$python = none ]; then echo 'Install Python 3.11, 3.12, 3.13 or 3.14 first.'; exit 1; fi; \
	  if $$python -c '$(IN_RANGE)' 2>/dev/null; then break; fi; \
	done; \
	echo "Installing the packages; this takes a minute, once."; \
	with_uv() { \
	  command -v uv >/dev/null && rm -rf .venv && \
	  uv venv --quiet --seed --python "$$($$python -c 'import sys; print(sys.executable)')" .venv && \
	  install="uv pip install --quiet --compile-bytecode --python .venv/bin/python" && \
	  $$install -r requirements.txt && $$install --no-deps --editable .; \
	}; \
	with_pip() { \
	  rm -rf .venv; options="--quiet --disable-pip-version-check --no-user"; \
	  if $$python -m venv .venv >/dev/null 2>&1; then pip=".venv/bin/python -m pip"; else \
	    rm -rf .venv; $$python -m venv --without-pip .venv; \
	    pip="$$python -m pip --python .venv/bin/python"; \
	    $$pip install $$options pip; \
	  fi && \
	  $$pip install $$options -r requirements.txt && $$pip install $$options --no-deps --editable .; \
	}; \
	with_uv || with_pip
	@pwd -P >$@

# The graders and engines that benchmarks compare with, what builds the site, and what Binder or a hub
# has; nothing of theirs comes into .venv.
define FILL
rm -rf $(@D)
.venv/bin/python -m venv --without-pip $(@D)
$(call INSTALL,$(@D)) -r $<
@touch $@
endef

.venv-site/ready: $(SITE).txt .venv/ready
	$(FILL)

.venv-hub/ready .venv-binder/ready: .venv-%/ready: tests/browser/%.txt requirements.txt .venv/ready
	$(FILL)

.venv-%/ready: tests/benchmarks/%.txt .venv/ready
	$(FILL)
