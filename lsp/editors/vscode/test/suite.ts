/**
 * What a person does in the editor, with the real language client and the real server.
 *
 * The same tests run with the stand-in of `test/stand_in` and in VS Code itself (`test/real.mjs`); `person` is there only in the
 * first. The workspace is `test/workspace`, copied to where it may be changed.
 */

import * as assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import * as vscode from "vscode";

import * as manifest from "../package.json";
import type { AquaApi } from "../src/extension";

/** Longest wait for something that has to come; a wait that ends so is a failure. */
const WAIT_MS = 60_000;

/** Modifiers of semantic tokens that VS Code knows. */
const STANDARD_MODIFIERS =
  "declaration documentation readonly static abstract deprecated modification async defaultLibrary".split(" ");

export interface Person {
  answers: (string | undefined)[];
  picks: string[];
  asked: { title?: string; prompt?: string; value?: string }[];
  messages: string[];
  buttons: string[];
  output: string[];
  trusts: boolean;
  post(message: unknown): void;
  closePanel(): void;
}

interface World {
  readonly api: AquaApi;
  readonly person: Person | undefined;
  readonly main: vscode.Uri;
}

type Event<T> = (listener: (event: T) => unknown) => vscode.Disposable;

/** Wait for something that an event may bring. */
async function until<T>(what: string, event: Event<never>, look: () => T | undefined): Promise<T> {
  const now = look();
  if (now !== undefined) {
    return now;
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      listening.dispose();
      reject(new Error(`${what} did not come in ${String(WAIT_MS / 1000)} s`));
    }, WAIT_MS);
    const listening = event(() => {
      const found = look();
      if (found !== undefined) {
        clearTimeout(timer);
        listening.dispose();
        resolve(found);
      }
    });
  });
}

const diagnostics = (uri: vscode.Uri, accept: (found: vscode.Diagnostic[]) => boolean): Promise<vscode.Diagnostic[]> =>
  until("diagnostics", vscode.languages.onDidChangeDiagnostics as Event<never>, () => {
    const found = vscode.languages.getDiagnostics(uri);
    return accept(found) ? found : undefined;
  });

const textOf = (document: vscode.TextDocument, accept: (text: string) => boolean): Promise<string> =>
  until("text", vscode.workspace.onDidChangeTextDocument as Event<never>, () =>
    accept(document.getText()) ? document.getText() : undefined,
  );

async function shown(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { preview: false });
  return document;
}

function place(document: vscode.TextDocument, text: string): vscode.Range {
  const at = document.getText().indexOf(text);
  assert.ok(at >= 0, `\`${text}\` is not in the document`);
  return new vscode.Range(document.positionAt(at), document.positionAt(at + text.length));
}

async function replace(document: vscode.TextDocument, text: string, by: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, place(document, text), by);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

async function lens(uri: vscode.Uri, command: string): Promise<vscode.Command> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri);
  const found = lenses.find((each) => each.command?.command === command && each.command.arguments?.[1] === "greet")?.command;
  assert.ok(found, `no lens ${command} in ${JSON.stringify(lenses)}`);
  return found;
}

const press = (command: vscode.Command): Thenable<unknown> =>
  vscode.commands.executeCommand(command.command, ...((command.arguments ?? []) as unknown[]));

const air = (): vscode.TextDocument | undefined =>
  vscode.workspace.textDocuments.find((document) => document.uri.scheme === "aqua-air");

async function taskEnds(start: () => Thenable<unknown>): Promise<number | undefined> {
  let code: number | undefined | "running" = "running";
  const listening = vscode.tasks.onDidEndTaskProcess((event) => {
    if (event.execution.task.definition.type === "aqua") {
      code = event.exitCode;
    }
  });
  try {
    await start();
    return await until("the end of the run", vscode.tasks.onDidEndTaskProcess as Event<never>, () =>
      code === "running" ? undefined : (code ?? -1),
    );
  } finally {
    listening.dispose();
  }
}

const TESTS: Record<string, (world: World) => Promise<void>> = {
  async "an opened file is checked, and what is typed corrects it"({ main }) {
    const document = await shown(main);
    assert.equal(document.languageId, "aqua");
    const [found] = await diagnostics(main, (d) => d.length > 0);
    assert.equal(typeof found?.code === "object" ? found.code.value : found?.code, "AQ0201");
    assert.equal(found?.source, "aquac");
    assert.equal(document.getText(found.range), "helo");
    await replace(document, "helo", "hello");
    await diagnostics(main, (d) => d.length === 0);
  },

  async "names are completed"({ main }) {
    const document = await shown(main);
    const at = place(document, "Op.").end;
    const list = await vscode.commands.executeCommand<vscode.CompletionList>("vscode.executeCompletionItemProvider", main, at);
    const labels = list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
    assert.ok(labels.includes("concat_strings"), labels.join(" "));
  },

  async "hover, definition, rename and hints answer"({ main }) {
    const document = await shown(main);
    const call = place(document, "concat_strings( \"hello").start;
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", main, call);
    const [content] = hovers[0]?.contents ?? [];
    assert.match(typeof content === "string" ? content : (content?.value ?? ""), /concat_strings/);
    const targets = await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>(
      "vscode.executeDefinitionProvider",
      main,
      call,
    );
    const [target] = targets;
    const range = target && ("range" in target ? target.range : target.targetRange);
    assert.equal(range?.start.line, place(document, "concat_strings(a").start.line);
    const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
      "vscode.executeDocumentRenameProvider",
      main,
      place(document, "hello<-").start,
      "welcome",
    );
    assert.equal(edit.get(main).length, 2);
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>("vscode.executeInlayHintProvider", main, all);
    assert.ok(hints.length > 0);
  },

  async "colours beyond the grammar have names that the extension declares"({ main }) {
    const document = await shown(main);
    const legend = await vscode.commands.executeCommand<vscode.SemanticTokensLegend>(
      "vscode.provideDocumentSemanticTokensLegend",
      main,
    );
    const tokens = await vscode.commands.executeCommand<vscode.SemanticTokens>("vscode.provideDocumentSemanticTokens", main);
    assert.ok(tokens.data.length >= 5 * document.lineCount, String(tokens.data.length));
    const declared = manifest.contributes.semanticTokenModifiers.map(({ id }) => id);
    assert.deepEqual([...legend.tokenModifiers].filter((name) => !STANDARD_MODIFIERS.includes(name)).sort(), declared.sort());
  },

  async "a document is formatted"({ main }) {
    const document = await shown(main);
    const edits = await vscode.commands.executeCommand<vscode.TextEdit[]>("vscode.executeFormatDocumentProvider", main, {
      tabSize: 4,
      insertSpaces: true,
    });
    assert.ok(edits.length > 0);
    const edit = new vscode.WorkspaceEdit();
    edit.set(main, edits);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /^ {8}hello <- Op\.concat_strings\("hello ", name\)$/m);
    assert.ok(await document.save());
  },

  async "settings reach the server"({ main }) {
    const document = await shown(main);
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    const count = async (): Promise<number> =>
      (await vscode.commands.executeCommand<vscode.InlayHint[]>("vscode.executeInlayHintProvider", main, all)).length;
    const settings = vscode.workspace.getConfiguration("aqua");
    const before = await count();
    await settings.update("inlayHints.types", false);
    await settings.update("inlayHints.peers", false);
    // The notice and the question go the same way, one after the other.
    for (let n = 0; n < 200 && (await count()) > 0; n++);
    assert.equal(await count(), 0);
    await settings.update("inlayHints.types", undefined);
    await settings.update("inlayHints.peers", undefined);
    for (let n = 0; n < 200 && (await count()) === 0; n++);
    assert.equal(await count(), before);
  },

  async "the lens shows the AIR, which follows saves"({ main }) {
    const document = await shown(main);
    await press(await lens(main, "aqua.showAir"));
    const script = air();
    assert.ok(script);
    assert.equal(script.languageId, "air");
    assert.match(script.getText(), /\(call -relay- \("op" "concat_strings"\)|\("op" "concat_strings"\)/);
    await replace(document, '"hello "', '"bye "');
    assert.ok(await document.save());
    await textOf(script, (text) => text.includes('"bye "'));
    await replace(document, "<- hello", "<- hallo");
    assert.ok(await document.save());
    const kept = await textOf(script, (text) => text.startsWith("; The program has errors"));
    assert.match(kept, /"bye "/);
    await replace(document, "<- hallo", "<- hello");
    assert.ok(await document.save());
    await textOf(script, (text) => !text.startsWith(";"));
  },

  async "the graph is drawn in a page that loads nothing"({ api, main }) {
    await shown(main);
    await vscode.commands.executeCommand("aqua.showGraph", main.toString(), "greet");
    const html = api.graph();
    assert.ok(html);
    assert.match(html, /default-src 'none'; img-src data:; style-src 'nonce-([\w-]{22})'; script-src 'nonce-\1'/);
    assert.doesNotMatch(html, /unsafe|https?:/);
    const svg = Buffer.from(/base64,([\w+/=]+)"/.exec(html)?.[1] ?? "", "base64").toString();
    assert.match(svg, /^<svg[^]*concat_strings/);
    await until("the panel", vscode.window.tabGroups.onDidChangeTabs as Event<never>, () =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .find(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith("aqua.graph")),
    );
  },

  async "a function without parameters runs at once"({ main }) {
    await shown(main);
    assert.equal(await taskEnds(() => vscode.commands.executeCommand("aqua.run", main.toString(), "answer")), 0);
  },

  async "a task of tasks.json runs"({ main }) {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const greeting = { type: "aqua", label: "greet", file: main.fsPath, call: 'greet("Aqua")', problemMatcher: [] };
    const tasks = { version: "2.0.0", tasks: [greeting] };
    await mkdir(join(folder.uri.fsPath, ".vscode"), { recursive: true });
    await writeFile(join(folder.uri.fsPath, ".vscode", "tasks.json"), JSON.stringify(tasks));
    // VS Code hears of the file by a watcher, of which nothing tells; so it is asked until it knows.
    let found: vscode.Task | undefined;
    for (let n = 0; n < 100 && found === undefined; n++) {
      found = (await vscode.tasks.fetchTasks()).find((task) => task.name === "greet");
    }
    assert.ok(found, "the task is not known");
    const task = found;
    assert.equal(await taskEnds(() => vscode.tasks.executeTask(task)), 0);
  },

  async "runs and graphs find what the server finds"({ api, main, person }) {
    const uri = vscode.Uri.joinPath(main, "..", "settings.aqua");
    const document = await shown(uri);
    await diagnostics(uri, (found) => found.length > 0);
    const settings = vscode.workspace.getConfiguration("aqua");
    const mapped = `${vscode.Uri.joinPath(main, "..", "mapped").fsPath}/`;
    await settings.update("importFolders", ["lib"]);
    await settings.update("imports", { "/": { "pkg/": mapped } });
    await settings.update("constants", ["LIMIT = 5"]);
    await replace(document, "func limit()", "-- What the settings say.\nfunc limit()");
    await diagnostics(uri, (found) => found.length === 0);
    person?.output.splice(0);
    assert.equal(await taskEnds(() => vscode.commands.executeCommand("aqua.run", uri.toString(), "limit")), 0);
    if (person !== undefined) {
      assert.match(person.output.join(""), /^5$/m);
    }
    await vscode.commands.executeCommand("aqua.showGraph", uri.toString(), "limit");
    const svg = Buffer.from(/base64,([\w+/=]+)"/.exec(api.graph() ?? "")?.[1] ?? "", "base64").toString();
    assert.match(svg, /identity\(5\)/);
    for (const name of ["importFolders", "imports", "constants"]) {
      await settings.update(name, undefined);
    }
  },

  async "AIR files are formatted and checked"({ main }) {
    const uri = vscode.Uri.joinPath(main, "..", "script.air");
    const document = await shown(uri);
    assert.equal(document.languageId, "air");
    await diagnostics(uri, (found) => found.length > 0);
    await replace(document, "(nul)", "(null)");
    await diagnostics(uri, (found) => found.length === 0);
    const options = { tabSize: 1, insertSpaces: true };
    const edits = await vscode.commands.executeCommand<vscode.TextEdit[]>("vscode.executeFormatDocumentProvider", uri, options);
    assert.ok(edits.length > 0);
  },

  async "the server starts again"({ main }) {
    const document = await shown(main);
    await vscode.commands.executeCommand("aqua.restart");
    await replace(document, "<- hello", "<- hallo");
    await diagnostics(main, (found) => found.length > 0);
    await replace(document, "<- hallo", "<- hello");
    await diagnostics(main, (found) => found.length === 0);
    await vscode.commands.executeCommand("aqua.showOutput");
  },
};

/** What needs answers, or looks at messages. */
const WITH_A_PERSON: Record<string, (world: World & { person: Person }) => Promise<void>> = {
  async "arguments are asked for, and remembered"({ main, person }) {
    await shown(main);
    person.answers.push('"Aqua"');
    person.output.length = 0;
    const command = await lens(main, "aqua.run");
    assert.equal(await taskEnds(() => press(command)), 0);
    assert.equal(person.asked.at(-1)?.title, "Run greet(name: string)");
    assert.match(person.output.join(""), /bye Aqua/);
    person.answers.push(undefined);
    await press(command);
    assert.equal(person.asked.at(-1)?.value, '"Aqua"');
  },

  async "the palette lets a function be picked"({ main, person }) {
    await shown(main);
    person.picks.push("answer");
    assert.equal(await taskEnds(() => vscode.commands.executeCommand("aqua.run")), 0);
    assert.equal(person.asked.at(-1)?.title, "greet answer");
  },

  async "without lenses every function is offered"({ main, person }) {
    await shown(main);
    const settings = vscode.workspace.getConfiguration("aqua");
    await settings.update("codeLens", false);
    const lenses = (): Thenable<vscode.CodeLens[]> => vscode.commands.executeCommand("vscode.executeCodeLensProvider", main);
    for (let n = 0; n < 200 && (await lenses()).length > 0; n++);
    await vscode.commands.executeCommand("aqua.showAir");
    assert.equal(person.asked.at(-1)?.title, "greet answer");
    await settings.update("codeLens", undefined);
    for (let n = 0; n < 200 && (await lenses()).length === 0; n++);
  },

  async "the page changes the view and copies Mermaid"({ api, main, person }) {
    await shown(main);
    await vscode.commands.executeCommand("aqua.showGraph", main.toString(), "greet");
    const before = api.graph();
    person.post({ want: "constructor" });
    person.post("nonsense");
    person.post({ want: "topology" });
    for (let n = 0; n < 10_000 && api.graph() === before; n++) {
      await new Promise((resolve) => setImmediate(resolve));
      await vscode.commands.executeCommand("vscode.executeDocumentSymbolProvider", main);
    }
    assert.match(api.graph() ?? "", /data-want="topology" aria-pressed="true"/);
    person.post({ want: "copy" });
    for (let n = 0; n < 10_000 && !person.messages.some((text) => text.startsWith("flowchart")); n++) {
      await vscode.commands.executeCommand("vscode.executeDocumentSymbolProvider", main);
    }
    assert.ok(person.messages.some((text) => text.startsWith("flowchart")));
  },

  async "a program that cannot be drawn is told, and its last picture stays"({ api, main, person }) {
    const document = await shown(main);
    await replace(document, "<- hello", "<- hallo");
    await vscode.commands.executeCommand("aqua.showGraph", main.toString(), "greet");
    assert.match(api.graph() ?? "", /<pre class="problem">[^]*AQ0201[^]*base64,\w/);
    person.closePanel();
    assert.equal(api.graph(), undefined);
    await vscode.commands.executeCommand("aqua.showGraph", main.toString(), "greet");
    assert.match(person.messages.at(-1) ?? "", /^`greet` cannot be drawn: error/);
    await replace(document, "<- hallo", "<- hello");
    await document.save();
  },

  async "commands without a program say so"({ main, person }) {
    await shown(vscode.Uri.joinPath(main, "..", "script.air"));
    await vscode.commands.executeCommand("aqua.showAir");
    assert.equal(person.messages.at(-1), "This command is about a function of an Aqua file: open one.");
    const empty = vscode.Uri.joinPath(main, "..", "empty.aqua");
    await shown(empty);
    await vscode.commands.executeCommand("aqua.run");
    assert.equal(person.messages.at(-1), "This file exports no function: write `export NAME` below its header.");
  },

  async "a missing tool is named with its remedy"({ main, person }) {
    await shown(main);
    const settings = vscode.workspace.getConfiguration("aqua");
    const path = process.env["PATH"];
    process.env["PATH"] = "";
    try {
      person.buttons.push("Open Settings");
      await vscode.commands.executeCommand("aqua.restart");
      const remedy = "`aqua-lsp` was not found: install it with `pip install aquac`, or set `aqua.server.path` to where it is.";
      assert.deepEqual(person.messages.slice(-2), [remedy, "(settings: aqua.server.path)"]);
      await vscode.commands.executeCommand("aqua.showAir", main.toString(), "greet");
      await vscode.commands.executeCommand("aqua.run", main.toString(), "greet");
      assert.match(person.messages.at(-1) ?? "", /^`avm` was not found: .* `aqua\.avm\.path`/);
      await vscode.commands.executeCommand("aqua.showGraph", main.toString(), "greet");
      assert.match(person.messages.at(-1) ?? "", /^`aquac` was not found: .* `aqua\.aquac\.path`/);
    } finally {
      process.env["PATH"] = path;
    }
    await settings.update("server.path", join(main.fsPath, "nothing"));
    await vscode.commands.executeCommand("aqua.restart");
    assert.match(person.messages.at(-1) ?? "", /nothing` of the setting `aqua\.server\.path` is no program: correct it/);
    await settings.update("server.path", undefined);
    await vscode.commands.executeCommand("aqua.restart");
    const document = await shown(main);
    await replace(document, "<- hello", "<- hallo");
    await diagnostics(main, (found) => found.length > 0);
    await replace(document, "<- hallo", "<- hello");
    await diagnostics(main, (found) => found.length === 0);
  },

  async "tools of the workspace come first, if it is trusted"({ main, person }) {
    const folder = join(dirname(main.fsPath), ".venv", "bin");
    const tool = (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((place) => join(place, "aqua-lsp"))
      .find(existsSync);
    assert.ok(tool);
    await mkdir(folder, { recursive: true });
    await copyFile(tool, join(folder, "aqua-lsp"));
    person.output.length = 0;
    await vscode.commands.executeCommand("aqua.restart");
    assert.ok(person.output.some((line) => line.startsWith(`starting ${join(folder, "aqua-lsp")}`)));
    person.output.length = 0;
    person.trusts = false;
    try {
      await vscode.commands.executeCommand("aqua.restart");
      assert.ok(person.output.some((line) => line.startsWith(`starting ${tool}`)));
    } finally {
      person.trusts = true;
    }
  },

  async "a program that is no server is told"({ person }) {
    const settings = vscode.workspace.getConfiguration("aqua");
    const count = person.messages.length;
    await settings.update("server.path", process.execPath);
    await settings.update("server.arguments", ["-e", "process.exit(3)"]);
    await vscode.commands.executeCommand("aqua.restart");
    const told = person.messages.slice(count).join("\n");
    assert.match(told, /does not answer as a language server: see the output of Aqua\./);
    await settings.update("server.arguments", undefined);
    await settings.update("server.path", undefined);
    await vscode.commands.executeCommand("aqua.restart");
  },
};

/** Run all tests, in order; prints one line for each. Each goes on where the one before stopped, so the first failure ends them. */
export async function runAll(world: World, say: (line: string) => void): Promise<void> {
  await world.api.started;
  const { person } = world;
  const tests = Object.entries(TESTS).map(([name, body]) => [name, () => body(world)] as const);
  if (person !== undefined) {
    tests.push(...Object.entries(WITH_A_PERSON).map(([name, body]) => [name, () => body({ ...world, person })] as const));
  }
  for (const [n, [name, body]] of tests.entries()) {
    try {
      await body();
      say(`ok    ${name}`);
    } catch (error) {
      say(`FAIL  ${name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      throw new Error(`${String(n)} passed, 1 failed, ${String(tests.length - n - 1)} not run`);
    }
  }
  say(`${String(tests.length)} passed, 0 failed`);
}

/** What VS Code calls. */
export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension<AquaApi>("aquac.aqua");
  assert.ok(extension, "the extension is not there");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert.ok(folder);
  const said = (name: string, line: string): void => appendFileSync(join(folder.fsPath, name), `${line}\n`);
  try {
    const world = { api: await extension.activate(), person: undefined, main: vscode.Uri.joinPath(folder, "main.aqua") };
    await runAll(world, (line) => said("said.txt", line));
  } finally {
    said("ended.txt", "");
  }
}
