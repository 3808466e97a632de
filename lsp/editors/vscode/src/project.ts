/** The settings of a project as arguments of `aquac` and `avm`, so that they find what the language server finds. */

import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

/** Writes the import map of the settings where a command can read it. */
export class Project {
  constructor(private readonly storage: vscode.Uri) {}

  /** `-I`, `--imports` and `--const`, and `--legacy-headers` for a tool that knows it. */
  async arguments(options: { legacyHeaders: boolean }): Promise<string[]> {
    const settings = vscode.workspace.getConfiguration("aqua");
    const roots = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    const found: string[] = [];
    for (const folder of settings.get<string[]>("importFolders", [])) {
      const seen = roots.length > 0 && !path.isAbsolute(folder) ? roots.map((root) => path.join(root, folder)) : [folder];
      found.push(...seen.flatMap((place) => ["-I", place]));
    }
    found.push(...roots.flatMap((root) => ["-I", root]));
    const imports = settings.get<object>("imports", {});
    if (Object.keys(imports).length > 0) {
      found.push("--imports", await this.importMap(imports));
    }
    found.push(...settings.get<string[]>("constants", []).map((constant) => `--const=${constant}`));
    if (options.legacyHeaders && settings.get<boolean>("legacyHeaders", false)) {
      found.push("--legacy-headers");
    }
    return found;
  }

  private async importMap(imports: object): Promise<string> {
    const file = path.join(this.storage.fsPath, "imports.json");
    await fs.mkdir(this.storage.fsPath, { recursive: true });
    await fs.writeFile(file, JSON.stringify(imports));
    return file;
  }
}

/** Folder in which a command about a file is started. */
export function folderOf(uri: vscode.Uri): string {
  return vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? path.dirname(uri.fsPath);
}
