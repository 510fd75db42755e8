# Two commands matter: `make lab` opens the lessons, `make test` proves them.
.PHONY: lab test env requirements

lab: env
	.venv/bin/jobs-kit start

test: env
	.venv/bin/python -m pytest

env: .venv/ready

.venv/ready: requirements.txt pyproject.toml
	touch $@
