# Everything a contributor needs; each target installs what it misses.

SCALE ?=
PORT ?= 8000

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# The system is many processes, of which tests kill hundreds: what one compiled, all others read.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: up test check lint catalogue bench bench-seats bench-documents bench-notifications bench-pages gallery format

up: ## Start the whole system here, with real servers: make up SCALE="courses=2 gateway=2" PORT=8000
	@stack/bootstrap.sh up
	@! docker info >/dev/null 2>&1 || echo "A Docker engine answers: docker compose up --build --wait gives the same."
	@exec python -m stack up --port "$(PORT)" --scale "$(SCALE)"

test: ## Everything that is checked and tested, on real servers
	@stack/bootstrap.sh test
	@$(MAKE) --no-print-directory lint
	pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

check: ## What a change must pass before it is shown, in under a minute
	@stack/bootstrap.sh check
	@$(MAKE) --no-print-directory lint
	pytest -q tests/unit

lint:
	ruff format --check .
	ruff check .
	mypy shared/src services/*/src gateway/src stack/src tests bench
	lint-imports

catalogue: ## Take the texts of the code into the English catalogue, where the new ones are left empty
	@stack/bootstrap.sh check
	@mkdir -p .run
	pybabel --quiet extract --mapping-file pyproject.toml --add-location file --sort-by-file --no-wrap \
		--output-file .run/texts.pot gateway/src services shared/src
	pybabel --quiet update --input-file .run/texts.pot --output-dir gateway/src/gateway/locale --locale en \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap

bench: ## The side-by-side benchmarks; each ends with one line of JSON
	@stack/bootstrap.sh test
	python -m bench

bench-seats: ## Ways to allocate seats, side by side: make bench-seats QUICK=1 to see that it works
	@stack/bootstrap.sh test
	python -m bench.seats $(if $(QUICK),--quick)

bench-documents: ## What a document costs to send and to verify: make bench-documents QUICK=1
	@stack/bootstrap.sh test
	python -m bench.documents $(if $(QUICK),--quick)

bench-notifications: ## Mails of the queue against bare ones: make bench-notifications QUICK=1
	@stack/bootstrap.sh test
	python -m bench.notifications $(if $(QUICK),--quick)

bench-pages: ## What each page costs a gateway, in CPU: make bench-pages QUICK=1
	@stack/bootstrap.sh check
	python -m bench.page_cost $(if $(QUICK),--quick)

gallery: ## Pictures of every page in every state, on screens wide and narrow: make gallery ONLY="accueil etape-4"
	@stack/bootstrap.sh test
	python -m tests.showroom.gallery .run/gallery $(ONLY)

format: ## Format the code and mend what can be mended by itself
	@stack/bootstrap.sh check
	ruff format .
	ruff check --fix .
