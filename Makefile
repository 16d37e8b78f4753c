# Thin names for the commands in scripts/, which take options; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test fast lint fix odoo bench crm-suite texts hooks clean

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: ## Odoo and the connector with believable leads, until Ctrl-C (./scripts/demo)
	@./scripts/demo

test: ## Every check and test (./scripts/test)
	@./scripts/test

fast: ## Lint, types and the tests without Odoo, under a minute (./scripts/test --fast)
	@./scripts/test --fast

lint: ## Static checks only (./scripts/lint)
	@./scripts/lint

fix: ## Repair and format what ruff can (./scripts/lint --fix)
	@./scripts/lint --fix

odoo: ## Odoo with our addons on database dev, port ODOO_PORT or 8069 (./scripts/odoo)
	@./scripts/odoo

bench: ## List the benchmarks; run one with ./scripts/bench NAME
	@./scripts/bench

crm-suite: ## Odoo's own tests of crm, without our addon and with it (./scripts/crm-suite)
	@./scripts/crm-suite

texts: ## Export the texts of the addons for translators (./scripts/texts)
	@./scripts/texts

hooks: ## Run the checks before every commit (pre-commit)
	@./scripts/lint pre-commit install

clean: ## Remove environments, logs and caches of this checkout (./scripts/odoo clean)
	@./scripts/odoo clean
