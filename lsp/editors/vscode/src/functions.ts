/** Functions that a command can be about: the exported ones, as the lenses of the server name them. */

import * as vscode from "vscode";

/** A function under the name it is exported by. */
export interface FunctionChoice {
  readonly uri: vscode.Uri;
  readonly name: string;
  /** The rest of its first line, e.g. `(peer: string) -> bool`; undefined where it is not known. */
  readonly signature: string | undefined;
  readonly line: number | undefined;
}

/** The function that a lens names, or that the user picks of the file in the active editor; undefined if there is none. */
export async function chosen(args: readonly unknown[]): Promise<FunctionChoice | undefined> {
  const [target, name] = args;
  if (typeof target === "string" && typeof name === "string") {
    const uri = vscode.Uri.parse(target);
    return (await exported(uri)).find((f) => f.name === name) ?? { uri, name, signature: undefined, line: undefined };
  }
  // A menu gives the file, the palette nothing.
  const editor = vscode.window.activeTextEditor;
  const uri = target instanceof vscode.Uri ? target : editor?.document.uri;
  if (uri === undefined || (editor?.document.uri.toString() === uri.toString() && editor.document.languageId !== "aqua")) {
    throw new Error("This command is about a function of an Aqua file: open one.");
  }
  const functions = await exported(uri);
  if (functions.length === 0) {
    throw new Error("This file exports no function: write `export NAME` below its header.");
  }
  if (functions.length === 1) {
    return functions[0];
  }
  return pick(functions, editor?.document.uri.toString() === uri.toString() ? editor.selection.active.line : -1);
}

async function pick(functions: FunctionChoice[], line: number): Promise<FunctionChoice | undefined> {
  // The one around the cursor comes first, so that Enter takes it.
  const here = functions.filter((f) => f.line !== undefined && f.line <= line).at(-1);
  const sorted = here === undefined ? functions : [here, ...functions.filter((f) => f !== here)];
  const items = sorted.map((f) => ({ label: f.name, description: f.signature ?? "", of: f }));
  return (await vscode.window.showQuickPick(items, { placeHolder: "Function" }))?.of;
}

async function exported(uri: vscode.Uri): Promise<FunctionChoice[]> {
  await vscode.workspace.openTextDocument(uri);
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[] | undefined>("vscode.executeCodeLensProvider", uri);
  const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
    "vscode.executeDocumentSymbolProvider",
    uri,
  );
  const functions = (symbols ?? []).filter((symbol) => symbol.kind === vscode.SymbolKind.Function);
  const found: FunctionChoice[] = [];
  for (const lens of lenses ?? []) {
    const name: unknown = lens.command?.arguments?.[1];
    if (lens.command?.command === "aqua.run" && typeof name === "string") {
      const line = lens.range.start.line;
      const symbol = functions.find((s) => s.selectionRange.start.line === line);
      found.push({ uri, name, signature: symbol?.detail || undefined, line });
    }
  }
  // Without lenses (they can be turned off) every function is offered; the tools tell if one is not exported.
  return found.length > 0
    ? found
    : functions.map((s) => ({ uri, name: s.name, signature: s.detail || undefined, line: s.selectionRange.start.line }));
}

/** Text between the parentheses of a signature; undefined if they do not close in it. */
export function parameters(signature: string): string | undefined {
  const start = signature.indexOf("(");
  let depth = 0;
  for (let at = start; at >= 0 && at < signature.length; at++) {
    const char = signature[at];
    depth += char === "(" ? 1 : char === ")" ? -1 : 0;
    if (depth === 0) {
      return signature.slice(start + 1, at).trim();
    }
  }
  return undefined;
}
