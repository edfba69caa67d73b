# weir: build, run, test. `make help` lists the targets.
#
# SANITIZE=address|undefined|thread builds into a folder of its own, as does CC=clang.

CC ?= gcc
# V=1 shows the commands.
Q := $(if $(V),,@)
SANITIZE ?=
VERSION := $(shell cat VERSION 2>/dev/null || echo 0.1.0)
PREFIX ?= /usr/local
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

variant := $(if $(SANITIZE),-$(SANITIZE))$(if $(findstring clang,$(CC)),-clang)
BUILD ?= build$(variant)

LIBS := libevent_core libevent_pthreads openssl libcurl jansson yaml-0.1 hiredis sqlite3 zlib libpcre2-8
# Where hiredis has TLS.
ifeq ($(shell pkg-config --exists hiredis_ssl && echo yes),yes)
LIBS += hiredis_ssl
CPPFLAGS += -DWEIR_HIREDIS_SSL
endif
ifneq ($(shell pkg-config --exists $(LIBS) 2>/dev/null && echo yes),yes)
$(if $(filter all unit check,$(or $(MAKECMDGOALS),all)),$(warning libraries are missing (`make setup-build` installs them): \
	$(shell command -v pkg-config >/dev/null || echo pkg-config; for l in $(LIBS); do pkg-config --exists $$l 2>/dev/null || echo $$l; done)))
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)

warnings := -Wall -Wextra -Werror -Wformat=2 -Wvla -Wimplicit-fallthrough -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wundef -Wconversion -Wno-sign-conversion
hardening := -fstack-protector-strong -fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing -fPIE -fvisibility=hidden
link_hardening := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed
ifeq ($(shell uname -m),x86_64)
hardening += -fstack-clash-protection -fcf-protection=full
endif
ifeq ($(shell uname -m),aarch64)
hardening += -mbranch-protection=standard
endif
ifeq ($(SANITIZE),)
hardening += -D_FORTIFY_SOURCE=$(if $(findstring clang,$(CC)),2,3)$(if $(findstring clang,$(CC)),, -ftrivial-auto-var-init=zero)
optimise := -O2 -g
else
sanitizers := $(SANITIZE)
ifeq ($(SANITIZE),address)
sanitizers := address,undefined
endif
ifeq ($(SANITIZE),fuzz)
sanitizers := fuzzer-no-link,address,undefined
endif
optimise := -O1 -g -fno-omit-frame-pointer -fsanitize=$(sanitizers) -fno-sanitize-recover=all
link_hardening += -fsanitize=$(sanitizers)
endif

CFLAGS += -std=c11 -D_GNU_SOURCE $(optimise) $(warnings) $(hardening) -Igateway -Iplugins -I. $(PKG_CFLAGS) -pthread
CPPFLAGS += -DWEIR_VERSION='"$(VERSION)"'
LDFLAGS += $(link_hardening) -pthread
LDLIBS += $(PKG_LIBS) -ldl -lm

sources := $(sort $(shell find gateway plugins -name '*.c'))
objects := $(patsubst %.c,$(BUILD)/%.o,$(sources))
library_objects := $(filter-out $(BUILD)/gateway/main.o,$(objects))
unit_sources := $(sort $(shell find tests/unit -name '*_test.c' 2>/dev/null))
unit_binaries := $(patsubst %.c,$(BUILD)/%,$(unit_sources))

.PHONY: all unit clean
.DEFAULT_GOAL := all
all: $(BUILD)/weir

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# It carries the table of prices.
$(BUILD)/gateway/metering/price_data.o: conf/prices/prices.csv

# Where plugins that are not built in are installed.
$(BUILD)/gateway/plugin_host/plugin_set.o: CPPFLAGS += -DWEIR_PLUGIN_DIRECTORY='"$(PREFIX)/lib/weir/plugins"'
# What comes with weir is part of it.
$(BUILD)/plugins/%.o: CPPFLAGS += -DWEIR_PLUGIN_BUILT_IN

# Rebuilt with each commit, and alone in carrying it.
$(BUILD)/gateway/version.o: CPPFLAGS += -DWEIR_COMMIT='"$(COMMIT)"'

$(BUILD)/libweir.a: $(library_objects)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/weir: $(BUILD)/gateway/main.o $(BUILD)/libweir.a
	$(Q)$(CC) $(LDFLAGS) -rdynamic $^ $(LDLIBS) -o $@

# One binary for each tests/unit/<room>/<file>_test.c; cmocka counts.
$(BUILD)/tests/unit/%_test: tests/unit/%_test.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $< $(BUILD)/libweir.a $(LDFLAGS) $(LDLIBS) -lcmocka -o $@

unit: $(unit_binaries)
	@python3 tests/tools/run_tests --unit $(unit_binaries)

# --- for people ---

.PHONY: run test check threads lint generate bench soak install help setup-%
setup-%:
	@sh tests/tools/setup $*

run: setup-build
	@$(MAKE) --no-print-directory all
	./$(BUILD)/weir serve

PYTEST := build/venv/bin/python
export WEIR_BINARY := $(abspath $(BUILD)/weir)

# Everything, set-up included. Ends with a line of counts.
test: setup-test
	@$(MAKE) --no-print-directory all $(unit_binaries) lint
	@$(PYTEST) tests/tools/run_tests --unit $(unit_binaries) --pytest tests/integration

# The quick part: no real engines, no image.
check: all $(unit_binaries) lint
	@$(PYTEST) tests/tools/run_tests --unit $(unit_binaries) --pytest tests/integration -m "not slow"

# What several threads share, under ThreadSanitizer.
threads: all $(unit_binaries)
	@$(PYTEST) tests/tools/run_tests --unit $(filter %/base/counters_test %/base/log_test %/base/resolver_test %/base/work_pool_test \
		%/core/live_state_test %/cache/% %/upstream/% %/store/%,$(unit_binaries)) \
		--pytest tests/integration/test_coalesce.py tests/integration/test_failover.py tests/integration/test_operations.py \
		tests/integration/test_routing.py

lint:
	@python3 tests/tools/arrows
	@python3 tests/tools/lengths
	@python3 tests/tools/unused
	@python3 tests/tools/stale

# Files made from the option tables.
generate: all
	./$(BUILD)/weir config full > conf/weir.full.yaml
	./$(BUILD)/weir config schema > conf/weir.schema.json
	./$(BUILD)/weir config reference > conf/docs/configuration.md

# weir beside nginx and haproxy: ratios. BENCH="--rounds 5" and the like.
bench_binaries := $(BUILD)/tests/bench/mock $(BUILD)/tests/bench/load
$(bench_binaries): $(BUILD)/tests/bench/%: tests/bench/%.c tests/bench/peer.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $< $(LDFLAGS) -lssl -lcrypto -o $@

# The rules plugin, and the dialects, without a gateway around them.
inner_benches := $(BUILD)/tests/bench/rules_bench $(BUILD)/tests/bench/dialects_bench $(BUILD)/tests/bench/store_bench $(BUILD)/tests/bench/keys_bench
$(inner_benches): $(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $^ $(LDFLAGS) $(LDLIBS) -o $@

bench: setup-bench
	@$(MAKE) --no-print-directory all $(bench_binaries) $(inner_benches)
	@python3 tests/bench/run.py $(BENCH)

soak: setup-test
	@$(MAKE) --no-print-directory all
	@WEIR_SOAK=1 $(PYTEST) -m pytest -q tests/integration -m soak

install: all
	install -D -m 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -D -m 644 plugins/weir_plugin.h $(DESTDIR)$(PREFIX)/include/weir_plugin.h
	install -d $(DESTDIR)$(PREFIX)/lib/weir/plugins
	install -D -m 644 conf/weir.yaml $(DESTDIR)$(PREFIX)/share/weir/weir.yaml
	install -D -m 644 conf/weir.full.yaml $(DESTDIR)$(PREFIX)/share/weir/weir.full.yaml
	install -D -m 644 conf/weir.schema.json $(DESTDIR)$(PREFIX)/share/weir/weir.schema.json
	install -D -m 644 conf/docs/weir.1 $(DESTDIR)$(PREFIX)/share/man/man1/weir.1
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local|$(PREFIX)|' conf/deploy/weir.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/weir.service
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/weir/LICENSE

help:
	@echo "make            build/weir"
	@echo "make run        set up, build, serve"
	@echo "make test       set up and run every test;  make check: the quick part"
	@echo "make unit fuzz soak bench lint generate install"
	@echo "SANITIZE=address|undefined|thread, CC=clang: builds of their own"

# Fuzzing needs clang's libFuzzer: `make fuzz` builds into build-fuzz and runs each target
# for FUZZ_SECONDS from its committed corpus; what it finds on the way stays in build-fuzz.
FUZZ_SECONDS ?= 10
FUZZ_CC ?= clang
fuzz_sources := $(sort $(wildcard tests/fuzz/*_fuzz.c))
fuzz_binaries := $(patsubst %.c,$(BUILD)/%,$(fuzz_sources))

$(BUILD)/tests/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $< $(BUILD)/libweir.a $(LDFLAGS) -fsanitize=fuzzer $(LDLIBS) -o $@

.PHONY: fuzz fuzz-build fuzz-binaries fuzz-run
fuzz-build fuzz:
	$(MAKE) SANITIZE=fuzz CC="$(FUZZ_CC)" BUILD=build-fuzz $(if $(filter fuzz,$@),fuzz-run,fuzz-binaries)

fuzz-binaries: $(fuzz_binaries)

fuzz-run: $(fuzz_binaries)
	@for t in $(fuzz_binaries); do \
		name=$$(basename $$t _fuzz); mkdir -p $(BUILD)/corpus/$$name; \
		$$t -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=5 -rss_limit_mb=1024 \
			-print_final_stats=1 -artifact_prefix=$(BUILD)/$$name- \
			$(BUILD)/corpus/$$name tests/fuzz/corpus/$$name >$(BUILD)/$$name.log 2>&1 || \
			{ tail -60 $(BUILD)/$$name.log; exit 1; }; \
		echo "fuzz: $$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(BUILD)/$$name.log) inputs"; \
	done

clean:
	rm -rf build build-*

-include $(objects:.o=.d) $(addsuffix .d,$(unit_binaries) $(fuzz_binaries))
