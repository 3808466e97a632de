/**
 * A stand-in for the `vscode` module, so that the extension and the real language client run in plain node.
 *
 * It has what these two use, behaving as the module's declarations say; asking for anything else is an error. Settings,
 * languages and their defaults are read from `package.json`, enumerations from `@types/vscode`. What a person would do (answer
 * a question, pick from a list) is prepared in `person`. `test/real.mjs` runs the same tests in VS Code itself.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { minimatch } from "minimatch";

import { Documents } from "./documents";
import type { TextDocument } from "./documents";
import { enumerations } from "./enums";
import * as values from "./values";
import { CancellationTokenSource, CodeLens, Disposable, EventEmitter, Position, Range, Selection, Uri } from "./values";
import type { U } from "./values";

type Body = (...args: unknown[]) => unknown;
interface Property {
  default?: unknown;
}
interface Manifest {
  contributes: {
    languages: { id: string; extensions: string[] }[];
    configuration: { properties: Record<string, Property> };
  };
}

const HERE = resolve(process.env["AQUA_EXTENSION"] ?? ".");
const manifest = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8")) as Manifest;
const enums = enumerations(join(HERE, "node_modules", "@types", "vscode", "index.d.ts"));
const { contributes } = manifest;

/** What a person does, and is told. */
export const person = {
  folder: Uri.file(process.env["AQUA_WORKSPACE"] ?? "."),
  trusts: true,
  answers: [] as (string | undefined)[],
  picks: [] as string[],
  asked: [] as { title?: string; prompt?: string; value?: string }[],
  messages: [] as string[],
  buttons: [] as string[],
  output: [] as string[],
};

/** An object that has nothing but its members. */
function strict<T extends object>(name: string, members: T): T {
  return new Proxy(members, {
    get(target, key) {
      if (typeof key === "string" && !(key in target) && key !== "then" && key !== "__esModule" && key !== "toJSON") {
        throw new Error(`the stand-in has no vscode.${name}.${key}`);
      }
      return Reflect.get(target, key) as unknown;
    },
  });
}

const never = new EventEmitter<never>().event;

// ── settings ──

const settings = new Map(Object.entries(contributes.configuration.properties).map(([key, { default: value }]) => [key, value]));
const didChangeConfiguration = new EventEmitter<{ affectsConfiguration(section: string): boolean }>();

function section(name: string): unknown {
  if (settings.has(name)) {
    return settings.get(name);
  }
  const found: Record<string, unknown> = {};
  const start = name === "" ? "" : `${name}.`;
  for (const [key, value] of settings) {
    if (key.startsWith(start)) {
      const parts = key.slice(start.length).split(".");
      let at = found;
      for (const part of parts.slice(0, -1)) {
        at = (at[part] ??= {}) as Record<string, unknown>;
      }
      at[parts.at(-1) ?? ""] = value;
    }
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

function getConfiguration(name = ""): object {
  const full = (key: string): string => (name === "" ? key : `${name}.${key}`);
  return {
    ...structuredClone(section(name) ?? {}),
    get: (key: string, otherwise?: unknown) => structuredClone(section(full(key))) ?? otherwise,
    has: (key: string) => section(full(key)) !== undefined,
    inspect: (key: string) => ({ key: full(key), defaultValue: contributes.configuration.properties[full(key)]?.default }),
    update: async (key: string, value: unknown) => {
      const changed = full(key);
      if (!settings.has(changed)) {
        throw new Error(`${changed} is not a registered configuration.`);
      }
      settings.set(changed, value ?? contributes.configuration.properties[changed]?.default);
      didChangeConfiguration.fire({ affectsConfiguration: (s) => changed === s || changed.startsWith(`${s}.`) });
    },
  };
}

// ── documents ──

const languageOf = new Map(contributes.languages.flatMap(({ id, extensions }) => extensions.map((e) => [e, id] as const)));
const documents = new Documents(languageOf);
const watchers: { glob: string; changed: EventEmitter<U> }[] = [];
documents.didSave.event(({ uri }) => {
  for (const watcher of watchers.filter(({ glob }) => minimatch(uri.path, glob))) {
    watcher.changed.fire(uri);
  }
});
const folders = [{ uri: person.folder, name: "workspace", index: 0 }];

const workspace = strict("workspace", {
  workspaceFolders: folders,
  get isTrusted() {
    return person.trusts;
  },
  get textDocuments() {
    return documents.all;
  },
  notebookDocuments: [],
  fs: {},
  getConfiguration,
  getWorkspaceFolder: (uri: U) => folders.find((folder) => uri.path.startsWith(`${folder.uri.path}/`)),
  openTextDocument: (uri: U) => documents.open(uri),
  applyEdit: (edit: values.WorkspaceEdit) => documents.edit(edit),
  registerTextDocumentContentProvider: (scheme: string, provider: never) => {
    documents.provide(scheme, provider);
    return new Disposable(() => undefined);
  },
  createFileSystemWatcher: (glob: string) => {
    const changed = new EventEmitter<U>();
    watchers.push({ glob, changed });
    return { onDidCreate: never, onDidChange: changed.event, onDidDelete: never, dispose: () => changed.dispose() };
  },
  onDidOpenTextDocument: documents.didOpen.event,
  onDidCloseTextDocument: documents.didClose.event,
  onDidChangeTextDocument: documents.didChange.event,
  onWillSaveTextDocument: documents.willSave.event,
  onDidSaveTextDocument: documents.didSave.event,
  onDidChangeConfiguration: didChangeConfiguration.event,
  onDidGrantWorkspaceTrust: never,
  onDidChangeWorkspaceFolders: never,
  onDidOpenNotebookDocument: never,
  onDidChangeNotebookDocument: never,
  onDidSaveNotebookDocument: never,
  onDidCloseNotebookDocument: never,
  onDidCreateFiles: never,
  onDidRenameFiles: never,
  onDidDeleteFiles: never,
  onWillCreateFiles: never,
  onWillRenameFiles: never,
  onWillDeleteFiles: never,
});

// ── window ──

const didChangeActive = new EventEmitter<unknown>();
const didChangeVisible = new EventEmitter<unknown>();
const didChangeTabs = new EventEmitter<unknown>();
const editors: { document: TextDocument; selection: Selection; viewColumn: number }[] = [];
let active: (typeof editors)[number] | undefined;
const tabs: { input: unknown; label: string }[] = [];

class OutputChannel {
  readonly logLevel = enums["LogLevel"]?.["Info"];
  readonly onDidChangeLogLevel = never;
  constructor(readonly name: string) {}
  private readonly log = (...parts: unknown[]): void => {
    person.output.push(parts.map(String).join(" "));
  };
  readonly trace = this.log;
  readonly debug = this.log;
  readonly info = this.log;
  readonly warn = this.log;
  readonly error = this.log;
  readonly append = this.log;
  readonly appendLine = this.log;
  show(): void {
    this.log(`(shown: ${this.name})`);
  }
  dispose(): void {}
}

/** A page that is shown; `receive` is what its scripts would send. */
export class WebviewPanel {
  private readonly messages = new EventEmitter<unknown>();
  private readonly gone = new EventEmitter<void>();
  readonly onDidDispose = this.gone.event;
  readonly webview: { html: string; onDidReceiveMessage: unknown };
  constructor(
    readonly viewType: string,
    public title: string,
    readonly options: { enableScripts?: boolean; localResourceRoots?: unknown[] },
  ) {
    this.webview = { html: "", onDidReceiveMessage: this.messages.event };
  }
  reveal(): void {}
  receive(message: unknown): void {
    this.messages.fire(message);
  }
  dispose(): void {
    tabs.splice(tabs.findIndex((tab) => tab.label === this.title), 1);
    this.gone.fire();
  }
}
export const panels: WebviewPanel[] = [];

function message(text: string, ...items: unknown[]): Promise<unknown> {
  person.messages.push(text);
  const wanted = person.buttons.shift();
  return Promise.resolve(items.find((item) => item === wanted));
}

const window = strict("window", {
  get activeTextEditor() {
    return active;
  },
  get visibleTextEditors() {
    return editors;
  },
  tabGroups: strict("window.tabGroups", {
    get all() {
      return [{ tabs }];
    },
    onDidChangeTabs: didChangeTabs.event,
    onDidChangeTabGroups: never,
  }),
  showTextDocument: async (document: TextDocument, options: { viewColumn?: number; preserveFocus?: boolean } = {}) => {
    const at = new Position(0, 0);
    const known = editors.find((editor) => editor.document === document);
    const editor = known ?? { document, selection: new Selection(at, at), viewColumn: options.viewColumn ?? 1 };
    if (known === undefined) {
      editors.push(editor);
      const tab = { input: new values.TabInputText(document.uri), label: document.uri.path };
      tabs.push(tab);
      didChangeTabs.fire({ opened: [tab], closed: [], changed: [] });
      didChangeVisible.fire(editors);
    }
    if (options.preserveFocus !== true && active !== editor) {
      active = editor;
      didChangeActive.fire(editor);
    }
    return editor;
  },
  createOutputChannel: (name: string) => new OutputChannel(name),
  createWebviewPanel: (viewType: string, title: string, _: unknown, options: object) => {
    const panel = new WebviewPanel(viewType, title, options);
    panels.push(panel);
    tabs.push({ input: new values.TabInputWebview(`mainThreadWebview-${viewType}`), label: title });
    return panel;
  },
  showErrorMessage: message,
  showWarningMessage: message,
  showInformationMessage: message,
  setStatusBarMessage: (text: string) => {
    person.messages.push(text);
    return new Disposable(() => undefined);
  },
  showInputBox: async (question: { title?: string; prompt?: string; value?: string }) => {
    person.asked.push(question);
    return person.answers.shift();
  },
  showQuickPick: async (items: { label: string }[]) => {
    const wanted = person.picks.shift();
    person.asked.push({ title: items.map((item) => item.label).join(" ") });
    return items.find((item) => item.label === wanted);
  },
  withProgress: (_: unknown, body: (progress: unknown, token: unknown) => unknown) =>
    Promise.resolve(body({ report: () => undefined }, new CancellationTokenSource().token)),
  onDidChangeActiveTextEditor: didChangeActive.event,
  onDidChangeVisibleTextEditors: didChangeVisible.event,
});

// ── languages ──

interface Filter {
  language?: string;
  scheme?: string;
  pattern?: string;
}
type Selector = string | Filter | (string | Filter)[];

/** Score of a selector: 10 for a match, 5 for a wild card, 0 for none. */
function match(selector: Selector, document: TextDocument): number {
  if (Array.isArray(selector)) {
    return Math.max(0, ...selector.map((each) => match(each, document)));
  }
  const filter = typeof selector === "string" ? { language: selector } : selector;
  const parts = [
    [filter.language, filter.language === document.languageId],
    [filter.scheme, filter.scheme === document.uri.scheme],
    [filter.pattern, filter.pattern !== undefined && minimatch(document.uri.path, filter.pattern)],
  ] as const;
  const given = parts.filter(([wanted]) => wanted !== undefined);
  if (given.some(([wanted, same]) => !same && wanted !== "*")) {
    return 0;
  }
  return given.some(([, same]) => same) ? 10 : 5;
}

type Provider = Record<string, Body>;
const providers = new Map<string, { selector: Selector; provider: Provider; more: unknown[] }[]>();

function register(kind: string) {
  return (selector: Selector, provider: Provider, ...more: unknown[]): Disposable => {
    const row = { selector, provider, more };
    const rows = providers.get(kind) ?? [];
    providers.set(kind, rows);
    rows.push(row);
    return new Disposable(() => rows.splice(rows.indexOf(row), 1));
  };
}

const KINDS = [
  "CallHierarchy", "CodeActions", "CodeLens", "Color", "CompletionItem", "Declaration", "Definition",
  "DocumentFormattingEdit", "DocumentHighlight", "DocumentLink", "DocumentRangeFormattingEdit",
  "DocumentRangeSemanticTokens", "DocumentSemanticTokens", "DocumentSymbol", "FoldingRange", "Hover", "Implementation",
  "InlayHints", "InlineValues", "LinkedEditingRange", "OnTypeFormattingEdit", "Reference", "Rename", "SelectionRange",
  "SignatureHelp", "TypeDefinition", "TypeHierarchy",
]; // prettier-ignore

const collections: Map<string, [U, unknown[]]>[] = [];
const didChangeDiagnostics = new EventEmitter<{ uris: U[] }>();

const languages = strict("languages", {
  match,
  createLanguageStatusItem: () => ({ dispose: () => undefined }),
  createDiagnosticCollection: () => {
    const found = new Map<string, [U, unknown[]]>();
    collections.push(found);
    return {
      set: (uri: U, diagnostics: unknown[] | undefined) => {
        found.set(uri.toString(), [uri, diagnostics ?? []]);
        didChangeDiagnostics.fire({ uris: [uri] });
      },
      delete: (uri: U) => {
        found.delete(uri.toString());
        didChangeDiagnostics.fire({ uris: [uri] });
      },
      has: (uri: U) => found.has(uri.toString()),
      get: (uri: U) => found.get(uri.toString())?.[1],
      clear: () => {
        const uris = [...found.values()].map(([uri]) => uri);
        found.clear();
        didChangeDiagnostics.fire({ uris });
      },
      dispose: () => collections.splice(collections.indexOf(found), 1),
    };
  },
  getDiagnostics: (uri: U) => collections.flatMap((found) => found.get(uri.toString())?.[1] ?? []),
  onDidChangeDiagnostics: didChangeDiagnostics.event,
  registerWorkspaceSymbolProvider: (provider: Provider) => register("WorkspaceSymbol")("*", provider),
  ...Object.fromEntries(KINDS.map((kind) => [`register${kind}Provider`, register(kind)])),
});

// ── commands ──

const commands = new Map<string, Body>();

/** Answers of the providers of a document, without the empty ones. */
async function asked(kind: string, method: string, uri: U, ...args: unknown[]): Promise<unknown[]> {
  const document = await documents.open(uri);
  const found: unknown[] = [];
  for (const { selector, provider } of providers.get(kind) ?? []) {
    const body = provider[method];
    if (match(selector, document) > 0 && body !== undefined) {
      const answer = await body.call(provider, document, ...args, new CancellationTokenSource().token);
      if (answer !== undefined && answer !== null) {
        found.push(answer);
      }
    }
  }
  return found;
}

const BUILT_IN: Record<string, (uri: U, ...args: never[]) => unknown> = {
  "vscode.executeCompletionItemProvider": async (uri, at: Position) => {
    const context = { triggerKind: 0, triggerCharacter: undefined };
    const document = await documents.open(uri);
    const rows = (providers.get("CompletionItem") ?? []).filter(({ selector }) => match(selector, document) > 0);
    const token = new CancellationTokenSource().token;
    const lists = await Promise.all(rows.map(({ provider: p }) => p["provideCompletionItems"]?.(document, at, token, context)));
    const items = lists.flatMap((list) => (Array.isArray(list) ? list : ((list as { items?: unknown[] } | null)?.items ?? [])));
    return { items };
  },
  "vscode.executeFormatDocumentProvider": async (uri, options: unknown) =>
    (await asked("DocumentFormattingEdit", "provideDocumentFormattingEdits", uri, options)).flat(),
  "vscode.executeCodeLensProvider": async (uri) => (await asked("CodeLens", "provideCodeLenses", uri)).flat() as CodeLens[],
  "vscode.executeDocumentSymbolProvider": async (uri) => (await asked("DocumentSymbol", "provideDocumentSymbols", uri)).flat(),
  "vscode.executeHoverProvider": (uri, at: Position) => asked("Hover", "provideHover", uri, at),
  "vscode.executeDefinitionProvider": async (uri, at: Position) =>
    (await asked("Definition", "provideDefinition", uri, at)).flat(),
  "vscode.provideDocumentSemanticTokensLegend": () => providers.get("DocumentSemanticTokens")?.[0]?.more[0],
  "vscode.provideDocumentSemanticTokens": async (uri) =>
    (await asked("DocumentSemanticTokens", "provideDocumentSemanticTokens", uri))[0],
  "vscode.executeInlayHintProvider": async (uri, range: Range) =>
    (await asked("InlayHints", "provideInlayHints", uri, range)).flat(),
  "vscode.executeDocumentRenameProvider": async (uri, at: Position, name: string) =>
    (await asked("Rename", "provideRenameEdits", uri, at, name))[0],
  "workbench.action.openSettings": (key: unknown) => person.messages.push(`(settings: ${String(key)})`),
  setContext: () => undefined,
};

// ── tasks ──

interface TaskProvider {
  resolveTask(task: values.Task): Promise<values.Task | undefined>;
}
const taskProviders = new Map<string, TaskProvider>();

/** Tasks of `tasks.json`, completed by the provider of their type. */
async function fetchTasks(): Promise<values.Task[]> {
  const file = join(person.folder.fsPath, ".vscode", "tasks.json");
  const { tasks } = JSON.parse(readFileSync(file, "utf8")) as { tasks: { type: string; label: string }[] };
  const found: values.Task[] = [];
  for (const { label, ...definition } of tasks) {
    const execution = new values.ProcessExecution("", []);
    const bare = new values.Task(definition, folders[0], label, "Workspace", execution, []);
    const task = await taskProviders.get(definition.type)?.resolveTask(bare);
    if (task !== undefined) {
      found.push(Object.assign(task, { name: label, source: bare.source }));
    }
  }
  return found;
}

const didStartTask = new EventEmitter<{ execution: { task: values.Task } }>();
const didEndTaskProcess = new EventEmitter<{ execution: { task: values.Task }; exitCode: number | undefined }>();

function memento(): object {
  const kept = new Map<string, unknown>();
  return {
    get: (key: string, otherwise?: unknown) => kept.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void kept.set(key, value),
    keys: () => [...kept.keys()],
  };
}

const module_ = strict("", {
  ...enums,
  ...values,
  version: "1.91.0",
  env: strict("env", {
    appName: "stand-in",
    language: "en",
    openExternal: async () => true,
    clipboard: { writeText: async (text: string) => void person.messages.push(text) },
  }),
  workspace,
  window,
  languages,
  commands: strict("commands", {
    registerCommand: (name: string, body: Body) => {
      if (commands.has(name)) {
        throw new Error(`command '${name}' already exists`);
      }
      commands.set(name, body);
      return new Disposable(() => commands.delete(name));
    },
    executeCommand: async (name: string, ...args: unknown[]) => {
      const body = commands.get(name) ?? (BUILT_IN[name] as Body | undefined);
      if (body === undefined) {
        throw new Error(`command '${name}' not found`);
      }
      return body(...args);
    },
    getCommands: async () => [...commands.keys()],
  }),
  tasks: strict("tasks", {
    registerTaskProvider: (type: string, provider: TaskProvider) => {
      taskProviders.set(type, provider);
      return new Disposable(() => taskProviders.delete(type));
    },
    fetchTasks,
    executeTask: async (task: values.Task) => {
      const execution = { task };
      const { process: program, args, options } = task.execution;
      const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
      child.stdout.on("data", (data: Buffer) => person.output.push(data.toString()));
      child.stderr.on("data", (data: Buffer) => person.output.push(data.toString()));
      child.on("close", (code) => didEndTaskProcess.fire({ execution, exitCode: code ?? undefined }));
      didStartTask.fire({ execution });
      return execution;
    },
    onDidStartTask: didStartTask.event,
    onDidEndTaskProcess: didEndTaskProcess.event,
  }),
});

/** What the extension is started with. */
export function context(storage: string): object {
  return strict("ExtensionContext", {
    subscriptions: [] as { dispose(): unknown }[],
    storageUri: Uri.file(storage),
    globalStorageUri: Uri.file(storage),
    workspaceState: memento(),
    globalState: memento(),
    extensionPath: HERE,
  });
}

export { module_ as vscode };
