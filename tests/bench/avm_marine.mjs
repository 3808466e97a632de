// Runs `avm.wasm` as js-client does: arguments of @fluencelabs/avm, MarineService of @fluencelabs/marine-js, one warm instance.
// One request a line in: {"air", "prev", "data" (base64), "params", "results": [[id, {retCode, result}]…]}; one answer a line out:
// {"ms", "ret_code", "size", "peers", "requests"} or {"error"}. `ms` is this process's own clock around what js-client does for a run.
import fs from "node:fs";
import { createRequire } from "node:module";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const packages = process.argv[2];
const { serializeAvmArgs, deserializeAvmResult } = createRequire(import.meta.url)(packages + "/avm/dist/index.js");
const { MarineService } = await import(pathToFileURL(packages + "/marine-js/dist/MarineService.js"));
const { defaultCallParameters } = await import(pathToFileURL(packages + "/marine-js/dist/types.js"));
const control = await WebAssembly.compile(fs.readFileSync(packages + "/marine-js/dist/marine-js.wasm"));
const modules = { avm: new Uint8Array(fs.readFileSync(packages + "/avm/dist/avm.wasm")) };
let service;

async function start() {
  const wasi = { envs: { WASM_LOG: "off" }, preopened_files: new Set(), mapped_dirs: new Map() };
  const config = { modules_config: [{ import_name: "avm", config: { logger_enabled: true, logging_mask: 0, wasi } }] };
  service = new MarineService(control, "avm", () => {}, config, modules, {});
  await service.init();
}

await start();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const prev = Buffer.from(request.prev, "base64");
  const data = Buffer.from(request.data, "base64");
  const params = { ...request.params, secretKeyBytes: Buffer.from(request.params.secretKeyBytes, "base64") };
  globalThis.gc?.();
  try {
    const begin = process.hrtime.bigint();
    const args = serializeAvmArgs(params, request.air, prev, data, request.results);
    args[3].hard_limit_enabled = false; // js-client patches this too
    const result = deserializeAvmResult(service.call("invoke", args, defaultCallParameters));
    const fresh = Buffer.from(result.data);
    const ms = Number(process.hrtime.bigint() - begin) / 1e6;
    const { retCode: ret_code, nextPeerPks, callRequests } = result;
    console.log(JSON.stringify({ ms, ret_code, size: fresh.length, peers: nextPeerPks.length, requests: callRequests.length }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error).slice(0, 200) }));
    await start(); // a trapped instance is of no more use
  }
}
