#!/bin/sh
# Makes a development extension for Zed in the folder given: `zed: install dev extension` takes it from there.
# Zed builds the grammars of the commit that is checked out here, and the extension with Rust.
set -eu
out="$1"
cd "$(dirname "$0")"
clone="$(git rev-parse --show-toplevel)"
mkdir -p "$out"
cp -R Cargo.toml src languages "$out"
for language in aqua air; do
  cp "../tree-sitter-$language/queries/highlights.scm" "$out/languages/$language"
done
sed -e "s|/path/to/clone|$clone|" -e "s|REVISION|$(git rev-parse HEAD)|" extension.toml >"$out/extension.toml"
