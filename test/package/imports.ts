/** Which file of src/ imports which. */

import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

export const SRC: string = new URL("../../src/", import.meta.url).pathname;

/** The imports that are there when the program runs; types may speak of each other. */
export function valueImportsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(SRC, file), "utf8"), ts.ScriptTarget.ES2020);
  return source.statements
    .filter((statement) => ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
    .filter((statement) =>
      ts.isImportDeclaration(statement) ? !statement.importClause?.isTypeOnly : !statement.isTypeOnly,
    )
    .map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral | undefined)?.text ?? "")
    .filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(file), name)));
}

/** The files that a program carries which imports these. */
export function reachableFrom(entries: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    valueImportsOf(file).forEach(visit);
  };
  entries.forEach(visit);
  return [...found].sort();
}
