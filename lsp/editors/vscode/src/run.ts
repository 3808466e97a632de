/** Runs of a function with `avm run`, as a task: in a terminal, without a shell between. */

import * as vscode from "vscode";

import { parameters } from "./functions";
import type { FunctionChoice } from "./functions";
import { folderOf } from "./project";
import type { Project } from "./project";
import { find } from "./tools";

export const TASK_TYPE = "aqua";

interface RunDefinition extends vscode.TaskDefinition {
  readonly type: typeof TASK_TYPE;
  readonly file: string;
  readonly call: string;
  readonly relay?: string;
  readonly arguments?: readonly string[];
}

export class Runs implements vscode.TaskProvider {
  constructor(
    private readonly project: Project,
    private readonly memory: vscode.Memento,
  ) {}

  /** Ask for the arguments and run; undefined if the user gives up. Rejects with ToolMissing. */
  async run(choice: FunctionChoice): Promise<vscode.TaskExecution | undefined> {
    find("avm"); // before anything is asked
    const document = await vscode.workspace.openTextDocument(choice.uri);
    if (document.isDirty && !(await document.save())) {
      return undefined;
    }
    const given = await this.arguments(choice);
    if (given === undefined) {
      return undefined;
    }
    const definition = { type: TASK_TYPE, file: choice.uri.fsPath, call: `${choice.name}(${given})` } as const;
    return vscode.tasks.executeTask(await this.task(definition, vscode.workspace.getWorkspaceFolder(choice.uri)));
  }

  /** None are offered: calls have arguments that nobody knows. */
  provideTasks(): vscode.Task[] {
    return [];
  }

  /** A task of `tasks.json`. */
  async resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const { file, call } = task.definition as Partial<RunDefinition>;
    if (typeof file !== "string" || typeof call !== "string") {
      return undefined;
    }
    const folder = typeof task.scope === "object" ? task.scope : vscode.workspace.workspaceFolders?.[0];
    // The definition of the task must stay what it is: it is how the editor knows it again.
    return this.task(task.definition as RunDefinition, folder);
  }

  private async task(definition: RunDefinition, folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Task> {
    const settings = vscode.workspace.getConfiguration("aqua");
    const args = [
      "run",
      definition.file,
      "-f",
      definition.call,
      "--relay",
      definition.relay ?? settings.get<string>("run.relay", "local"),
      ...(await this.project.arguments({ legacyHeaders: false })),
      ...(definition.arguments ?? settings.get<string[]>("run.arguments", [])),
    ];
    const cwd = folder?.uri.fsPath ?? folderOf(vscode.Uri.file(definition.file));
    const task = new vscode.Task(
      definition,
      folder ?? vscode.TaskScope.Workspace,
      definition.call,
      TASK_TYPE,
      new vscode.ProcessExecution(find("avm"), args, { cwd }),
      [],
    );
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Shared, clear: true };
    return task;
  }

  private async arguments(choice: FunctionChoice): Promise<string | undefined> {
    const wanted = choice.signature === undefined ? undefined : parameters(choice.signature);
    if (wanted === "") {
      return "";
    }
    const key = `arguments ${choice.uri.toString()} ${choice.name}`;
    const given = await vscode.window.showInputBox({
      title: `Run ${choice.name}(${wanted ?? "…"})`,
      prompt: 'Arguments as in Aqua: numbers, "texts", ["lists"], and peers by name: client, relay, peer1 …',
      value: this.memory.get<string>(key, ""),
      ignoreFocusOut: true,
    });
    if (given !== undefined) {
      await this.memory.update(key, given);
    }
    return given;
  }
}
