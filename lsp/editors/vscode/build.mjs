// Puts the extension into `dist`, and the grammars, which `python -m aquac.highlighting` made, into `syntaxes`.
import { build } from "esbuild";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

for (const folder of ["dist", "syntaxes"]) rmSync(join(here, folder), { recursive: true, force: true });
mkdirSync(join(here, "syntaxes"));
for (const language of ["aqua", "air"]) {
  copyFileSync(join(here, "..", `${language}.tmLanguage.json`), join(here, "syntaxes", `${language}.tmLanguage.json`));
}
copyFileSync(join(here, "..", "..", "..", "LICENSE"), join(here, "LICENSE"));
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  target: "node18",
  format: "cjs",
  external: ["vscode"],
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

// The licences of what is bundled.
const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found !== null) packages.add(found[1]);
}
const notices = [...packages].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
  const file = readdirSync(join(here, folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined || !existsSync(join(here, folder, file))) throw new Error(`${name} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(join(here, folder, file), "utf8").trim()}\n`;
});
writeFileSync(join(here, "dist", "NOTICES.txt"), notices.join(`\n${"─".repeat(80)}\n\n`));
