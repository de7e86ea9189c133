#!/usr/bin/env bash
# Compiles the engine for this machine, as 32-bit programs, so that values and objects are laid out as in WebAssembly:
#
#   build.sh OUT    writes to the folder OUT, unless they are there already:
#     unpatched     QuickJS-ng as its authors have it
#     ours          with our patches and c/, on the heap of c/heap.c
#     checked       the same on a heap in which every block is watched by AddressSanitizer (checked_heap.c)
#
# All with AddressSanitizer and UndefinedBehaviorSanitizer, and with QuickJS's own assertions. Needs x86-64, clang-16,
# libclang-rt-16-dev, libc6-dev-i386 (Debian), cargo and patch; `scripts/setup fuzz` installs what is missing.
set -euo pipefail
native=$(cd "$(dirname "$0")" && pwd)
engine=$(dirname "$native")
. "$engine/sources.sh"
mkdir -p "$1"
out=$(realpath "$1")

# A process has 8 MiB of stack. Frames are larger under the sanitizers: programs are to end before it does.
FLAGS=(-m32 -idirafter /usr/include/x86_64-linux-gnu -msse2 -mfpmath=sse -std=gnu11 -O1 -g1 -D_GNU_SOURCE
  -DWEIR_STACK_BYTES=$((7 << 20)) -fno-strict-aliasing -fno-omit-frame-pointer
  -fsanitize=address,undefined -fno-sanitize-recover=all
  -Wno-ignored-attributes -Wno-unknown-attributes -Wno-pointer-to-int-cast)
QUICKJS=(quickjs.c libregexp.c libunicode.c dtoa.c)
OURS=(main.c ours.c host.c text.c sources.c inflate.c)

# Compiles a file to OUT/objects, unless its very text was compiled before; gives the object's name.
object() {
  local file=$1 object
  shift
  object=$out/objects/$({ echo "${FLAGS[@]}" "$@"; clang-16 "${FLAGS[@]}" "$@" -E "$file"; } | sha256sum | cut -c 1-32).o
  if [ ! -e "$object" ]; then
    clang-16 "${FLAGS[@]}" "$@" -c "$file" -o "$object.$BASHPID"
    mv "$object.$BASHPID" "$object"
  fi
  echo "$object"
}

# link NAME FOLDER FLAGS -- FILES
link() {
  local name=$1 file flags=() objects=()
  cd "$scratch/$2"
  shift 2
  while [ "$1" != -- ]; do
    flags+=("$1")
    shift
  done
  shift
  for file in "$@"; do
    objects+=("$(object "$file" "${flags[@]}")") || exit
  done
  # What the host gives the engine is called by no program here, but for what ours.c has.
  clang-16 "${FLAGS[@]}" -Wl,--unresolved-symbols=ignore-all "${objects[@]}" -lm -o "$out/$name"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{unpatched,patched} "$out/objects"
unpatched_source "$scratch/unpatched"
patched_source "$scratch/patched"
cp "$native"/*.[ch] "$scratch/unpatched"
cp "$native"/*.[ch] "$scratch/patched"

link unpatched unpatched -- main.c unpatched.c "${QUICKJS[@]}" &
link ours patched -include wasm.h -- "${OURS[@]}" heap.c "${QUICKJS[@]}" &
link checked patched -include wasm.h -D__SANITIZE_ADDRESS__ -- "${OURS[@]}" checked_heap.c "${QUICKJS[@]}" &
failed=0
for _ in unpatched ours checked; do wait -n || failed=1; done
exit $failed
