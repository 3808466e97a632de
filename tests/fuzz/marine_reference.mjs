// Services of marine-js, one after the other: modules and calls in, answers out, one JSON line each.
//
//   node marine_reference.mjs DIR-OF-MARINE-JS
//
// A request is {modules: [[name, base64]…], calls: [[module, function, arguments as text]…]}. The answer has {refused: text} when the service
// cannot be made, else {answers: [{value: text} | {error: text} | {panic: text}…]}; after a panic there are no more, for the instance is lost.
import readline from "node:readline";
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const dist = process.argv[2] + "/dist/";
const { init } = await import(pathToFileURL(dist + "marine_js.js"));
const control = await WebAssembly.compile(fs.readFileSync(dist + "marine-js.wasm"));
const particle = { id: "", init_peer_id: "", timestamp: 0, ttl: 0, script: "", signature: [], token: "" };
const parameters = { particle, service_id: "", service_creator_peer_id: "", host_id: "", worker_id: "", tetraplets: [] };
const config = { logger_enabled: true, logging_mask: 2147483647, wasi: { envs: { WASM_LOG: "off" }, mapped_dirs: {} } };
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
console.log = console.error = console.warn = () => {};

const text = (error) => (typeof error === "string" ? error : String(error?.message ?? error));
const panicked = (error) => error instanceof WebAssembly.RuntimeError;

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const service = await init(control);
  const modules_config = request.modules.map(([name]) => ({ import_name: name, config }));
  const files = Object.fromEntries(request.modules.map(([name, data]) => [name, new Uint8Array(Buffer.from(data, "base64"))]));
  try {
    service.register_module({ modules_config }, files, () => {});
  } catch (error) {
    say(panicked(error) ? { answers: [{ panic: text(error) }] } : { refused: text(error) });
    continue;
  }
  const answers = [];
  for (const [module, name, values] of request.calls) {
    try {
      answers.push({ value: service.call_module(module, name, values, parameters) });
    } catch (error) {
      answers.push(panicked(error) ? { panic: text(error) } : { error: text(error) });
      if (panicked(error)) break;
    }
  }
  say({ answers });
}
