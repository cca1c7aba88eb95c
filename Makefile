# `make` alone prints this list. CONTRACT, FROM and TO choose what `make run` lands: all periods if FROM is left out.
CONTRACT ?= flights
FROM ?=
TO ?=
# which environment of infra/ `make plan`, `apply`, `destroy` and `blocks` are about; `local` is the local cloud
ENV ?= local
# for `make blocks` and `make deploy`: --check shows what it would do and ends with an error if that is anything, --prune removes
# what is left over; for `make plan` and `make apply`: what Terraform's own commands take
OPTIONS ?=
# how long `make fuzz` looks for trouble
SECONDS ?= 300

# for `make chaos`: the order of its scenarios, any if left out; and its own cloud, as yours is not to be struck
SEED ?=
CHAOS_DATA ?= $(DATA)/chaos

# where the local cloud keeps everything: two folders are two clouds
DATA ?= .local

# the work pool that `make worker` asks for runs, as `make blocks` names it
POOL ?= landfall-$(ENV)

# what `make conformance` runs on: the local cloud, or a real project
TARGET ?= local
PROJECT ?=

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
LOCAL := $(PY) -m localcloud
CODE := flows blocks deployments localcloud rehearsal tests benchmarks docs
SHIPPED := flows blocks deployments localcloud rehearsal
CHECKOV := checkov==3.3.30

# for a real environment: plain terraform, with that environment's state and values, and with its own question before it acts
ifeq ($(ENV),local)
TERRAFORM := $(LOCAL) terraform --data $(DATA) --
TERRAFORM_NEEDS = $(INSTALLED)
ACT := -auto-approve
# what `make run` and `make blocks` made, the bucket first, Terraform takes over
ADOPT = $(TERRAFORM) state list 2>/dev/null | grep -qx google_storage_bucket.lake \
	|| for made in google_storage_bucket.lake=landfall-local-lake \
		google_bigquery_dataset.warehouse=projects/local/datasets/landfall_local \
		google_secret_manager_secret.prefect_api=projects/local/secrets/landfall-local-prefect-api; \
	do $(TERRAFORM) import $(VALUES) $${made%%=*} $${made\#*=} >/dev/null 2>&1 || break; done;
# all of a recipe's commands on one local cloud, started once
ON_CLOUD := $(LOCAL) exec --no-prefect --data $(DATA) --
else
ON_CLOUD :=
ADOPT :=
TERRAFORM_NEEDS :=
TERRAFORM := terraform -chdir=infra
INIT := $(TERRAFORM) init -input=false -reconfigure -backend-config=envs/$(ENV).gcs.tfbackend >/dev/null
endif
VALUES := -var-file=envs/$(ENV).tfvars

# made again whenever the lock changes. It names everything: --no-deps, for pip would look for another SQLAlchemy than the one that is
# locked wherever a package asks for `sqlalchemy[asyncio]`; --require-hashes takes nothing else
INSTALLED := .venv/installed

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help run up status down env chosen plan apply destroy blocks deploy register worker test test-ui coverage conformance check lint workflows audit docs chaos chaos-short chaos-mutants fuzz lock bench scale rehearse clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { gsub(/\$$\$$/, "$$", $$2); printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo '  make run CONTRACT=weather FROM=2013-01 TO=2013-03'

run: $(INSTALLED) ## land a contract on the local cloud: web -> GCS -> BigQuery
	@$(LOCAL) exec --data $(DATA) -- sh -c '$(LOCAL) provision | $(PY) -m blocks --if-absent \
		&& exec $(PY) flows/web_to_bigquery.py $(CONTRACT) $(FROM) $(TO)'

up: $(INSTALLED) ## start the local cloud and a Prefect server, and print their addresses
	@$(LOCAL) up --data $(DATA)

status: $(INSTALLED) ## say how each of them is
	@$(LOCAL) status --data $(DATA)

down: $(INSTALLED) ## stop them
	@$(LOCAL) down --data $(DATA)

# landfall, prefect and this python, too, in any folder
env: $(INSTALLED) ## print the exports for your own shell: eval "$$(make -s env)"
	@$(LOCAL) env --data $(DATA)
	@case ":$$PATH:" in *":$(CURDIR)/$(BIN):"*) ;; *) echo "export PATH='$(CURDIR)/$(BIN):$$PATH'" ;; esac

# one line if ENV has no values or there is no terraform
chosen:
	@[ -f infra/envs/$(ENV).tfvars ] || { echo 'infra/envs/$(ENV).tfvars: not found, expected an environment with values there:' \
		'$(patsubst infra/envs/%.tfvars,%,$(wildcard infra/envs/*.tfvars)); nothing was done' >&2; exit 1; }
	@command -v terraform >/dev/null || { echo 'terraform: not found on the PATH, expected 1.11 or newer; get it from' \
		'https://developer.hashicorp.com/terraform/install, nothing was done' >&2; exit 1; }

plan: chosen $(TERRAFORM_NEEDS) ## show what `make apply` would change; ENV=dev, on the local cloud without it; OPTIONS=Terraform's
	@$(INIT)
	@$(TERRAFORM) plan $(VALUES) $(OPTIONS)

apply: chosen $(TERRAFORM_NEEDS) ## make or change what infra/ declares
	@$(INIT)
	@$(ON_CLOUD) sh -c '$(ADOPT) exec $(TERRAFORM) apply $(VALUES) $(ACT) $(OPTIONS)'

destroy: chosen $(TERRAFORM_NEEDS) ## remove it again
	@$(INIT)
	@$(TERRAFORM) destroy $(VALUES) $(ACT)

ifeq ($(ENV),local)
# a local cloud that was never applied has no outputs: there it makes what runs need itself, as `make run` does
blocks: $(INSTALLED) ## register Prefect's blocks and work pool from Terraform's outputs; OPTIONS=--check, --prune
	@$(LOCAL) exec --data $(DATA) -- sh -c 'if [ -e $(DATA)/terraform/infra/terraform.tfstate ]; \
		then outputs=$$($(TERRAFORM) output -json); else outputs=$$($(LOCAL) provision --cloud-run --data $(DATA)); fi \
		&& printf %s "$$outputs" | $(PY) -m blocks --environment $(ENV) $(OPTIONS)'
else
blocks: chosen $(INSTALLED)
	@$(INIT)
	@$(PY) -m blocks --infra infra --environment $(ENV) $(OPTIONS)
endif

ifeq ($(ENV),local)
# there is no registry there: the image is a folder with what the Dockerfile copies, and no more
deploy: $(INSTALLED) ## register the deployments of prefect.yaml that changed; OPTIONS=--check, --prune
	@mkdir -p $(DATA)/image && ln -sfn "$(CURDIR)/flows" $(DATA)/image/flows
	@$(LOCAL) exec --data $(DATA) -- sh -c 'export LANDFALL_IMAGE=$${LANDFALL_IMAGE:-landfall:local} \
		LANDFALL_WORKER_ACCOUNT=landfall-local-worker@local.iam.gserviceaccount.com \
		&& $(LOCAL) image --data $(DATA) --folder $(DATA)/image "$$LANDFALL_IMAGE" >/dev/null \
		&& exec $(PY) -m deployments $(OPTIONS)'
else
deploy: chosen $(INSTALLED)
	@test -n "$$LANDFALL_WORKER_ACCOUNT" || { $(INIT); }
	@LANDFALL_ENVIRONMENT=$(ENV) \
		LANDFALL_WORKER_ACCOUNT=$${LANDFALL_WORKER_ACCOUNT:-$$($(TERRAFORM) output -raw worker_service_account)} \
		$(PY) -m deployments $(OPTIONS)
endif

# each folder of flows/projects/ is a project, whose files with `if __name__ == "__main__"` are registered; the code is the image's
REGISTER = failed=0; for folder in flows/projects/*/; do if [ -d "$$folder" ]; then \
	$(BIN)/landfall register --project "$$(basename "$$folder")-$(ENV)" --path "$$folder**/*" --storage image $(OPTIONS) || failed=1; \
	fi; done; exit $$failed

ifeq ($(ENV),local)
register: $(INSTALLED) ## register the flows of flows/projects/ that changed, each folder a project; OPTIONS=--prune
	@LANDFALL_IMAGE=$${LANDFALL_IMAGE:-landfall:local} $(LOCAL) exec --data $(DATA) -- sh -c '$(REGISTER)'
else
register: chosen $(INSTALLED)
	@LANDFALL_ENVIRONMENT=$(ENV) sh -c '$(REGISTER)'
endif

ifeq ($(ENV),local)
worker: $(INSTALLED) ## run Prefect's Cloud Run worker in the foreground, on the local Cloud Run without ENV
	@$(LOCAL) worker --data $(DATA) --pool $(POOL)
else
worker: $(INSTALLED)
	@$(BIN)/prefect worker start --type cloud-run-v2 --pool $(POOL)
endif

# jobs with their own clocks and memory limits, answers within seconds, and minutes of faults, which others at work would
# upset: by themselves
ALONE := tests/cloud_run tests/ui tests/doctor/test_command.py tests/chaos/test_short.py tests/chaos/test_races.py

test: $(INSTALLED) ## run the tests
	@$(PY) -m pytest --numprocesses 4 --dist loadfile $(patsubst %,--ignore %,$(ALONE))
	@$(PY) -m pytest $(ALONE)

coverage: $(INSTALLED) ## run the tests, show how much of flows/ the first part covers, branches too, and fail under 90 %
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest --numprocesses 4 --dist loadfile $(patsubst %,--ignore %,$(ALONE))
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@$(PY) -m pytest $(ALONE)

rehearse: $(INSTALLED) ## do the whole path on this machine, from terraform apply through Cloud Run jobs to rows and back, in a cloud of its own
	@$(PY) -m rehearsal

test-ui: $(INSTALLED) ## use Prefect's UI in a real browser (Debian's chromium), and take docs/prefect-ui.md's pictures of it
	@PICTURES=docs/pictures/ui $(PY) -m pytest tests/ui

conformance: $(INSTALLED) ## hold the local cloud to Google's promises; TARGET=cloud PROJECT=<id> asks Google itself
	@$(PY) -m pytest tests/conformance --target=$(TARGET) $(if $(PROJECT),--project=$(PROJECT))

lint: $(INSTALLED) workflows ## style, types and import rules, Dockerfile and workflows, and what bandit finds
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check --quiet $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(SHIPPED)

# actionlint is a Go program, and in no package that builds it from its own source; shellcheck, which it asks, is in .venv
workflows: $(INSTALLED) ## read .github with zizmor, and with actionlint where there is Go
	@$(BIN)/zizmor --quiet --offline --persona auditor .github
	@if said=$$(GOBIN=$(CURDIR)/$(BIN) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 2>&1); \
		then PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint .github/workflows/*.yml; \
		else echo "SKIPPED: actionlint, which needs Go and its module proxy ($$(echo "$$said" | tail -n 1))" >&2; [ -z "$$GITHUB_ACTIONS" ]; fi

# each tool in an environment of its own: what they need does not go with what we need
audit: $(INSTALLED) ## look for weak settings in infra/ and Dockerfile, then (needs the network) for known vulnerabilities in the lock
	@$(BIN)/uv tool run --quiet --from $(CHECKOV) checkov --directory infra --framework terraform --skip-download --quiet --compact
	@$(BIN)/uv tool run --quiet --from $(CHECKOV) checkov --file Dockerfile --framework dockerfile --skip-download --quiet --compact
	@$(PY) -m tests.audit

check: lint coverage ## what CI runs: lint, then the tests and their coverage

docs: $(INSTALLED) ## write the pages that come from code (contracts, commands, the local cloud's tables) and build the site into .site
	@$(PY) docs/contracts.py
	@$(PY) docs/commands.py
	@$(PY) -m tests.conformance.page
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo 'built .site/index.html'

chaos: $(INSTALLED) ## strike landings at every boundary, judge what is left, and write docs/reliability.md; SEED=, OPTIONS='--only "job sent"'
	@$(LOCAL) exec --data $(CHAOS_DATA) -- $(PY) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(OPTIONS),$(OPTIONS),--page --schedules 4)

chaos-short: $(INSTALLED) ## every boundary and every fault once, sixteen processes at once, and a few schedules
	@$(PY) -m pytest tests/chaos/test_short.py tests/chaos/test_races.py

chaos-mutants: $(INSTALLED) ## break one invariant after the other, and see that the fault matrix notices each
	@$(LOCAL) exec --data $(CHAOS_DATA) -- $(PY) -m tests.chaos.mutants

fuzz: $(INSTALLED) ## read mutated contracts and files for SECONDS=300, and show what is not refused with a word
	@$(PY) -m tests.fuzz --seconds $(SECONDS)

bench: $(INSTALLED) ## measure Landfall beside others, and write docs/performance.md; OPTIONS="--only conversion --quick"
	@$(PY) -m benchmarks $(OPTIONS)

scale: $(INSTALLED) ## land 500 partitions as Cloud Run jobs, 20 at once, on SQLite and on Postgres, and write docs/scale.md; OPTIONS="--partitions 50"
	@$(PY) -m benchmarks.scale $(OPTIONS)

lock: $(INSTALLED) ## write the locks anew: of everything, of what runs need, for the image, and of a rival of the benchmarks
	@$(COMPILE) --all-extras pyproject.toml --output-file requirements.lock
	@$(COMPILE) --constraint requirements.lock --extra database pyproject.toml --output-file requirements-run.lock
	@$(COMPILE) benchmarks/rivals.in --output-file benchmarks/rivals.lock

clean: ## stop everything, and remove the local cloud's data (not .venv)
	@if [ -x $(PY) ]; then $(LOCAL) down --data $(DATA); fi
	@rm -rf $(DATA) .rehearsal

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Landfall needs Python 3.11 or newer; set PYTHON=")'
	@echo 'installing into .venv, once'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@said=$$($(BIN)/pip check) || { echo "$$said" >&2; exit 1; } # without --no-deps pip would have said so itself
	@touch $@
