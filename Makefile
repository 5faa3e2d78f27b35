# Everything that a person types here, one line each: make help

.DEFAULT_GOAL := help
.PHONY: help demo run build test check fmt lint vet fmt-check schema-check generated-check size-check words-check schema bench bench-full guards

# Pure Go: the same binary everywhere, and no C compiler needed. (The race detector needs one: make test RACE=-race.)
export CGO_ENABLED := $(if $(RACE),1,0)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## three nodes on this machine with real content, until Ctrl-C (installs PostgreSQL when it is missing)
	@.ci/install postgresql
	@$(MAKE) --no-print-directory build
	@exec bin/souk demo

run: build ## one node with defaults, data in ./souk-data
	@exec bin/souk serve

build: ## build bin/souk
	go build -trimpath -ldflags "-s -w" -o bin/souk ./cmd/souk

test: ## run every test (installs PostgreSQL and Chromium when they are missing)
	@.ci/install postgresql chromium
	go run ./migrations/pgtest/run go test $(RACE) -timeout 20m ./...

check: fmt-check vet lint schema-check generated-check size-check words-check ## what a commit must pass besides the tests

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

lint: bin/staticcheck ## run the linter
	bin/staticcheck ./...

schema: ## dump migrations/schema.sql again after a new migration
	@.ci/install postgresql
	go test ./migrations -run TestSchema -update

guards: ## take out one guard against hostile input at a time; a test must go red (RUN=regexp for some)
	@.ci/install postgresql
	go run ./migrations/pgtest/run go -C federation test -count=1 -timeout 60m -run "^TestGuards$$/($(RUN))" -guards

bench: build ## benchmarks as tables with ratios, under 5 minutes
	@.ci/install postgresql
	@bin/souk bench

bench-full: build ## the large benchmarks: a million documents
	@.ci/install postgresql
	@bin/souk bench --full

fmt-check:
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "not formatted (make fmt): $$files"; exit 1; }

vet:
	go vet ./...

# The linter is a module of its own, so that what it needs never decides what the node is built from.
bin/staticcheck: tools/go.mod tools/go.sum
	cd tools && CGO_ENABLED=0 go build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck

schema-check:
	@.ci/install postgresql
	@go test ./migrations -run TestSchema

# Generating again must change nothing.
generated-check:
	@before=$$(git diff | cksum); go generate ./...; after=$$(git diff | cksum); \
	[ "$$before" = "$$after" ] || { echo "generated files were not fresh: go generate ./... has changed them"; git diff --stat; exit 1; }

size-check:
	@git ls-files '*.go' | xargs wc -l | awk '$$2 != "total" && $$1 > 600 { print $$2 ": " $$1 " lines, more than 600: a second noun is growing in it"; bad = 1 } END { exit bad }'

# A test that skips or sleeps proves nothing; work that is not done belongs into an issue.
words-check:
	@! git grep -nE 'TODO|FIXME|\b[tb]\.Skip|context\.TODO\(|//nolint *$$' -- '*.go'
	@! git grep -nE 'time\.Sleep\(' -- '*_test.go'
