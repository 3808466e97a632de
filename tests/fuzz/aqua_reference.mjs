// One warm process of the reference Aqua compiler: programs in, results out, one JSON line each.
//
//   node aqua_reference.mjs DIR-OF-NODE-MODULES
//
// A request is {id, files, entry, options?}; `repeat` compiles it so many times and answers the milliseconds of each. The
// answer has {id, functions, services, errors, warnings} or {id, exception}. Files are written to an empty directory, as the
// compiler reads from disk only. Names of Scala fields are reduced to their last part, as in conformance/aqua-air.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const base = path.join(process.argv[2], "@fluencelabs", "aqua-api");
const main = JSON.parse(fs.readFileSync(path.join(base, "package.json"), "utf8")).main ?? "index.js";
const api = await import(pathToFileURL(path.join(base, main)).href);

const noColour = (text) => text.replace(/\u001b\[[0-9;]*m/g, "");

function plain(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(plain);
  const out = {};
  for (const [name, member] of Object.entries(value)) {
    const key = name.includes("__f_") ? name.slice(name.lastIndexOf("__f_") + 4) : name;
    const inner = plain(member);
    if (inner !== undefined) out[key] = inner;
  }
  return out;
}

async function compile(request) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "aqua-fuzz-"));
  try {
    for (const [name, text] of Object.entries(request.files)) {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), text);
    }
    const tidy = (list) => list.map((text) => noColour(text).split(dir).join(""));
    const times = [];
    let result;
    for (let round = 0; round < (request.repeat ?? 1); round++) {
      const started = performance.now();
      result = await api.compileFromPath({
        filePath: path.join(dir, request.entry),
        targetType: "air",
        logLevel: "off",
        ...request.options,
      });
      times.push(performance.now() - started);
    }
    const out = { errors: tidy(result.errors), warnings: tidy(result.warnings), functions: {}, services: {} };
    for (const [name, f] of Object.entries(result.functions)) {
      out.functions[name] = { script: f.script, funcDef: plain(f.funcDef) };
    }
    for (const [name, definition] of Object.entries(result.services)) out.services[name] = plain(definition);
    if (request.repeat) out.times = times;
    return out;
  } catch (error) {
    return { exception: noColour(String(error.message ?? error)).split(dir).join("") };
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify({ id: request.id, ...(await compile(request)) }) + "\n");
}
