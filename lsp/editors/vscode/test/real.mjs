// Runs the tests in VS Code itself: node test/real.mjs CODE_SERVER CHROMIUM
//
// CODE_SERVER is the folder of the npm package code-server, CHROMIUM the browser. `aqua.vsix` is installed into it, and the tests
// run in its extension host; what a person would answer is left out. Tools are taken from the PATH.
import { build } from "esbuild";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LIMIT_MS = 120_000;

// Processes of the browser may write for a moment after it has ended.
async function removed(folder) {
  for (let left = 50; ; left--) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const [codeServer, chromium] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "aqua-vscode-"));
const workspace = join(scratch, "workspace");
cpSync(join(here, "workspace"), workspace, { recursive: true });
// VS Code takes its PATH from a login shell, so the tools are named.
const machine = {};
for (const [key, tool] of Object.entries({ server: "aqua-lsp", aquac: "aquac", avm: "avm" })) {
  const found = process.env.PATH.split(":").map((folder) => join(folder, tool));
  machine[`aqua.${key}.path`] = found.find((file) => existsSync(file));
}
for (const [folder, settings] of Object.entries({ User: { "security.workspace.trust.enabled": false }, Machine: machine })) {
  mkdirSync(join(scratch, "data", folder), { recursive: true });
  writeFileSync(join(scratch, "data", folder, "settings.json"), JSON.stringify(settings));
}
// The suite is an extension of its own here, for VS Code runs the tests of an extension under development.
const suite = join(scratch, "suite");
mkdirSync(suite);
const manifest = { name: "suite", publisher: "test", version: "0.0.1", engines: { vscode: "^1.91.0" }, main: "./empty.js" };
writeFileSync(join(suite, "package.json"), JSON.stringify(manifest));
writeFileSync(join(suite, "empty.js"), "");
await build({
  absWorkingDir: here,
  entryPoints: ["suite.ts"],
  outdir: suite,
  bundle: true,
  platform: "node",
  format: "cjs",
  external: ["vscode"],
  logLevel: "warning",
});

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const entry = join(codeServer, "out", "node", "entry.js");
const places = ["--user-data-dir", join(scratch, "data"), "--extensions-dir", join(scratch, "extensions")];
const config = join(scratch, "config.yaml");
writeFileSync(config, "");
const common = ["--config", config, ...places];
const vsix = join(here, "..", "aqua.vsix");
const installed = spawnSync(process.execPath, [entry, ...common, "--install-extension", vsix], { encoding: "utf8" });
if (installed.status !== 0) throw new Error(installed.stdout + installed.stderr);

const options = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
const server = spawn(process.execPath, [entry, ...common, ...options], { stdio: ["ignore", "pipe", "pipe"] });
let said = "";
const listening = new Promise((resolve) => {
  server.stdout.on("data", (data) => {
    said += data;
    if (said.includes("HTTP server listening")) resolve();
  });
});
server.stderr.on("data", (data) => (said += data));

const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
const payload = [
  ["extensionDevelopmentPath", remote(suite)],
  ["extensionTestsPath", remote(join(suite, "suite.js"))],
  ["skipWelcome", "true"],
];
const query = new URLSearchParams({ folder: workspace, payload: JSON.stringify(payload) });
const address = `http://127.0.0.1:${port}/?${query}`;
let browser;
let code = 1;
try {
  await listening;
  const ended = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), LIMIT_MS);
    const watcher = watch(workspace, () => {
      if (existsSync(join(workspace, "ended.txt"))) {
        clearTimeout(timer);
        watcher.close();
        resolve(true);
      }
    });
  });
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", "--remote-debugging-port=0"];
  browser = spawn(chromium, [...flags, `--user-data-dir=${join(scratch, "browser")}`, address], { stdio: "ignore" });
  if (!(await ended)) console.log(`${said}\nno end in ${LIMIT_MS / 1000} s`);
  const result = join(workspace, "said.txt");
  const text = existsSync(result) ? readFileSync(result, "utf8") : "";
  console.log(text);
  code = /^\d+ passed, 0 failed$/m.test(text) ? 0 : 1;
} finally {
  for (const started of [browser, server]) {
    if (started === undefined || started.exitCode !== null) continue;
    const gone = new Promise((resolve) => started.once("exit", resolve));
    started.kill();
    await gone;
  }
  if (process.env.AQUA_VERBOSE) console.log(scratch);
  else await removed(scratch);
}
process.exit(code);
