// One warm process of the reference compiler that says what is wrong with programs, in the terms of the corpus aqua-check.
//
//   node aqua_check_reference.mjs DIR-OF-NODE-MODULES
//
// A request is one line {source, imports?, constants?}; the answer is the `expect` of a case: {ok, errors, warnings,
// functions?, services?}. Files are written to an empty directory, `source` as main.aqua, because the compiler reads from disk.
// The kind of a diagnostic is this project's own name for it (spec aqua-language §11), told by the text.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

// [kind, pattern of the message]; the first match counts.
const SEMANTIC = [
  ["name.unknown", /^Name '.*' isn't found in scope/],
  ["arrow.unknown", /^Name '.*' not found in scope/],
  ["name.redefined", /^This name was already defined in the scope/],
  ["arrow.redefined", /^This arrow was already defined in the scope/],
  ["type.unknown", /^Type \S+ is not defined/],
  ["service.type-unknown", /^Type `\S+` is not defined/],
  ["type.redefined", /^Name `.*` was already defined here/],
  ["alias.redefined", /^Type `.*` was already defined/],
  ["service.not-a-service", /^Type `[\s\S]*` is not a service/],
  ["member.redefined", /^Cannot define (field|arrow) `.*`, it was already defined above/],
  ["type.bad-element", /could not contain values of type/],
  ["struct.bad-field", /has unacceptable for struct field type/],
  ["struct.empty", /^Struct `.*` has no fields/],
  ["ability.empty", /^Ability `.*` has no fields/],
  ["service.multi-result", /^Service functions cannot have multiple results/],
  ["service.no-arrows", /^Cannot purge arrows/],
  ["stream.decl-not-stream", /^Expected stream type, got/],
  ["stream.push-target", /^Expected stream value, got/],
  ["literal.not-data-or-ability", /^Type must be an ability or a data/],
  ["args.missing", /^Missing argument '/],
  ["args.duplicate", /^Duplicate argument `/],
  ["type.mismatch-one-of", /^Types mismatch\.\s*expected one of/],
  ["call.no-result", /^Types mismatch\. Cannot assign to a variable the result/],
  ["type.mismatch", /^Types mismatch\.\s*expected:/],
  ["type.field-count", /^Number of fields doesn't match/],
  ["type.wrong-value", /^Wrong value type, expected/],
  ["type.incomparable", /^Cannot compare '/],
  ["prop.unknown-field", /^Field `.*` not found in type/],
  ["prop.unknown-property", /^Property `.*` not found in type/],
  ["prop.not-an-arrow", /^Field `.*` has non arrow type/],
  ["prop.unknown-arrow", /^Arrow `.*` not found in `/],
  ["call.few-args", /^Not enough arguments for arrow/],
  ["call.many-args", /^Too many arguments for arrow/],
  ["call.arity", /^Number of arguments doesn't match the function type/],
  ["call.not-a-call", /^Expected arrow call, got/],
  ["module.unknown-arrow", /^Ability is found, but arrow '/],
  ["module.undefined", /^Ability with this name is undefined/],
  ["copy.unknown-field", /^No field with name '/],
  ["copy.not-data", /does not support `\.copy`/],
  ["index.option", /^Options might have only one element/],
  ["index.not-collection", /does not support indexing/],
  ["collection.element", /could not be put into a collection/],
  ["for.not-iterable", /could not be iterated over/],
  ["service.no-id", /^Service ID is undefined/],
  ["service.undefined", /^Service with this name is undefined/],
  ["service.unregistered", /^Service with this name is not registered/],
  ["service.redefined", /^Service with this name was already defined/],
  ["return.missing", /^Return type is defined for the arrow, but nothing returned/],
  ["return.undeclared", /^No return type declared for this arrow/],
  ["return.few", /^Expected \d+ more values to be returned/],
  ["return.many", /^Too many values are returned/],
  ["return.twice", /^Return expression was already used in scope/],
  ["order.else", /^Unexpected `else` without/],
  ["order.catch", /^Unexpected `catch` without/],
  ["order.otherwise", /^Unexpected `otherwise` without/],
  ["order.par", /^Unexpected `par` without/],
];
const HEADER = [
  ["header.missing", /^Missing module header/],
  ["header.not-first", /^Module header is expected to be at the top/],
  ["header.module-keyword", /^Keyword `module` is deprecated/],
  ["declares.missing", /is expected to be declared, but declaration is not found/],
  ["export.missing", /^Files has no .* declaration or import/],
  ["export.ability", /^Can not export '.*' as it is an ability/],
  ["export.returns-arrow", /because it returns an arrow or an ability/],
  ["export.accepts-ability", /because it accepts an ability/],
  ["import.undeclared", /^Imported file `declares/],
  ["use.headerless", /^Used module has no/],
  ["import.unresolved", /^Cannot resolve the import/],
];
const SYNTAX = [
  ["indent.inconsistent", /^Inconsistent indentation/],
  ["indent.unexpected", /^Unexpected indentation/],
  ["indent.empty-block", /^Block expression has no body/],
  ["indent.return-nested", /^Return expression must be on the top/],
  ["indent.wrong-level", /^This expression is on the wrong indentation/],
  ["syntax.const-value", /but only strings, numbers or booleans can be used/],
];
const WARNING = [
  ["warn.unused-result", /^Arrow returns /],
  ["warn.unexpected-arg", /^Unexpected argument '/],
  ["warn.math-type", /^Result type of /],
];
const WITHOUT_PLACE = [
  ["import.cycle", /^Cycle loops/],
  ["source.not-found", /^File not found/],
];

const pick = (table, message, otherwise) => (table.find(([, pattern]) => pattern.test(message)) ?? [otherwise])[0];

function kindOf(title, message) {
  switch (title) {
    case "Syntax error": return pick(SYNTAX, message, "syntax");
    case "Header error": return pick(HEADER, message, "header.other");
    case "Error": return pick(SEMANTIC, message, "semantic.other");
    case "Warning": return pick(WARNING, message, "warn.other");
    case "Cannot resolve imports": return "import.unresolved";
    case "Cannot resolve import": return "import.failed";
    default: return "other";
  }
}

const ESC = "\u001b";
const BLOCK = new RegExp(
  `${ESC}\\[(\\d+)m---- ([^${ESC}]*?): ([^${ESC}]*):(\\d+):(\\d+)${ESC}\\[0m` + // title: file:line:column
    `[\\s\\S]*?${ESC}\\[\\1m(\\^+)(=*)${ESC}\\[0m\\n` + // carets
    `${ESC}\\[\\1m([\\s\\S]*?)${ESC}\\[0m`, // message
  "g",
);

function readDiagnostics(text, root) {
  const clean = (s) => s.replaceAll(root + "/", "").replaceAll(root, "");
  const found = [];
  for (const m of text.matchAll(BLOCK)) {
    const message = clean(m[8].split("\n").map((line) => line.trim()).join("\n"));
    const one = { line: +m[4], col: +m[5], len: m[6].length, kind: kindOf(m[2], message), message };
    const file = clean(m[3]);
    if (file !== "main.aqua") one.file = file;
    found.push(one);
  }
  if (found.length === 0) {
    const message = clean(text.replace(/\u001b\[[0-9;]*m/g, "").trim());
    found.push({ line: 0, col: 0, len: 0, kind: pick(WITHOUT_PLACE, message, "other"), message });
  }
  return found;
}

async function expectation(api, request) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "aqua-check-")));
  try {
    for (const [name, text] of Object.entries({ "main.aqua": request.source, ...(request.imports ?? {}) })) {
      const place = path.join(root, name);
      fs.mkdirSync(path.dirname(place), { recursive: true });
      fs.writeFileSync(place, text);
    }
    let result;
    try {
      result = await api.compileFromPath({
        filePath: path.join(root, "main.aqua"),
        imports: [],
        constants: request.constants ?? [],
        targetType: "air",
        logLevel: "off",
      });
    } catch (error) {
      const message = String(error.message ?? error).replaceAll(root + "/", "");
      return { ok: false, errors: [{ line: 0, col: 0, len: 0, kind: "internal", message }], warnings: [] };
    }
    const errors = [...result.errors].flatMap((text) => readDiagnostics(text, root));
    const warnings = [...result.warnings].flatMap((text) => readDiagnostics(text, root));
    const answer = { ok: errors.length === 0, errors, warnings };
    if (answer.ok) {
      answer.functions = Object.keys(result.functions).sort();
      answer.services = Object.keys(result.services).sort();
    }
    return answer;
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

const base = path.join(process.argv[2], "@fluencelabs", "aqua-api");
const main = JSON.parse(fs.readFileSync(path.join(base, "package.json"), "utf8")).main ?? "index.js";
const api = await import(pathToFileURL(path.join(base, main)).href);

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line.trim()) process.stdout.write(JSON.stringify(await expectation(api, JSON.parse(line))) + "\n");
}
