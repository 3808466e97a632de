/**
 * The picture of a function in a panel beside the program, drawn by `aquac graph`, new after each save.
 *
 * The panel loads nothing: the picture is an image without scripts, and only the code below may run.
 */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

import type { FunctionChoice } from "./functions";
import { run } from "./processes";
import type { Answer } from "./processes";
import { folderOf } from "./project";
import type { Project } from "./project";
import { find } from "./tools";

export const VIEWS = { sequence: "In time", topology: "By peer", imports: "Imports" } as const;
export type View = keyof typeof VIEWS;

interface Shown {
  readonly choice: FunctionChoice;
  readonly view: View;
}

export class GraphPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private shown: Shown | undefined;
  private picture: { of: Shown; svg: string } | undefined;
  private drawing: AbortController | undefined;
  private readonly saves: vscode.Disposable;

  constructor(
    private readonly project: Project,
    private readonly output: vscode.LogOutputChannel,
  ) {
    this.saves = vscode.workspace.onDidSaveTextDocument((saved) => {
      if (saved.languageId === "aqua" && this.shown !== undefined) {
        void this.draw(this.shown).catch((error: unknown) => this.output.error(String(error)));
      }
    });
  }

  dispose(): void {
    this.saves.dispose();
    this.panel?.dispose();
  }

  /** Draw a function. Rejects with ToolMissing, and with the errors of a program that cannot be drawn. */
  async show(choice: FunctionChoice): Promise<void> {
    const document = await vscode.workspace.openTextDocument(choice.uri);
    if (document.isDirty) {
      await document.save(); // the compiler reads files
    }
    const answer = await this.draw({ choice, view: this.shown?.view ?? "sequence" }, { open: true });
    if (answer !== undefined && !answer.ok && this.panel === undefined) {
      this.output.error(answer.errors);
      throw new Error(`\`${choice.name}\` cannot be drawn: ${answer.errors.split("\n", 1)[0] ?? ""}`);
    }
  }

  /** What the panel holds; undefined without one. */
  html(): string | undefined {
    return this.panel?.webview.html;
  }

  private async draw(shown: Shown, { open = false } = {}): Promise<Answer | undefined> {
    this.drawing?.abort();
    const drawing = new AbortController();
    this.drawing = drawing;
    const answer = await this.graph(shown, "svg", drawing.signal).catch((error: unknown) => {
      if (drawing.signal.aborted) {
        return undefined;
      }
      throw error;
    });
    if (answer === undefined || drawing.signal.aborted) {
      return undefined;
    }
    if (answer.ok) {
      this.picture = { of: shown, svg: answer.output };
      this.shown = shown;
    }
    if (this.panel === undefined && (!open || !answer.ok)) {
      return answer;
    }
    const panel = this.panel ?? this.opened();
    if (answer.ok) {
      panel.title = `${shown.choice.name} – ${VIEWS[shown.view].toLowerCase()}`;
    }
    if (open) {
      panel.reveal(undefined, true);
    }
    panel.webview.html = page({
      nonce: randomBytes(16).toString("base64url"),
      svg: this.picture?.svg ?? "",
      view: (this.shown ?? shown).view,
      problem: answer.ok ? undefined : answer.errors.trim(),
    });
    return answer;
  }

  private async graph(shown: Shown, format: "svg" | "mermaid", stop?: AbortSignal): Promise<Answer> {
    const { uri, name } = shown.choice;
    const args = ["graph", uri.fsPath, ...(await this.project.arguments({ legacyHeaders: true })), "--color", "never"];
    if (shown.view !== "imports") {
      args.push("-f", name);
    }
    return run(find("aquac"), [...args, "--view", shown.view, "--format", format], folderOf(uri), stop);
  }

  private opened(): vscode.WebviewPanel {
    const where = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel("aqua.graph", "Aqua", where, {
      enableScripts: true,
      localResourceRoots: [],
    });
    panel.onDidDispose(() => {
      this.panel = this.shown = this.picture = undefined;
    });
    panel.webview.onDidReceiveMessage((message: unknown) => {
      void this.received(message).catch((error: unknown) => {
        void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
      });
    });
    this.panel = panel;
    return panel;
  }

  private async received(message: unknown): Promise<void> {
    const wanted = typeof message === "object" && message !== null && "want" in message ? message.want : undefined;
    if (this.shown === undefined) {
      return;
    }
    if (wanted === "copy") {
      const answer = await this.graph(this.shown, "mermaid");
      if (answer.ok) {
        await vscode.env.clipboard.writeText(answer.output);
        vscode.window.setStatusBarMessage("The picture is in the clipboard, as Mermaid.", 4000);
      }
    } else if (typeof wanted === "string" && Object.hasOwn(VIEWS, wanted)) {
      await this.draw({ ...this.shown, view: wanted as View });
    }
  }
}

interface Page {
  readonly nonce: string;
  readonly svg: string;
  readonly view: View;
  readonly problem: string | undefined;
}

/** The document of the panel. */
export function page({ nonce, svg, view, problem }: Page): string {
  const buttons = Object.entries(VIEWS)
    .map(([name, title]) => `<button data-want="${name}" aria-pressed="${String(name === view)}">${title}</button>`)
    .join("\n");
  const last = "This is the last picture; the program has errors now.";
  const trouble = problem === undefined ? "" : `<pre class="problem">${last}\n\n${escaped(problem)}</pre>`;
  const own = `'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src ${own}; script-src ${own}; base-uri 'none'; form-action 'none'">
<style nonce="${nonce}">
  body { margin: 0; padding: 8px; }
  nav { position: sticky; top: 0; padding: 4px 0 8px; background: var(--vscode-editor-background); }
  button { border: 0; padding: 4px 10px; color: var(--vscode-button-secondaryForeground);
    background: var(--vscode-button-secondaryBackground); font: inherit; cursor: pointer; }
  button[aria-pressed="true"] { color: var(--vscode-button-foreground); background: var(--vscode-button-background); }
  button:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
  img { display: block; background: #fff; border-radius: 4px; }
  .problem { color: var(--vscode-errorForeground); white-space: pre-wrap; }
</style>
</head>
<body>
<nav>
${buttons}
<button data-want="copy">Copy as Mermaid</button>
</nav>
${trouble}
<img alt="Graph of the function" src="data:image/svg+xml;base64,${Buffer.from(svg, "utf8").toString("base64")}">
<script nonce="${nonce}">
  const editor = acquireVsCodeApi();
  for (const button of document.querySelectorAll("button")) {
    button.addEventListener("click", () => editor.postMessage({ want: button.dataset.want }));
  }
</script>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
