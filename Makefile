# make call: builds everything and runs a call between two C programs.   make test: every test.   make help: all targets.

export CARGO_TARGET_DIR = target
LIB      = target/release
HOST_LIB = target/host/release
OUT      = target/examples-c
CC      ?= cc
CARGO   ?= cargo
CFLAGS_C = -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude
NEXTEST = $(shell command -v cargo-nextest >/dev/null 2>&1 && echo yes)

.PHONY: help call test programs examples lib host-lib header bench soak explore races install-deps lint rust-tests seeded-bugs c-tests misuse readme-test sipp-tests python-tests vectors budget floods fuzz fuzz-corpus fuzz-minimize fuzz-coverage clean
.NOTPARALLEL:

help:
	@echo "make call      build everything, run a call between two C programs with hold and INFO"
	@echo "make test      install what the tests need, run every test"
	@echo "make examples  the C programs, into $(OUT)"
	@echo "make header    write include/sipdlg.h anew"
	@echo "make lint      rustfmt and clippy; other parts of make test: rust-tests seeded-bugs c-tests misuse"
	@echo "               readme-test python-tests vectors sipp-tests budget (CONTRIBUTING.md says what each proves)"
	@echo "make bench     the programs to measure, into target/bench"
	@echo "make soak      [SECONDS=N] a hundred thousand calls at 20 % loss whose hosts do anything, as many by SIPp, a thousand of two days"
	@echo "make floods    what floods cost, and what they leave (docs/security.md)"
	@echo "make explore   every schedule of a call between two agents, about ten minutes of a processor"
	@echo "make fuzz      SECONDS=60 for each target of fuzz/ (TARGETS=\"calls abi\": these); fuzz-corpus, fuzz-minimize, fuzz-coverage"
	@echo "make races     every pair of functions from many threads, plain and under ThreadSanitizer"

# ---- the library, the programs

lib:
	$(CARGO) build --release --locked
	@ln -sf libsipdlg.so $(LIB)/libsipdlg.so.0

# the engine alone: no sockets, no threads
host-lib:
	$(CARGO) build --release --locked --no-default-features --target-dir target/host
	@ln -sf libsipdlg.so $(HOST_LIB)/libsipdlg.so.0

programs: lib
	@mkdir -p $(OUT)
	$(CC) $(CFLAGS_C) -o $(OUT)/call_server examples-c/call_server.c examples-c/calls.c examples-c/sdp.c examples-c/common.c -L$(LIB) -lsipdlg -Wl,-rpath,'$$ORIGIN/../release'
	$(CC) $(CFLAGS_C) -o $(OUT)/call_client examples-c/call_client.c examples-c/calls.c examples-c/sdp.c examples-c/common.c -L$(LIB) -lsipdlg -Wl,-rpath,'$$ORIGIN/../release'
	$(CC) $(CFLAGS_C) -o $(OUT)/phone examples-c/phone.c examples-c/calls.c examples-c/sdp.c examples-c/common.c -L$(LIB) -lsipdlg -Wl,-rpath,'$$ORIGIN/../release'
	$(CC) $(CFLAGS_C) -o $(OUT)/transfer_and_hold examples-c/transfer_and_hold.c examples-c/sdp.c examples-c/common.c -L$(LIB) -lsipdlg -Wl,-rpath,'$$ORIGIN/../release'

examples: programs host-lib
	$(CC) $(CFLAGS_C) -o $(OUT)/host_loop examples-c/host_loop.c -L$(HOST_LIB) -lsipdlg -Wl,-rpath,'$$ORIGIN/../host/release'

call: programs
	@examples-c/run-call $(OUT)

# ---- the tests

test: install-deps lint rust-tests fuzz-corpus seeded-bugs examples c-tests readme-test python-tests vectors sipp-tests budget
	@examples-c/run-call $(OUT) >/dev/null && echo "make call: passed"
	@$(OUT)/transfer_and_hold >/dev/null && echo "transfer_and_hold: passed"
	@echo "make test: everything passed"

install-deps:
	@tests/install-deps.sh

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features runtime -- -D warnings
	@echo "lint: passed"

rust-tests:
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --locked --no-fail-fast --no-tests=pass
	$(CARGO) test --locked --doc
else
	$(CARGO) test --locked --no-fail-fast
endif
	@echo "rust tests: passed"

# every input that fuzzing has kept, once, on the stable compiler
fuzz-corpus:
	cd fuzz && CARGO_TARGET_DIR=target $(CARGO) test --locked --quiet --no-default-features --test corpus
	@echo "fuzz corpus: passed"

# deliberate defects in one build, each of which the tests of two agents in memory must find
seeded-bugs:
	@tests/seeded_bugs.sh

c-tests: lib host-lib misuse
	@tests/c/run $(LIB)
	@tests/races/run $(LIB) 6

# every function called as it should not be, watched
misuse:
	SIPDLG_RUNNER="valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite" \
		$(CARGO) test --locked --quiet --test abi_misuse
	SIPDLG_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all" $(CARGO) test --locked --quiet --test abi_misuse
	@echo "misuse: passed"

readme-test: lib
	@tests/readme/run $(LIB)

sipp-tests: examples
	@tests/api/build $(LIB) target/tests-api
	@tests/sipp/run $(OUT)

# the Python package: its wheel, checked and tested as installed
python-tests: programs
	@tests/python/run

# SIP.js's recordings, played through the Python package
vectors: lib
	@tests/vectors/check

budget: examples bench
	@tests/budget/run $(OUT) target/bench

# ---- more

header:
	SIPDLG_HEADER_OUT=include/sipdlg.h $(CARGO) build --locked

bench: lib
	@benches/build target/bench

# what a flood costs at one size and at ten times that; make floods FLOOD=storm: those whose name has the text
floods:
	$(CARGO) bench --locked --features foreign-allocator --bench floods -- $(FLOOD)

# every pair of the functions that begin, end, drive and wake an agent, from many threads; ThreadSanitizer looks on
races: lib
	@tests/races/run $(LIB) 60 --sanitized

# libFuzzer with AddressSanitizer over each target: a nightly compiler, cargo install cargo-fuzz
SECONDS ?= 60
TARGETS ?= messages streams calls abi

# What is new goes into target/fuzz-found; make fuzz-minimize takes what adds coverage into the corpus.
fuzz:
	@mkdir -p $(addprefix target/fuzz-found/,$(TARGETS))
	@for target in $(TARGETS); do \
		(cd fuzz && CARGO_TARGET_DIR=target $(CARGO) +nightly fuzz run $$target ../target/fuzz-found/$$target corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=4096 -rss_limit_mb=1024 -timeout=120) || exit 1; \
	done
	@echo "fuzz: nothing found"

# What was found bad (found-...) stays whatever it covers.
fuzz-minimize:
	@for target in $(TARGETS); do \
		rm -rf target/fuzz-least/$$target && mkdir -p target/fuzz-least/$$target target/fuzz-found/$$target && \
		(cd fuzz && CARGO_TARGET_DIR=target $(CARGO) +nightly fuzz run $$target ../target/fuzz-least/$$target corpus/$$target \
			../target/fuzz-found/$$target -- -set_cover_merge=1 -use_counters=0 -max_len=700) && \
		find fuzz/corpus/$$target -type f ! -name 'found-*' -delete && cp target/fuzz-least/$$target/* fuzz/corpus/$$target/ || exit 1; \
	done

# executed lines by file, of the corpus; rustup component add llvm-tools --toolchain nightly
fuzz-coverage:
	@fuzz/by_file $(TARGETS)

soak: examples
	@tests/c/run $(LIB) soak
	target/tests-c/soak.plain 100000 $(SECONDS)
	@tests/sipp/run $(OUT) --soak
	$(CARGO) test --locked --test session -- --ignored

# two agents, every order of messages, acts, faults of the link and timers; a smaller depth is one of rust-tests
explore:
	$(CARGO) test --locked --profile explore --test explore -- --ignored --nocapture

clean:
	$(CARGO) clean
