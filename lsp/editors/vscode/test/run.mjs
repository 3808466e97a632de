// Runs the tests in plain node: the bundle of the extension with the stand-in for `vscode`. Tools are taken from the PATH.
import { build } from "esbuild";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const extension = join(here, "..");
const scratch = mkdtempSync(join(tmpdir(), "aqua-vscode-"));
process.env.AQUA_EXTENSION = extension;
process.env.AQUA_WORKSPACE = join(scratch, "workspace");
cpSync(join(here, "workspace"), process.env.AQUA_WORKSPACE, { recursive: true });

await build({
  absWorkingDir: here,
  entryPoints: ["stand_in/index.ts", "suite.ts"],
  outdir: scratch,
  bundle: true,
  platform: "node",
  format: "cjs",
  external: ["vscode", "typescript"],
  logLevel: "warning",
});

const require = createRequire(import.meta.url);
const resolve = Module._resolveFilename;
const typescript = require.resolve("typescript");
Module._resolveFilename = (request, ...rest) =>
  ({ vscode: "vscode", typescript })[request] ?? resolve(request, ...rest);
const { vscode, person, panels, context } = require(join(scratch, "stand_in", "index.js"));
require.cache.vscode = { id: "vscode", filename: "vscode", loaded: true, exports: vscode };

const { activate, deactivate } = require(join(extension, "dist", "extension.js"));
const { runAll } = require(join(scratch, "suite.js"));
const started = context(join(scratch, "storage"));
// As VS Code does: it writes them into its log and goes on.
process.on("unhandledRejection", (error) => person.output.push(`unhandled: ${String(error)}`));
let code = 0;
try {
  const api = activate(started);
  person.post = (message) => panels.at(-1).receive(message);
  person.closePanel = () => panels.at(-1).dispose();
  await runAll({ api, person, main: vscode.Uri.joinPath(person.folder, "main.aqua") }, (line) => console.log(line));
} catch (error) {
  console.log(String(error.message));
  if (process.env.AQUA_VERBOSE) console.log(person.output.join("\n"), person.messages);
  code = 1;
} finally {
  await deactivate();
  for (const part of started.subscriptions) part.dispose();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(code);
