# Tillpost: `make demo` shows it, `make test` proves it. Both need Go, gcc and make, nothing else.
.PHONY: all build test check

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

all: build test

build:
	go build ./...

test:
	go test ./...

check:
	@test -z "$$(gofmt -l agent hub shared installer test 2>/dev/null)" || { gofmt -l agent hub shared installer test; exit 1; }
	go vet ./...
