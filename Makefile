# FastWeights: everything a newcomer needs, from a Swift toolchain and make.
#
#   make compare ARGS="--quick"     passes options on to the tool
#   make PORTABLE=1 test            builds without AVX2 and fused multiply-add

ARGS ?=
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers

# The trait AVX2 where the processor has AVX2 and FMA, the portable code elsewhere. Each has a build folder of its own; in
# it, tests and check each have one, as they are built with other flags.
TRAITS :=
BUILD := .build
ifdef PORTABLE
BUILD := .build/portable
else ifeq ($(shell uname -s),Darwin)
ifneq ($(findstring AVX2,$(shell sysctl -n machdep.cpu.leaf7_features 2>/dev/null)),)
TRAITS := --traits AVX2
endif
else ifeq ($(shell grep -q -w avx2 /proc/cpuinfo 2>/dev/null && grep -q -w fma /proc/cpuinfo && echo yes),yes)
TRAITS := --traits AVX2
endif

SWIFT_FLAGS := -c release --scratch-path $(BUILD) $(TRAITS)
TOOL := $(BUILD)/release/fastweights
SOURCES := Package.swift Sources Tests

.PHONY: help build programs compare paper test check verify sanitize fuzz bench bench-peers fixtures round-trip docs format lint clean

help: ## Show this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build:
	@swift build $(SWIFT_FLAGS) --product fastweights >&2

programs: ## Build the tool, the examples and what the other goals run
	@swift build $(SWIFT_FLAGS) >&2

compare: build ## Train IRNN, LSTM and fast weights; table, curves and report in runs/compare
	@$(TOOL) compare $(ARGS)

paper: build ## Reproduce the whole paper, report in runs/paper; QUICK=1 for a version of ten minutes
	@$(TOOL) paper $(if $(QUICK),--quick --out runs/paper-quick) $(ARGS)

test: ## Run the tests, golden cases included
	swift test -c release --scratch-path $(BUILD)/tests $(TRAITS) $(ARGS)

check: SHELL := bash
check: ## Run some tests in seconds after a change, not optimized; FILTER=GoldenTests, or another pattern of names
	@$(if $(FILTER),,$(error make check takes the tests to run, as in make check FILTER=GoldenTests))set -o pipefail; \
	swift test --scratch-path $(BUILD)/check $(TRAITS) --filter '$(FILTER)' $(ARGS) | awk '{ print } \
		/Test run with 0 tests/ { print "No test has a name that $(FILTER) fits."; status = 1 } END { exit status }'

verify: build ## Check every cell against the golden cases, a row a case
	@$(TOOL) verify $(ARGS)

# Whatever is found ends the run with a report. Leaks are not looked for: Swift's runtime keeps what it made until the end.
sanitize: ## Run the tests under the address and the thread sanitizer, each in a build folder of its own
	FASTWEIGHTS_SANITIZE=1 ASAN_OPTIONS=detect_leaks=0 swift test -c release --scratch-path .build/address $(TRAITS) \
		--sanitize=address $(ARGS)
	FASTWEIGHTS_SANITIZE=1 TSAN_OPTIONS="halt_on_error=1 suppressions=$(CURDIR)/Tests/thread-sanitizer.txt" \
		swift test -c release --scratch-path .build/thread $(TRAITS) --sanitize=thread $(ARGS)

fuzz: ## Give a million changed files to each reader; ARGS="--format npz --count 1000 --seed 2" for others
	@swift build $(SWIFT_FLAGS) --product FastWeightsFuzz >&2
	@$(BUILD)/release/FastWeightsFuzz $(ARGS)

bench: build ## Time products, functions, training, inference and streams
	@$(TOOL) bench $(ARGS)

# One by one: a library that is not to be had for a machine is named, and the others are measured without it.
$(PEERS)/ready: Sources/Peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	@while read -r package; do \
		$(PEERS)/bin/pip install --quiet $$package || echo "bench-peers: $$package is left out" >&2; \
	done < $<
	touch $@

bench-peers: build $(PEERS)/ready ## Time PyTorch, JAX, ONNX Runtime, OpenVINO, … in turn with ours; our ratio to the best
	@$(PEERS)/bin/python Sources/Peers/bench.py --tool $(TOOL) $(ARGS)

$(VENV)/ready: Fixtures/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement Fixtures/requirements.txt
	touch $@

fixtures: $(VENV)/ready ## Write the golden cases anew with PyTorch, in a virtual environment of its own
	$(VENV)/bin/python Fixtures/generate.py $(ARGS)

round-trip: build $(VENV)/ready ## Hand state dicts from PyTorch to the tool and back; both must compute the same
	$(VENV)/bin/python Fixtures/round_trip.py --tool $(TOOL)

docs: ## Build the documentation archive in .build/docs
	rm -rf .build/docs && mkdir -p .build/docs/symbols
	swift build --target FastWeights --scratch-path .build/docs/build -Xswiftc -emit-symbol-graph \
		-Xswiftc -emit-symbol-graph-dir -Xswiftc $(CURDIR)/.build/docs/symbols
	rm -f .build/docs/symbols/FastWeightsTool*
	docc convert Sources/FastWeights/FastWeights.docc --additional-symbol-graph-dir .build/docs/symbols \
		--warnings-as-errors --output-path .build/docs/FastWeights.doccarchive

format: ## Format the Swift sources
	swift format --in-place --recursive $(SOURCES)

lint: ## Check the format of the Swift sources
	swift format lint --strict --recursive $(SOURCES)

clean: ## Remove everything that was built
	rm -rf .build
