# Tidu. Every recipe calls one short script; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: campaign siege soak equivalence golden interchange planted help setup run test check docs bench demo pins clean
PYTHON := .venv/bin/python
TIDU := .venv/bin/tidu

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## prepare .venv and the browser parts (quick when nothing changed)
	@scripts/setup

run: setup ## set up, fill an empty database with three seasons, serve; Ctrl-C stops
	@$(PYTHON) scripts/run.py

test: setup ## the whole test suite (T="tests/engine -k claim" narrows it)
	@scripts/test $(T)

check: setup ## what CI does: format, lint, types, floors, spelling, tests
	@scripts/check
	@scripts/test

docs: setup ## write docs/bpmn-support.md and docs/policy-map.md from what they tell of
	@$(PYTHON) scripts/bpmn_support.py
	@$(PYTHON) scripts/policy_map.py

bench: setup ## measure the engine and the commands, as tables (minutes)
	@scripts/bench

demo: setup ## play more cases into the database (N cases, seed S)
	@$(TIDU) init && $(TIDU) demo --cases $(or $(N),300) --seed $(or $(S),7)

pins: setup ## resolve the ranges of setup.cfg into constraints.txt again
	@scripts/pins

clean: ## remove what set-up made; the data stays
	@rm -rf .venv node_modules web/static/dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

campaign: setup ## strike far more often than the suite, on both databases; writes docs/campaigns.md (hours)
	@scripts/campaign

siege: setup ## play N cases through four servers and two workers that are killed all the time
	@$(PYTHON) -m tests.reliability.siege --cases $(or $(N),300)

soak: setup ## work for HOURS at a steady rate while processes are killed; memory and store must not grow
	@$(PYTHON) -m tests.reliability.soak --hours $(or $(HOURS),1)

interchange: setup ## import, edit and export every .bpmn file below DIR and compare (minutes)
	@$(PYTHON) -m tests.interchange $(DIR)

equivalence: setup ## compare with SpiffWorkflow as it comes on drawings and packages (minutes)
	@$(PYTHON) -m tests.engine.equivalence

golden: setup ## keep histories of this release for ever (once, at a release)
	@$(PYTHON) -m tests.golden

planted: setup ## plant known faults in copies, one each, and see the suite turn red (NAME=… for one; minutes)
	@$(PYTHON) -m tests.planted $(NAME)
