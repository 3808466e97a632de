/** Values of the `vscode` module: what they hold and how they compare is as its declarations say. */

import { URI, Utils } from "vscode-uri";

export const Uri = Object.assign(URI, { joinPath: Utils.joinPath });
export type U = URI;

export class Disposable {
  constructor(private readonly body: () => unknown) {}

  static from(...parts: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) {
        part.dispose();
      }
    });
  }

  dispose(): void {
    this.body();
  }
}

export class EventEmitter<T> {
  private listeners: ((event: T) => unknown)[] = [];

  readonly event = (listener: (event: T) => unknown, self?: unknown, parts?: Disposable[]): Disposable => {
    const bound = self === undefined ? listener : listener.bind(self);
    this.listeners.push(bound);
    const result = new Disposable(() => {
      this.listeners = this.listeners.filter((each) => each !== bound);
    });
    parts?.push(result);
    return result;
  };

  fire(event: T): void {
    for (const listener of [...this.listeners]) {
      listener(event);
    }
  }

  dispose(): void {
    this.listeners = [];
  }
}

export class CancellationError extends Error {}

export class CancellationTokenSource {
  private readonly emitter = new EventEmitter<void>();
  readonly token = { isCancellationRequested: false, onCancellationRequested: this.emitter.event };

  cancel(): void {
    if (!this.token.isCancellationRequested) {
      this.token.isCancellationRequested = true;
      this.emitter.fire();
    }
  }

  dispose(): void {
    this.emitter.dispose();
  }
}

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {
    if (!(line >= 0 && character >= 0)) {
      throw new Error(`no position: ${String(line)}:${String(character)}`);
    }
  }

  compareTo(other: Position): number {
    return this.line - other.line || this.character - other.character;
  }
  isBefore(other: Position): boolean {
    return this.compareTo(other) < 0;
  }
  isBeforeOrEqual(other: Position): boolean {
    return this.compareTo(other) <= 0;
  }
  isAfter(other: Position): boolean {
    return this.compareTo(other) > 0;
  }
  isAfterOrEqual(other: Position): boolean {
    return this.compareTo(other) >= 0;
  }
  isEqual(other: Position): boolean {
    return this.compareTo(other) === 0;
  }
  translate(lines = 0, characters = 0): Position {
    return new Position(this.line + lines, this.character + characters);
  }
  with(line = this.line, character = this.character): Position {
    return new Position(line, character);
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;

  constructor(start: Position, end: Position);
  constructor(startLine: number, startCharacter: number, endLine: number, endCharacter: number);
  constructor(a: Position | number, b: Position | number, c?: number, d?: number) {
    const start = typeof a === "number" ? new Position(a, b as number) : a;
    const end = typeof a === "number" ? new Position(c ?? 0, d ?? 0) : (b as Position);
    [this.start, this.end] = start.isAfter(end) ? [end, start] : [start, end];
  }

  get isEmpty(): boolean {
    return this.start.isEqual(this.end);
  }
  get isSingleLine(): boolean {
    return this.start.line === this.end.line;
  }
  contains(other: Position | Range): boolean {
    const [start, end] = other instanceof Range ? [other.start, other.end] : [other, other];
    return this.start.isBeforeOrEqual(start) && this.end.isAfterOrEqual(end);
  }
  isEqual(other: Range): boolean {
    return this.start.isEqual(other.start) && this.end.isEqual(other.end);
  }
}

export class Selection extends Range {
  constructor(
    readonly anchor: Position,
    readonly active: Position,
  ) {
    super(anchor, active);
  }
}

export class TextEdit {
  newEol?: number;
  constructor(
    public range: Range,
    public newText: string,
  ) {}
  static replace(range: Range, text: string): TextEdit {
    return new TextEdit(range, text);
  }
  static insert(at: Position, text: string): TextEdit {
    return new TextEdit(new Range(at, at), text);
  }
  static delete(range: Range): TextEdit {
    return new TextEdit(range, "");
  }
}

export class WorkspaceEdit {
  private readonly edits = new Map<string, [URI, TextEdit[]]>();

  set(uri: URI, edits: TextEdit[]): void {
    this.edits.set(uri.toString(), [uri, edits]);
  }
  get(uri: URI): TextEdit[] {
    return this.edits.get(uri.toString())?.[1] ?? [];
  }
  replace(uri: URI, range: Range, text: string): void {
    this.set(uri, [...this.get(uri), new TextEdit(range, text)]);
  }
  insert(uri: URI, at: Position, text: string): void {
    this.replace(uri, new Range(at, at), text);
  }
  entries(): [URI, TextEdit[]][] {
    return [...this.edits.values()];
  }
  get size(): number {
    return this.edits.size;
  }
}

/** What only holds what it is made of: the names of its fields, in the order of the constructor. */
function record(...names: string[]) {
  return class {
    [key: string]: unknown;
    constructor(...values: unknown[]) {
      values.forEach((value, at) => {
        const name = names[at];
        if (name === undefined) {
          throw new Error(`one value too many; there are ${names.join(", ")}`);
        }
        this[name] = value;
      });
    }
  };
}

export class MarkdownString extends record("value", "supportThemeIcons") {}
export class SnippetString extends record("value") {}
export class Location extends record("uri", "range") {}
export class Hover {
  contents: unknown[];
  constructor(
    contents: unknown,
    readonly range?: Range,
  ) {
    this.contents = Array.isArray(contents) ? contents : [contents];
  }
}
export class Diagnostic {
  source?: string;
  code?: unknown;
  constructor(
    public range: Range,
    public message: string,
    public severity = 0,
  ) {}
}
export class DiagnosticRelatedInformation extends record("location", "message") {}
export class CompletionItem extends record("label", "kind") {}
export class CompletionList {
  constructor(
    readonly items: CompletionItem[] = [],
    readonly isIncomplete = false,
  ) {}
}
export class CodeLens {
  constructor(
    public range: Range,
    public command?: { command: string; title: string; arguments?: unknown[] },
  ) {}
  get isResolved(): boolean {
    return this.command !== undefined;
  }
}
export class CodeAction extends record("title", "kind") {}
export class CodeActionKind {
  constructor(readonly value: string) {}
  static readonly Empty = new CodeActionKind("");
  static readonly QuickFix = new CodeActionKind("quickfix");
  static readonly Refactor = new CodeActionKind("refactor");
  static readonly RefactorExtract = new CodeActionKind("refactor.extract");
  static readonly RefactorInline = new CodeActionKind("refactor.inline");
  static readonly RefactorRewrite = new CodeActionKind("refactor.rewrite");
  static readonly Source = new CodeActionKind("source");
  static readonly SourceOrganizeImports = new CodeActionKind("source.organizeImports");
  static readonly SourceFixAll = new CodeActionKind("source.fixAll");
  static readonly Notebook = new CodeActionKind("notebook");
  append(part: string): CodeActionKind {
    return new CodeActionKind(this.value === "" ? part : `${this.value}.${part}`);
  }
  contains(other: CodeActionKind): boolean {
    return this.value === "" || other.value === this.value || other.value.startsWith(`${this.value}.`);
  }
}
export class DocumentSymbol extends record("name", "detail", "kind", "range", "selectionRange") {
  readonly children: DocumentSymbol[] = [];
}
export class SymbolInformation extends record("name", "kind", "containerName", "location") {}
export class CallHierarchyItem extends record("kind", "name", "detail", "uri", "range", "selectionRange") {}
export class CallHierarchyIncomingCall extends record("from", "fromRanges") {}
export class CallHierarchyOutgoingCall extends record("to", "fromRanges") {}
export class TypeHierarchyItem extends record("kind", "name", "detail", "uri", "range", "selectionRange") {}
export class SignatureHelp extends record() {}
export class SignatureInformation extends record("label", "documentation") {}
export class ParameterInformation extends record("label", "documentation") {}
export class FoldingRange extends record("start", "end", "kind") {}
export class SelectionRange extends record("range", "parent") {}
export class DocumentHighlight extends record("range", "kind") {}
export class DocumentLink extends record("range", "target") {}
export class InlayHint extends record("position", "label", "kind") {}
export class InlayHintLabelPart extends record("value") {}
export class SemanticTokensLegend extends record("tokenTypes", "tokenModifiers") {}
export class SemanticTokens extends record("data", "resultId") {}
export class TabInputText extends record("uri") {}
export class TabInputTextDiff extends record("original", "modified") {}
export class TabInputCustom extends record("uri", "viewType") {}
export class TabInputWebview extends record("viewType") {}
export class TabInputNotebook extends record("uri", "notebookType") {}
export class RelativePattern extends record("baseUri", "pattern") {}
export class ProcessExecution {
  constructor(
    readonly process: string,
    readonly args: string[],
    readonly options: { cwd?: string } = {},
  ) {}
}
export class Task {
  presentationOptions: unknown = {};
  constructor(
    readonly definition: unknown,
    readonly scope: unknown,
    readonly name: string,
    readonly source: string,
    readonly execution: ProcessExecution,
    readonly problemMatchers: unknown,
  ) {}
}
