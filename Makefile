# Tillpost: `make demo` shows it, `make test` proves it. Both need Go, gcc and make, nothing else.
.PHONY: all build test check sim sim-bugs sim-fleet e2e contract bench bench-fleet bench-crowd demo month peers package

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

all: build test

build:
	go build -trimpath -ldflags "-X github.com/tillpost/tillpost/shared/version.Version=$(VERSION)" -o bin/ ./agent ./hub ./installer

test:
	go test -timeout $(or $(LIMIT),9m) ./...

# check is what a change must pass before it is shared; the last two run where they are installed.
check:
	@test -z "$$(gofmt -l agent hub shared installer packaging test 2>/dev/null)" || { gofmt -l agent hub shared installer packaging test; exit 1; }
	go vet ./...
	GOOS=windows CGO_ENABLED=0 go vet ./agent/... ./installer/... ./shared/...
	go test ./test/arch
	@if command -v staticcheck >/dev/null; then staticcheck ./...; else echo "staticcheck is not installed: skipped"; fi
	@if command -v govulncheck >/dev/null; then govulncheck ./...; else echo "govulncheck is not installed: skipped"; fi

# sim runs SEEDS hostile worlds; a failure prints its seed, and FIRST=seed SEEDS=1 runs it again.
sim:
	go run ./test/sim/run -seeds $(or $(SEEDS),200) -first $(or $(FIRST),0)

# sim-bugs plants one bug after another and runs worlds until it is noticed.
sim-bugs:
	go run ./test/sim/run -bugs -seeds $(or $(SEEDS),600)

# sim-fleet plays rollouts over fleets of 5,000 stores, each seed with a good release or one that breaks in its own way.
sim-fleet:
	go test -count=1 -timeout 3h ./test/simfleet -seeds $(or $(SEEDS),100) -first $(or $(FIRST),0) -stores $(or $(STORES),5000)

e2e:
	TILLPOST_KILLS=$(or $(KILLS),330) go test -count=1 -timeout 1h -v ./test/e2e

# contract runs the same cases on the fakes and, with ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY set, on a real Odoo. ODOO_ADMIN and
# ODOO_ADMIN_KEY let it set locks, users and edits as a person would; ODOO_HARD_LOCK=1 also the lock that can never be taken back.
contract:
	go test -count=1 -timeout 1h -v ./test/contract/...

bench:
	go run ./test/bench
	TILLPOST_BENCH=1 go test -count=1 -timeout 30m -v -run TestABigTenantsDay ./test/retail

# bench-fleet updates N real agents on this machine through one hub: bytes a PC, time, what the hub needs, and no ticket lost.
bench-fleet:
	TILLPOST_FLEET=$(or $(N),300) go test -count=1 -timeout 2h -v -run TestAFleet ./test/rollout

# bench-crowd has N PCs' lines on one hub: what it needs of memory and processor while they come, stay, and come back.
bench-crowd:
	TILLPOST_CROWD=$(or $(N),5000) go test -count=1 -timeout 2h -v -run TestACrowd ./test/crowd

demo:
	go run ./test/demo

# month runs three stores' last whole month from sale to bank, with ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY on a real Odoo; MODES=entry,receipt,ticket
# says as what each store's days go there, KEEP=1 leaves the pages there to be looked at.
month:
	MONTH=1 go run ./test/demo

# peers proves the fakes by clients from outside, each built in a folder of its own; it skips what cannot be had without a network.
peers:
	go run ./test/peers/upa
	go run ./test/peers/portico

# package fills dist/ with everything that is released; what this machine cannot build or sign is left out and said so. Keys come by environment
# (packaging/DESIGN.md); FLAGS=-strict fails where something is missing.
package:
	go run ./packaging/make -version $(VERSION) -out dist $(FLAGS)
