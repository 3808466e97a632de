// npm air-beautify-wasm: one JSON string (a script) a line in, one JSON string (pseudo-code) or null (refused) a line out.
import { createRequire } from "node:module";
import readline from "node:readline";

const { beautify } = createRequire(import.meta.url)(process.argv[2]);
for await (const line of readline.createInterface({ input: process.stdin })) {
  let text = null;
  try {
    text = beautify(JSON.parse(line));
  } catch {}
  console.log(JSON.stringify(text));
}
