/**
 * Where `aqua-lsp`, `aquac` and `avm` are: where the settings say, else in `.venv` of a workspace folder, else on the PATH.
 * A folder that is not trusted decides nothing.
 */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

export type ToolName = "aqua-lsp" | "aquac" | "avm";

/** The setting that names each tool. */
export const SETTINGS: Readonly<Record<ToolName, string>> = {
  "aqua-lsp": "server.path",
  aquac: "aquac.path",
  avm: "avm.path",
};

/** A tool is not there; the message says what to do. */
export class ToolMissing extends Error {
  readonly setting: string;

  constructor(tool: ToolName, configured: string) {
    const setting = `aqua.${SETTINGS[tool]}`;
    super(
      configured === ""
        ? `\`${tool}\` was not found: install it with \`pip install aquac\`, or set \`${setting}\` to where it is.`
        : `\`${configured}\` of the setting \`${setting}\` is no program: ` +
            `correct it, or leave it empty to have \`${tool}\` looked for.`,
    );
    this.setting = setting;
  }
}

/** Path of a tool. Throws ToolMissing. */
export function find(tool: ToolName): string {
  const configured = vscode.workspace.getConfiguration("aqua").get<string>(SETTINGS[tool], "").trim();
  const name = configured === "" ? tool : expanded(configured);
  const bare = !name.includes("/") && !name.includes(path.sep);
  for (const place of bare ? places().map((folder) => path.join(folder, name)) : [name]) {
    const found = endings()
      .map((ending) => place + ending)
      .find(isProgram);
    if (found !== undefined) {
      return found;
    }
  }
  throw new ToolMissing(tool, configured);
}

function places(): string[] {
  const beside = os.platform() === "win32" ? "Scripts" : "bin";
  const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
  const local = folders.map((folder) => path.join(folder.uri.fsPath, ".venv", beside));
  return [...local, ...(process.env["PATH"] ?? "").split(path.delimiter).filter((place) => place !== "")];
}

function endings(): string[] {
  return os.platform() === "win32" ? ["", ...(process.env["PATHEXT"] ?? ".EXE;.CMD;.BAT").split(";")] : [""];
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A path of the settings with `~` and `${workspaceFolder}` replaced. */
function expanded(text: string): string {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const rooted = root === undefined ? text : text.replaceAll("${workspaceFolder}", root);
  return rooted.startsWith("~/") ? path.join(os.homedir(), rooted.slice(2)) : rooted;
}
