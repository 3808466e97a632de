/** Enumerations of the `vscode` module, read from its own declarations. */

import { readFileSync } from "node:fs";
import * as ts from "typescript";

/** Name of an enumeration → its members, in both directions. */
export function enumerations(declarations: string): Record<string, Record<string, number | string>> {
  const file = ts.createSourceFile("vscode.d.ts", readFileSync(declarations, "utf8"), ts.ScriptTarget.ES2022);
  const found: Record<string, Record<string, number | string>> = {};
  const visit = (node: ts.Node): void => {
    if (ts.isEnumDeclaration(node)) {
      const members: Record<string, number | string> = {};
      let next = 0;
      for (const member of node.members) {
        const text = member.initializer?.getText(file);
        const value = text === undefined ? next : Number(text);
        if (Number.isNaN(value)) {
          throw new Error(`${node.name.text}.${member.name.getText(file)} is no number`);
        }
        members[member.name.getText(file)] = value;
        members[String(value)] = member.name.getText(file);
        next = value + 1;
      }
      found[node.name.text] = members;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
