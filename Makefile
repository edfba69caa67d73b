# weir: build, run, test. `make help` lists the targets.
#
# SANITIZE=address|undefined|thread builds into a folder of its own, as does CC=clang.

CC ?= gcc
SANITIZE ?=
VERSION := $(shell cat VERSION 2>/dev/null || echo 0.1.0)
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

comma := ,
variant := $(if $(SANITIZE),-$(SANITIZE))$(if $(findstring clang,$(CC)),-clang)
BUILD ?= build$(variant)

LIBS := libevent_core libevent_pthreads openssl libcurl jansson yaml-0.1 zlib
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
sanitizers := $(if $(filter address,$(SANITIZE)),address$(comma)undefined,$(SANITIZE))
optimise := -O1 -g -fno-omit-frame-pointer -fsanitize=$(sanitizers) -fno-sanitize-recover=all
link_hardening += -fsanitize=$(sanitizers)
endif

CFLAGS += -std=c11 -D_GNU_SOURCE $(optimise) $(warnings) $(hardening) -Igateway -I. $(PKG_CFLAGS) -pthread
CPPFLAGS += -DWEIR_VERSION='"$(VERSION)"'
LDFLAGS += $(link_hardening) -pthread
LDLIBS += $(PKG_LIBS) -ldl -lm

sources := $(sort $(shell find gateway -name '*.c'))
objects := $(patsubst %.c,$(BUILD)/%.o,$(sources))
library_objects := $(filter-out $(BUILD)/gateway/main.o,$(objects))
unit_sources := $(sort $(shell find tests/unit -name '*_test.c' 2>/dev/null))
unit_binaries := $(patsubst %.c,$(BUILD)/%,$(unit_sources))

.PHONY: all unit clean
all: $(BUILD)/weir

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# Rebuilt with each commit, and alone in carrying it.
$(BUILD)/gateway/version.o: CPPFLAGS += -DWEIR_COMMIT='"$(COMMIT)"'

$(BUILD)/libweir.a: $(library_objects)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/weir: $(BUILD)/gateway/main.o $(BUILD)/libweir.a
	$(CC) $(LDFLAGS) -rdynamic $^ $(LDLIBS) -o $@

# One binary for each tests/unit/<room>/<file>_test.c; cmocka counts.
$(BUILD)/tests/unit/%_test: tests/unit/%_test.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $< $(BUILD)/libweir.a $(LDFLAGS) $(LDLIBS) -lcmocka -o $@

unit: $(unit_binaries)
	@for t in $(unit_binaries); do ./$$t || exit 1; done

clean:
	rm -rf build build-*

-include $(objects:.o=.d) $(addsuffix .d,$(unit_binaries))
