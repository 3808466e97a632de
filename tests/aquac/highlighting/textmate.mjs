// Reads {"grammar": JSON text, "texts": [text…]} from stdin; prints for each text its tokens as [start, end, innermost scope],
// offsets in UTF-16 units of the text. The folder of the packages vscode-textmate and vscode-oniguruma is the argument.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.resolve(process.argv[2]);
const require = createRequire(path.join(folder, 'x.js'));
const textmate = require('vscode-textmate');
const oniguruma = require('vscode-oniguruma');
await oniguruma.loadWASM(fs.readFileSync(path.join(folder, 'vscode-oniguruma', 'release', 'onig.wasm')).buffer);
const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const scope = JSON.parse(asked.grammar).scopeName;
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => textmate.parseRawGrammar(asked.grammar, 'g.json'),
});
const grammar = await registry.loadGrammar(scope);
const found = asked.texts.map((text) => {
  const tokens = [];
  let stack = textmate.INITIAL;
  let at = 0;
  for (const line of text.split('\n')) {
    const result = grammar.tokenizeLine(line, stack);
    for (const token of result.tokens) {
      tokens.push([at + token.startIndex, at + Math.min(token.endIndex, line.length), token.scopes.slice(1).join(' ')]);
    }
    stack = result.ruleStack;
    at += line.length + 1;
  }
  return tokens;
});
console.log(JSON.stringify(found));
