/** The AIR of a function in a read-only document beside the program, new after each save. */

import * as vscode from "vscode";

import type { FunctionChoice } from "./functions";
import type { Server } from "./server";

const SCHEME = "aqua-air";

export class AirDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly lastGood = new Map<string, string>();
  private readonly parts: vscode.Disposable[];

  constructor(private readonly server: Server) {
    this.parts = [
      this.changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidSaveTextDocument((saved) => {
        if (saved.languageId === "aqua") {
          this.refresh();
        }
      }),
      vscode.workspace.onDidCloseTextDocument((closed) => this.lastGood.delete(closed.uri.toString())),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.parts).dispose();
  }

  /** Show the AIR of a function. */
  async show(choice: FunctionChoice): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${choice.name}.air`, query: choice.uri.toString() });
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: true });
  }

  /** Ask again for every script on the screen. */
  refresh(): void {
    for (const document of vscode.workspace.textDocuments) {
      if (document.uri.scheme === SCHEME) {
        this.changed.fire(document.uri);
      }
    }
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const name = uri.path.slice(1, -".air".length);
    const script = await this.server.execute<string | null>("aqua.showAir", uri.query, name);
    if (script !== null) {
      this.lastGood.set(uri.toString(), script);
      return script;
    }
    const before = this.lastGood.get(uri.toString());
    return before === undefined
      ? `; \`${name}\` has no AIR: the program has errors, or does not export it.\n`
      : `; The program has errors, or no longer exports \`${name}\`. This is its last AIR.\n${before}`;
  }
}
