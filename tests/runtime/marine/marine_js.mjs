// Calls of a service in marine-js. A JSON request on standard input: {"modules": [[name, path]…], "calls": [[fn, args text, parameters]…]};
// on standard output one answer a line: {"result": …} or {"error": text}.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const dist = process.argv[2] + "/dist/";
const { init } = await import(pathToFileURL(dist + "marine_js.js"));
const request = JSON.parse(fs.readFileSync(0, "utf8"));
const service = await init(await WebAssembly.compile(fs.readFileSync(dist + "marine-js.wasm")));
const config = { logger_enabled: true, logging_mask: 0, wasi: { envs: { WASM_LOG: "off" }, mapped_dirs: {} } };
const modules_config = request.modules.map(([name]) => ({ import_name: name, config }));
const files = Object.fromEntries(request.modules.map(([name, path]) => [name, new Uint8Array(fs.readFileSync(path))]));
service.register_module({ modules_config }, files, () => {});
const facade = request.modules.at(-1)[0];
for (const [fn, args, parameters] of request.calls) {
  try {
    console.log(JSON.stringify({ result: JSON.parse(service.call_module(facade, fn, args, parameters)) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error) }));
  }
}
