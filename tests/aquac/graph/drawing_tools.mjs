// Reads {"mermaid": [text…], "dot": [text…]} from stdin; prints, for each text of each, what the real parser says against it or null.
// The folder of the packages is the argument.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.resolve(process.argv[2]);
const require = createRequire(path.join(folder, 'x.js'));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const texts = JSON.parse(fs.readFileSync(0, 'utf8'));
const said = { mermaid: [], dot: [] };

// Before mermaid, whose DOM others would take for a browser.
if (texts.dot?.length) {
  const { instance } = await load('@viz-js/viz');
  const viz = await instance();
  for (const text of texts.dot) {
    const result = viz.render(text, { format: 'svg' });
    const errors = result.errors.filter((e) => e.level !== 'warning').map((e) => e.message);
    said.dot.push(result.status === 'success' && !errors.length ? null : errors.join('; ') || 'failed');
  }
}
if (texts.mermaid?.length) {
  const { JSDOM } = require('jsdom');
  const { window } = new JSDOM('');
  globalThis.window = window;
  globalThis.document = window.document;
  const entry = path.join(folder, 'mermaid', 'dist', 'mermaid.core.mjs');
  const mermaid = (await import(pathToFileURL(entry).href)).default;
  for (const text of texts.mermaid) {
    try {
      await mermaid.parse(text);
      said.mermaid.push(null);
    } catch (error) {
      said.mermaid.push(String(error.message ?? error));
    }
  }
}
console.log(JSON.stringify(said));
process.exit(0);
