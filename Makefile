# Every target calls an npm script of package.json; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: run test install-deps build lint format e2e screenshots bench bench-proxy ci clean help

run: install-deps build ## Install, build and start the server
	@npm start --silent

test: install-deps build ## Install, build and run every test
	@npm run --silent prepare-tests
	@npm run --silent test

install-deps: ## Install the dependencies of all packages
	@npm run --silent install-deps

build: ## Compile all packages
	@npm run --silent build

lint: install-deps build ## Check style, types and unused code
	@npm run --silent lint

format: ## Format all source files
	@npm run --silent format

e2e: install-deps build ## Run the tests across packages in their long form
	@AGENTAPI_PROXY_TEST_THOROUGH=1 npm run --silent prepare-tests
	@npm run --silent e2e

screenshots: install-deps build ## Take pictures of every page of the web console
	@npm run --silent screenshots

bench: install-deps build ## Measure speed and memory
	@npm run --silent bench

bench-proxy: install-deps build ## Measure the proxy beside others
	@npm run --silent bench-proxy

ci: ## Everything that must pass before a change lands
	@npm run --silent ci

clean: ## Remove everything that was built
	@npm run --silent clean

help: ## Show this list
	@npm run --silent make-help
