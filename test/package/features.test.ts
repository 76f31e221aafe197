/**
 * What must run on engines without BigInt and ES2015 uses only what these have (design law 7). Syntax that a build can
 * lower is free; what it cannot lower is found here in the syntax tree, and members of built-in objects by their type.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { reachableFrom, SRC } from "./imports.ts";

/** With all that they import. What stands on noble is not for such engines. */
const ENTRIES = [
  "index.ts",
  "wire.ts",
  "keys.ts",
  "sk.ts",
  "storage.ts",
  "resumption.ts",
  "qcd.ts",
  "nat.ts",
  "configuration.ts",
  "esp.ts",
  "crypto/aes-small.ts",
  "crypto/aes-small-inverse.ts",
  "crypto/auth-hmac.ts",
  "crypto/cbc.ts",
  "crypto/ccm.ts",
  "crypto/cmac.ts",
  "crypto/equal.ts",
  "crypto/gcm.ts",
  "crypto/implicit-iv.ts",
  "crypto/prf-hmac.ts",
  "providers/espruino.ts",
  "providers/moddable.ts",
];

/** Of the built-in objects, what Espruino 2v29 has and has right. Its Math.pow is inexact. */
const BUILT_IN: Readonly<Record<string, string>> = {
  "": "Array ArrayBuffer Error Infinity Int32Array Math NaN Object String Uint8Array undefined",
  Array:
    "concat every filter find findIndex forEach includes indexOf isArray join length map pop push reduce reverse shift slice some sort splice unshift",
  // Not slice, which makes a plain array there.
  TypedArray:
    "buffer byteLength byteOffset every fill find findIndex forEach includes indexOf join length reduce set some subarray",
  ArrayBuffer: "byteLength",
  Error: "message name",
  Function: "apply bind call",
  Math: "abs ceil floor max min sign",
  Object: "assign keys toString",
  String:
    "charAt charCodeAt concat fromCharCode includes indexOf length padEnd padStart repeat slice split startsWith substring trim",
};

/** The name under which `BUILT_IN` has the built-in object of an interface of TypeScript's library. */
function builtInOf(name: string): string {
  if (/^(Uint|Int|Float|Big)\w+Array(Constructor)?$/.test(name)) return "TypedArray";
  return name.replace(/^(Readonly|Concat)(?=Array)|Constructor$|Like$/g, "").replace(/^Callable/, "");
}

/** @param samples files that are not there, by their names */
function makeProgram(files: readonly string[], samples: Readonly<Record<string, string>>): ts.Program {
  const { compilerOptions } = ts.readConfigFile(join(SRC, "../tsconfig.json"), ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, join(SRC, ".."));
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (name, target, ...rest) =>
    name in samples ? ts.createSourceFile(name, samples[name]!, target) : read(name, target, ...rest);
  return ts.createProgram(files, { ...options, allowImportingTsExtensions: true, noEmit: true }, host);
}

/** What such an engine does not have, one line each. */
function forbiddenIn(program: ts.Program, source: ts.SourceFile): string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const report = (node: ts.Node, what: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push(`${source.fileName.replace(SRC, "")}:${line + 1}: ${what}`);
  };

  /** Of the property or variable of a built-in object; nothing for our own. */
  const checkSymbol = (node: ts.Node, symbol: ts.Symbol | undefined): void => {
    const declaration = symbol?.declarations?.[0];
    if (!declaration || !program.isSourceFileDefaultLibrary(declaration.getSourceFile())) return;
    const owner = ts.isInterfaceDeclaration(declaration.parent)
      ? builtInOf(declaration.parent.name.text)
      : "";
    if (!BUILT_IN[owner]?.split(" ").includes(symbol!.name))
      report(node, owner ? `${owner}.${symbol!.name}` : symbol!.name);
  };

  /** A build lowers these for arrays; other iterables need Symbol. */
  const checkIterable = (node: ts.Expression, typed: boolean): void => {
    const type = checker.getTypeAtLocation(node);
    for (const part of type.isUnion() ? type.types : [type])
      if (!checker.isArrayLikeType(part) && !(typed && /Array$/.test(part.symbol?.name ?? "")))
        report(node, `iterates over ${checker.typeToString(part)}`);
  };

  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isBigIntLiteral(node)) report(node, "BigInt");
    if (ts.isClassLike(node)) report(node, "class");
    if (ts.isRegularExpressionLiteral(node)) report(node, "regular expression");
    if (ts.isGetAccessor(node) || ts.isSetAccessor(node)) report(node, "accessor");
    if (ts.isLabeledStatement(node)) report(node, "label");
    if (ts.isTaggedTemplateExpression(node)) report(node, "tagged template");
    if (ts.isAwaitExpression(node) || ts.isYieldExpression(node)) report(node, "await or yield");
    if (ts.isFunctionLike(node)) {
      if ("asteriskToken" in node && node.asteriskToken) report(node, "generator");
      if (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Async) report(node, "async");
    }
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind === ts.SyntaxKind.AsteriskAsteriskToken || kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken)
        report(node, "** becomes Math.pow");
      if (kind === ts.SyntaxKind.InstanceOfKeyword && node.right.getText(source) !== "Uint8Array")
        report(node, `instanceof ${node.right.getText(source)}`);
    }
    if (ts.isForOfStatement(node)) checkIterable(node.expression, true);
    if (ts.isSpreadElement(node)) checkIterable(node.expression, false);
    if (ts.isArrayBindingPattern(node) && ts.isVariableDeclaration(node.parent) && node.parent.initializer)
      checkIterable(node.parent.initializer, false);
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && !node.dotDotDotToken) {
      const name = (node.propertyName ?? node.name).getText(source);
      checkSymbol(node, checker.getTypeAtLocation(node.parent).getProperty(name));
    }
    if (ts.isPropertyAccessExpression(node)) {
      checkSymbol(node, checker.getSymbolAtLocation(node.name));
      visit(node.expression);
      return;
    }
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (!ts.isBindingElement(node.parent) && !ts.isPropertyAssignment(node.parent))
        checkSymbol(node, symbol);
      // Not hoisted there.
      const declaration = symbol?.valueDeclaration;
      if (
        declaration?.getSourceFile() === source &&
        node.pos < declaration.pos &&
        !ts.isParameter(declaration)
      )
        report(node, `${node.text} before its definition`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** One of each. */
const LACKING = [
  "export const a = 1n;",
  "export const a = BigInt(1);",
  "export const a = new Map();",
  "export const a = new Set([1]);",
  "export const a = new WeakMap();",
  "export const a = Symbol.iterator;",
  "export const a = Object.freeze([]);",
  "export const a = Uint8Array.from([1]);",
  "export const a = Array.of(1);",
  "export const a = new Uint8Array(4).slice(1);",
  "export const a = (b: Uint8Array) => b?.slice(1);",
  "export const a = ({ slice }: Uint8Array) => slice;",
  "export const a = Math.imul(2, 3);",
  "export const a = Math.trunc(2);",
  "export const { clz32 } = Math;",
  "export const a = Math.pow(2, 3);",
  "export const a = (b: number) => b ** 2;",
  "export const a = [[1]].flatMap((b) => b);",
  "export const a = (b: number[]) => [...b.entries()];",
  "export const a = (b: Uint8Array) => [...b];",
  "export const a = (b: Uint8Array) => Math.max(...b);",
  "export const a = (b: string) => { for (const c of b) return c; return b; };",
  "export const a = () => b(); function b() {}",
  "export const a = () => b; const b = 1;",
  "export class A {}",
  "export const a = (b: unknown) => b instanceof Error;",
  "export function* a() { yield 1; }",
  "export async function a() {}",
  "export const a = new RangeError();",
  "export const a = /b/;",
  "export const a = Promise.resolve();",
  "export const a = (b: ArrayBuffer) => b.slice(1);",
  "export const a = { get b() { return 1; } };",
];

const files = reachableFrom(ENTRIES).map((file) => join(SRC, file));
/** It runs on nothing but Espruino. */
const badge = ["board", "device", "main", "settings", "tickets"].map((name) =>
  join(SRC, `../examples/espruino/${name}.ts`),
);
const samples = Object.fromEntries(LACKING.map((text, i) => [`/sample-${i}.ts`, text]));
const program = makeProgram([...files, ...badge, ...Object.keys(samples)], samples);
const forbidden = (file: string): string[] => forbiddenIn(program, program.getSourceFile(file)!);

test("what must reach small engines uses nothing that they lack", () => {
  assert.equal(files.length > 60, true, `${files.length} files`);
  assert.deepEqual([...files, ...badge].flatMap(forbidden), []);
});

test("each of what they lack would be found", () => {
  for (const [name, text] of Object.entries(samples)) assert.notDeepEqual(forbidden(name), [], text);
});
