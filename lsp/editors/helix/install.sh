#!/bin/sh
# Puts languages, queries and grammars into Helix's configuration; `hx --grammar build` then compiles the grammars.
set -eu
cd "$(dirname "$0")/.."
config="${XDG_CONFIG_HOME:-$HOME/.config}/helix"
mkdir -p "$config/runtime/queries" "$config/runtime/grammars" # Helix does not make the latter
for language in aqua air; do
  mkdir -p "$config/runtime/queries/$language"
  cp "tree-sitter-$language"/queries/*.scm "$config/runtime/queries/$language"
  cp "helix/queries/$language"/*.scm "$config/runtime/queries/$language" # indents.scm is written otherwise for Helix
done
if [ -e "$config/languages.toml" ] && grep -q 'name = "aqua"' "$config/languages.toml"; then
  echo "$config/languages.toml has Aqua already"
else
  sed "s|/path/to/lsp/editors|$(pwd)|" helix/languages.toml >>"$config/languages.toml"
fi
