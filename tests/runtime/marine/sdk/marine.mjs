// Runs services in marine-js. One JSON request a line in, one answer a line out:
// {"modules": [[name, path]…], "envs": {…}} creates a service and answers {"logs"} or {"error"};
// {"fn", "args", "parameters"} calls its last module and answers {"result" (JSON text) or "error", "logs"}.
import fs from "node:fs";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const dist = process.argv[2] + "/dist/";
const { init } = await import(pathToFileURL(dist + "marine_js.js"));
const control = await WebAssembly.compile(fs.readFileSync(dist + "marine-js.wasm"));
const particle = { id: "", init_peer_id: "", timestamp: 0, ttl: 0, script: "", signature: [], token: "" };
const empty = { particle, service_id: "", service_creator_peer_id: "", host_id: "", worker_id: "", tetraplets: [] };
let service, facade, logs;
console.log = console.warn = console.error = () => {}; // where marine-js tells of traps

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = {};
  logs = [];
  try {
    if (request.modules) {
      service = await init(control);
      const wasi = { envs: request.envs ?? {}, mapped_dirs: {} };
      const config = { logger_enabled: true, logging_mask: 2147483647, wasi };
      const modules_config = request.modules.map(([name]) => ({ import_name: name, config }));
      const files = Object.fromEntries(request.modules.map(([name, path]) => [name, new Uint8Array(fs.readFileSync(path))]));
      service.register_module({ modules_config }, files, (record) => logs.push([record.level, record.message]));
      facade = request.modules.at(-1)[0];
    } else {
      answer.result = service.call_module(facade, request.fn, request.args, request.parameters ?? empty);
    }
  } catch (error) {
    answer.error = String(error.message ?? error);
  }
  answer.logs = logs;
  process.stdout.write(JSON.stringify(answer) + "\n");
}
