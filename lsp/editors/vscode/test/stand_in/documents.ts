/** Documents: text with positions in UTF-16 units, versions, edits with the events that a client hears, saving. */

import { readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";

import { EventEmitter, Position, Range } from "./values";
import type { TextEdit, U, WorkspaceEdit } from "./values";

interface Change {
  range: Range;
  rangeOffset: number;
  rangeLength: number;
  text: string;
}

export class TextDocument {
  version = 1;
  isDirty = false;
  isClosed = false;
  readonly isUntitled = false;
  readonly eol = 1;

  constructor(
    private readonly owner: Documents,
    readonly uri: U,
    readonly languageId: string,
    private text: string,
  ) {}

  get fileName(): string {
    return this.uri.fsPath;
  }
  get lineCount(): number {
    return this.text.split("\n").length;
  }
  getText(range?: Range): string {
    return range === undefined ? this.text : this.text.slice(this.offsetAt(range.start), this.offsetAt(range.end));
  }
  lineAt(line: number): { text: string; range: Range } {
    const text = (this.text.split("\n")[line] ?? "").replace(/\r$/, "");
    return { text, range: new Range(line, 0, line, text.length) };
  }
  offsetAt(position: Position): number {
    const lines = this.text.split("\n");
    const line = Math.min(position.line, lines.length - 1);
    const before = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
    return before + Math.min(position.character, lines[line]?.length ?? 0);
  }
  positionAt(offset: number): Position {
    const before = this.text.slice(0, offset).split("\n");
    return new Position(before.length - 1, before.at(-1)?.length ?? 0);
  }
  save(): Promise<boolean> {
    return this.owner.save(this);
  }

  /** Takes edits of one moment; the changes are told from the end to the beginning, as VS Code does. */
  apply(edits: readonly TextEdit[]): Change[] {
    const changes = edits.map(({ range, newText }) => {
      const rangeOffset = this.offsetAt(range.start);
      return { range, rangeOffset, rangeLength: this.offsetAt(range.end) - rangeOffset, text: newText };
    });
    changes.sort((one, other) => other.rangeOffset - one.rangeOffset);
    for (const change of changes) {
      const { rangeOffset: at, rangeLength: length } = change;
      this.text = this.text.slice(0, at) + change.text + this.text.slice(at + length);
    }
    this.version += 1;
    this.isDirty = this.uri.scheme === "file";
    return changes;
  }
}

interface ContentProvider {
  provideTextDocumentContent(uri: U): Promise<string> | string;
  onDidChange?: (listener: (uri: U) => unknown) => unknown;
}

/** The open documents. */
export class Documents {
  readonly all: TextDocument[] = [];
  readonly didOpen = new EventEmitter<TextDocument>();
  readonly didClose = new EventEmitter<TextDocument>();
  readonly didChange = new EventEmitter<{ document: TextDocument; contentChanges: Change[]; reason: undefined }>();
  readonly willSave = new EventEmitter<{ document: TextDocument; reason: number; waitUntil(edits: unknown): void }>();
  readonly didSave = new EventEmitter<TextDocument>();
  private readonly providers = new Map<string, ContentProvider>();

  constructor(private readonly languages: ReadonlyMap<string, string>) {}

  provide(scheme: string, provider: ContentProvider): void {
    this.providers.set(scheme, provider);
    // What cannot be renewed stays as it is; VS Code writes that into its log.
    provider.onDidChange?.((uri) => void this.renew(provider, uri).catch(() => undefined));
  }

  async open(uri: U): Promise<TextDocument> {
    const known = this.find(uri);
    if (known !== undefined) {
      return known;
    }
    const provider = this.providers.get(uri.scheme);
    const text = uri.scheme === "file" ? readFileSync(uri.fsPath, "utf8") : await provider?.provideTextDocumentContent(uri);
    if (text === undefined) {
      throw new Error(`nobody provides ${uri.toString()}`);
    }
    const document = new TextDocument(this, uri, this.languages.get(extname(uri.path)) ?? "plaintext", text);
    this.all.push(document);
    this.didOpen.fire(document);
    return document;
  }

  close(document: TextDocument): void {
    this.all.splice(this.all.indexOf(document), 1);
    document.isClosed = true;
    this.didClose.fire(document);
  }

  async edit(edit: WorkspaceEdit): Promise<boolean> {
    for (const [uri, edits] of edit.entries()) {
      this.change(await this.open(uri), edits);
    }
    return true;
  }

  async save(document: TextDocument): Promise<boolean> {
    const waited: Promise<unknown>[] = [];
    this.willSave.fire({ document, reason: 1, waitUntil: (edits) => waited.push(Promise.resolve(edits)) });
    for (const edits of await Promise.all(waited)) {
      this.change(document, (edits ?? []) as TextEdit[]);
    }
    writeFileSync(document.uri.fsPath, document.getText());
    document.isDirty = false;
    this.didSave.fire(document);
    return true;
  }

  private find(uri: U): TextDocument | undefined {
    return this.all.find((document) => document.uri.toString() === uri.toString());
  }

  private change(document: TextDocument, edits: readonly TextEdit[]): void {
    if (edits.length > 0) {
      const contentChanges = document.apply(edits);
      this.didChange.fire({ document, contentChanges, reason: undefined });
    }
  }

  private async renew(provider: ContentProvider, uri: U): Promise<void> {
    const document = this.find(uri);
    if (document !== undefined) {
      const newText = await provider.provideTextDocumentContent(uri);
      const whole = new Range(new Position(0, 0), document.positionAt(document.getText().length));
      this.change(document, [{ range: whole, newText }]);
    }
  }
}
