# What is compiled, for the scripts that do it; `engine` is this folder.

# The folder of QuickJS's source, which cargo fetches.
quickjs_source() {
  cargo metadata --locked --format-version 1 --manifest-path "$engine/source/Cargo.toml" |
    node -e '
      const { packages } = JSON.parse(require("fs").readFileSync(0));
      const { manifest_path } = packages.find(({ name }) => name === "rquickjs-sys");
      console.log(require("path").join(manifest_path, "../quickjs"));'
}

# Copies QuickJS's source to a folder, as it is.
unpatched_source() {
  cp "$(quickjs_source)"/*.[ch] "$1"
}

# Copies it there with our patches, and with c/.
patched_source() {
  unpatched_source "$1"
  local patch
  for patch in "$engine"/patches/*.patch; do
    patch --directory "$1" --strip 1 --forward --fuzz 0 --quiet <"$patch" ||
      { echo "$patch does not apply" >&2; exit 1; }
  done
  cp "$engine"/c/*.[ch] "$engine"/c/inside/*.h "$1"
}
