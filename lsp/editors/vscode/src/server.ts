/** The language server: started with the first document, started again on command and when its settings change. */

import * as vscode from "vscode";
import { ExecuteCommandRequest, LanguageClient, State, TransportKind } from "vscode-languageclient/node";
import type { LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";

import { find } from "./tools";

const SELECTOR = [
  { scheme: "file", language: "aqua" },
  { scheme: "file", language: "air" },
];

/** Commands of this extension under names that the server may execute, too: lenses name them, and this extension answers. */
const OWN_COMMANDS: ReadonlySet<string> = new Set(["aqua.run", "aqua.showAir", "aqua.showGraph"]);

const NOT_RUNNING = "aqua-lsp is not running";
const { Error: ERROR, Information: INFORMATION } = vscode.LanguageStatusSeverity;

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private turn: Promise<void> = Promise.resolve();
  private readonly status: vscode.LanguageStatusItem;

  constructor(readonly output: vscode.LogOutputChannel) {
    this.status = vscode.languages.createLanguageStatusItem("aqua.server", SELECTOR);
    this.status.name = "Aqua";
    this.status.command = { command: "aqua.showOutput", title: "Output" };
    this.say(NOT_RUNNING, INFORMATION);
  }

  /** Start the server, or end it and start it again. Rejects with ToolMissing, and when the server does not come up. */
  restart(): Promise<void> {
    return this.afterwards(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** End the server. */
  stop(): Promise<void> {
    return this.afterwards(() => this.end());
  }

  dispose(): void {
    this.status.dispose();
  }

  /** Have the server execute one of its commands. Rejects if it is not running. */
  async execute<T>(command: string, ...args: unknown[]): Promise<T> {
    await this.turn;
    if (this.client === undefined) {
      throw new Error(`${NOT_RUNNING}: see the output of Aqua, and the command “Aqua: Restart Language Server”.`);
    }
    return (await this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: args })) as T;
  }

  /** One start or end at a time; whoever asks waits for those before, whatever became of them. */
  private afterwards(step: () => Promise<void>): Promise<void> {
    const next = this.turn.then(step);
    this.turn = next.catch(() => undefined);
    return next;
  }

  private async begin(): Promise<void> {
    const settings = vscode.workspace.getConfiguration("aqua");
    this.say(NOT_RUNNING, ERROR);
    const command = find("aqua-lsp");
    const cwd = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    const server: ServerOptions = {
      command,
      args: settings.get<string[]>("server.arguments", []),
      transport: TransportKind.stdio,
      ...(cwd === undefined ? {} : { options: { cwd } }),
    };
    this.output.info(`starting ${command}`);
    const client = new LanguageClient("aqua", "Aqua", server, this.options());
    keepOwnCommands(client);
    client.onDidChangeState(({ newState }) => {
      this.status.busy = newState === State.Starting;
      if (newState === State.Running) {
        this.say(`aqua-lsp ${client.initializeResult?.serverInfo?.version ?? ""}`.trim(), INFORMATION);
      } else {
        const stopped = newState === State.Stopped;
        this.say(stopped ? NOT_RUNNING : "aqua-lsp starts", stopped ? ERROR : INFORMATION);
      }
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.client = undefined;
      this.say(NOT_RUNNING, ERROR);
      throw new Error(`\`${command}\` does not answer as a language server: see the output of Aqua.`, { cause: error });
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) {
      await client.stop();
    }
    await client?.dispose();
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.output,
      synchronize: { configurationSection: "aqua" },
      initializationOptions: vscode.workspace.getConfiguration("aqua"),
    };
  }

  private say(text: string, severity: vscode.LanguageStatusSeverity): void {
    this.status.text = text;
    this.status.severity = severity;
  }
}

/** The client would take the names of commands that this extension has taken already, and fail. */
function keepOwnCommands(client: LanguageClient): void {
  const feature = client.getFeature(ExecuteCommandRequest.method);
  const register = feature.register.bind(feature);
  feature.register = (data) => {
    const commands = data.registerOptions.commands.filter((command) => !OWN_COMMANDS.has(command));
    register({ ...data, registerOptions: { ...data.registerOptions, commands } });
  };
}
