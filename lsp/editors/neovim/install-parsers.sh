#!/bin/sh
# Builds the tree-sitter parsers for Neovim 0.9 and later and puts them, with their queries, where it looks for them.
set -eu
cd "$(dirname "$0")/.."
site="${XDG_DATA_HOME:-$HOME/.local/share}/nvim/site"
mkdir -p "$site/parser"
for language in aqua air; do
  source="tree-sitter-$language"
  ${CC:-cc} -shared -fPIC -O2 "-I$source/src" "$source"/src/*.c -o "$site/parser/$language.so"
  mkdir -p "$site/queries/$language"
  cp "$source"/queries/*.scm "$site/queries/$language"
done
