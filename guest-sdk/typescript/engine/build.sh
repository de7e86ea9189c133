#!/usr/bin/env bash
# Compiles the JavaScript engine to WebAssembly: QuickJS-ng with our patches, and c/.
#
#   build.sh [--cached] OUT    with --cached, takes it from WEIR_CACHE_DIR if it was compiled before
#
# The same source gives the same bytes, in any folder. Needs clang-16, lld-16, wasi-libc, libclang-rt-16-dev-wasm32
# (Debian), cargo, patch, and npm's binaryen; `scripts/setup engine` installs what is missing.
set -euo pipefail
engine=$(cd "$(dirname "$0")" && pwd)
. "$engine/sources.sh"
is_cached=false
if [ "$1" = --cached ]; then
  is_cached=true
  shift
fi
out=$(realpath -m "$1")

# JavaScript's own stack in memory, of which QuickJS leaves the last 64 KiB to functions in C.
STACK_BYTES=$((4 << 20))
STACK_LIMIT_BYTES=$((STACK_BYTES - (64 << 10)))

# The folder of a package of npm, wherever npm has put it.
wasm_opt() {
  node -e '
    const paths = [process.argv[1]];
    console.log(require("path").join(require.resolve("binaryen/package.json", { paths }), "../bin/wasm-opt"));' "$engine"
}

# Of all that decides what comes out.
key() {
  local binaryen=$(dirname "$(wasm_opt)")/../package.json
  cat "$engine"/{build.sh,sources.sh,c/*.[ch],c/inside/*,patches/*,source/Cargo.lock} "$binaryen" <(clang-16 --version) | sha256sum | cut -c 1-16
}

compile() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  patched_source "$scratch"

  cd "$scratch"
  # In two steps: where it is told to optimize what it links, clang runs whatever wasm-opt it finds, as npm has one in PATH,
  # without these features and with other bytes.
  clang-16 --target=wasm32-wasi -std=gnu11 -O3 -flto -DNDEBUG -D_GNU_SOURCE \
    -DFE_DOWNWARD=0 -DFE_UPWARD=0 -DWEIR_STACK_BYTES=$STACK_LIMIT_BYTES \
    -fno-strict-aliasing -ffunction-sections -fdata-sections -Wno-ignored-attributes \
    -mbulk-memory -mnontrapping-fptoint -msign-ext -mmutable-globals \
    -c engine.c host.c text.c sources.c inflate.c heap.c libc.c quickjs.c libregexp.c libunicode.c dtoa.c
  clang-16 --target=wasm32-wasi -flto \
    -mexec-model=reactor -nostartfiles -Wl,--no-entry,--gc-sections,--strip-all,--stack-first \
    -Wl,-z,stack-size=$STACK_BYTES,--export-memory \
    engine.o host.o text.o sources.o inflate.o heap.o libc.o quickjs.o libregexp.o libunicode.o dtoa.o -lm -o engine.wasm
  "$(wasm_opt)" -O3 --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals \
    --enable-multivalue --strip-producers engine.wasm -o optimized.wasm
  mv optimized.wasm "$out"
}

if ! $is_cached; then
  compile
  exit
fi
cache=${WEIR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}/engine
compiled=$cache/$(key).wasm
if [ ! -e "$compiled" ]; then
  wanted=$out out=$(mktemp)
  compile
  mkdir -p "$cache"
  mv "$out" "$compiled.$$"
  mv "$compiled.$$" "$compiled"
  out=$wanted
fi
cp "$compiled" "$out"
