/** What VS Code starts: the language server, and the commands around it. */

import * as vscode from "vscode";

import { AirDocuments } from "./air";
import { chosen } from "./functions";
import { GraphPanel } from "./graph";
import { Project } from "./project";
import { Runs, TASK_TYPE } from "./run";
import { Server } from "./server";
import { ToolMissing } from "./tools";

/** What other extensions, and tests, may ask. */
export interface AquaApi {
  /** Resolves when the first start of the server has ended, well or not. */
  readonly started: Promise<void>;
  /** The page of the graph panel; undefined without one. */
  graph(): string | undefined;
}

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): AquaApi {
  const output = vscode.window.createOutputChannel("Aqua", { log: true });
  const started = new Server(output);
  server = started;
  const project = new Project(context.storageUri ?? context.globalStorageUri);
  const scripts = new AirDocuments(started);
  const graphs = new GraphPanel(project, output);
  const runs = new Runs(project, context.workspaceState);

  const command = (name: string, body: (...args: unknown[]) => Promise<unknown>): vscode.Disposable =>
    vscode.commands.registerCommand(name, (...args: unknown[]) => reported(output, () => body(...args)));

  context.subscriptions.push(
    output,
    started,
    scripts,
    graphs,
    command("aqua.showAir", async (...args) => {
      const choice = await chosen(args);
      return choice === undefined ? undefined : scripts.show(choice);
    }),
    command("aqua.showGraph", async (...args) => {
      const choice = await chosen(args);
      return choice === undefined ? undefined : graphs.show(choice);
    }),
    command("aqua.run", async (...args) => {
      const choice = await chosen(args);
      return choice === undefined ? undefined : runs.run(choice);
    }),
    command("aqua.restart", () => started.restart()),
    command("aqua.showOutput", async () => output.show(true)),
    vscode.tasks.registerTaskProvider(TASK_TYPE, runs),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("aqua.server")) {
        void reported(output, () => started.restart());
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void reported(output, () => started.restart())),
  );
  return {
    started: reported(output, () => started.restart()).then(() => undefined),
    graph: () => graphs.html(),
  };
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** Do something; what goes wrong is told in one message, with the way to its remedy. */
async function reported(output: vscode.LogOutputChannel, body: () => Promise<unknown>): Promise<unknown> {
  try {
    return await body();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    output.error(message, ...(error instanceof Error && error.cause !== undefined ? [error.cause] : []));
    const setting = error instanceof ToolMissing ? error.setting : undefined;
    const remedy = setting === undefined ? "Show Output" : "Open Settings";
    // Not awaited: a message stays until it is closed.
    void vscode.window.showErrorMessage(message, remedy).then((answer) => {
      if (answer === "Show Output") {
        output.show(true);
      } else if (answer !== undefined) {
        void vscode.commands.executeCommand("workbench.action.openSettings", setting);
      }
    });
    return undefined;
  }
}
