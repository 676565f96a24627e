# A façade: everything is done by scripts that also work without make, and by meson and ninja in build/.
.PHONY: all build check check-all test demo tidy format fuzz clean

all: build

build:
	@tools/setup/build.sh build

# Every suite; `make check SUITES="unit e2e"` runs some of them.
check check-all:
	@./check $(SUITES)

# What needs no server and no set-up, after a build.
test: build
	@meson test -C build --no-rebuild --suite unit --suite contract --suite golden

demo:
	@./demo

tidy:
	@./check format tidy

format:
	@tools/format.sh --fix

# Each fuzz target for FUZZ_SECONDS, 30 unless set.
fuzz:
	@tools/check/fuzz.sh

clean:
	rm -rf build build-asan build-clang build-fuzz build-check
