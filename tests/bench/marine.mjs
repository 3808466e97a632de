// Times calls of marine-js. One JSON request a line in, one answer a line out:
// {"modules": [[name, path]…]} creates a service; {"fn", "args", "calls"} answers the median of `calls` calls in milliseconds.
import fs from "node:fs";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const dist = process.argv[2] + "/dist/";
const { init } = await import(pathToFileURL(dist + "marine_js.js"));
const control = await WebAssembly.compile(fs.readFileSync(dist + "marine-js.wasm"));
const particle = { id: "", init_peer_id: "", timestamp: 0, ttl: 0, script: "", signature: [], token: "" };
const parameters = { particle, service_id: "", service_creator_peer_id: "", host_id: "", worker_id: "", tetraplets: [] };
let service, facade;

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.modules) {
    service = await init(control);
    const wasi = { envs: { WASM_LOG: "off" }, mapped_dirs: {} };
    const config = { logger_enabled: true, logging_mask: 0, wasi };
    const modules_config = request.modules.map(([name]) => ({ import_name: name, config }));
    const files = Object.fromEntries(request.modules.map(([name, path]) => [name, new Uint8Array(fs.readFileSync(path))]));
    service.register_module({ modules_config }, files, () => {});
    facade = request.modules.at(-1)[0];
    console.log("{}");
    continue;
  }
  const times = [];
  let result;
  for (let n = 0; n < request.calls; n++) {
    const start = process.hrtime.bigint();
    result = service.call_module(facade, request.fn, request.args, parameters);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ ms: times[times.length >> 1], size: result.length }));
}
