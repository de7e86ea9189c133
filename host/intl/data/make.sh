#!/usr/bin/env bash
# Makes the data of languages out of CLDR's packages of npm, in WEIR_CACHE_DIR, and writes the folder's name. It does
# nothing where the folder is there: the name is of what decides what is in it.
#
#   make.sh [--cached]    with --cached, fails where the folder is missing, rather than to ask npm
#
# Needs npm and 450 MB of disk while it runs. The files are 6 MB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
key=$(cat "$here"/{make.sh,make.mjs,package-lock.json} | sha256sum | cut -c 1-16)
cache=${WEIR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}/intl
made=$cache/$key

make() {
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/XXXXXX.tmp")
  trap 'rm -rf "$scratch"' EXIT
  mkdir "$scratch/made"
  cp "$here"/package{,-lock}.json "$scratch"
  # The calendars of older versions would ask for the dates of theirs.
  (cd "$scratch" && npm ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund >&2)
  node "$here/make.mjs" "$scratch" "$scratch/made"
  # Where another has made it meanwhile, it is the same.
  mv -T "$scratch/made" "$made" 2>/dev/null || [ -d "$made" ]
}

if [ ! -d "$made" ]; then
  if [ "${1:-}" = --cached ]; then
    echo "$made is missing" >&2
    exit 1
  fi
  make
fi
echo "$made"
