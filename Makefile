# FastWeights: everything a newcomer needs, from a Swift toolchain and make.
#
#   make compare ARGS="--quick"     passes options on to the tool
#   make PORTABLE=1 test            builds without AVX2 and fused multiply-add; AVX2=1 or AVX512=1 with that trait
#   make install PREFIX=$HOME/.local

ARGS ?=
PYTHON ?= python3
PREFIX ?= /usr/local
VENV := .venv
PEERS := .venv-peers

# The fastest code that this processor has: with the trait AVX512 or AVX2, or portable. Another may be asked for, and has a
# build folder of its own; in it, tests and check each have one, as they are built with other flags.
BEST := $(shell Sources/Install/best-build)
KIND := $(if $(PORTABLE),portable,$(if $(AVX512),avx512,$(if $(AVX2),avx2)))
BUILD := .build$(addprefix /,$(KIND))
TRAITS := $(addprefix --traits ,$(patsubst avx%,AVX%,$(filter avx%,$(or $(KIND),$(BEST)))))

SWIFT_FLAGS := -c release --scratch-path $(BUILD) $(TRAITS)
TOOL := $(BUILD)/release/fastweights
SOURCES := Package.swift Sources Tests

.PHONY: help build programs install compare paper video test check verify sanitize fuzz bench bench-peers fixtures round-trip docs format lint clean

help: ## Show this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build:
	@swift build $(SWIFT_FLAGS) --product fastweights >&2

programs: ## Build the tool, the examples and what the other goals run
	@swift build $(SWIFT_FLAGS) >&2

# On x86-64 three builds, which need nothing of the toolchain where they run, and a launcher that starts the best of them that
# the processor has.
KINDS := portable$(if $(filter x86_64 amd64,$(shell uname -m)), avx2 avx512)
install: ## Put the tool in PREFIX, with a build for each kind of processor
	@for kind in $(KINDS); do \
		traits=$$(echo $$kind | sed -e 's/portable//' -e 's/avx/--traits AVX/'); \
		swift build -c release --scratch-path .build/install/$$kind $$traits --static-swift-stdlib \
			--product fastweights >&2 || exit; \
	done
	@Sources/Install/install "$(DESTDIR)$(PREFIX)" fastweights \
		$(foreach kind,$(KINDS),$(kind)=.build/install/$(kind)/release/fastweights)

compare: build ## Train IRNN, LSTM and fast weights; table, curves and report in runs/compare
	@$(TOOL) compare $(ARGS)

paper: build ## Reproduce the whole paper, report in runs/paper; QUICK=1 for a version of ten minutes
	@$(TOOL) paper $(if $(QUICK),--quick --out runs/paper-quick) $(ARGS)

video: build ## Train models that predict video, report in runs/video; QUICK=1 for a version of ten minutes
	@$(TOOL) video $(if $(QUICK),--quick --out runs/video-quick) $(ARGS)

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
