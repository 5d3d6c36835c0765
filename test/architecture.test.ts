/** The one-way rule of the folders (DESIGN.md), held against every import; and what every source file must have. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Folders of src/ and what each may import, type imports too: the table of docs/architecture.md. */
const table = Array.from(
  readFileSync(join(root, "docs/architecture.md"), "utf8").matchAll(/^\| `([a-z]+)\/` \|.*\| ([a-z, -]+) \|$/gm),
  ([, folder = "", allowed = ""]) => [folder, allowed === "-" ? [] : allowed.split(", ")] as const,
);
const mayImport: Readonly<Record<string, readonly string[]>> = Object.fromEntries(table);
/** Folders and entry files that may import everything. */
const unrestricted = [
  "index.ts",
  "node.ts",
  ...table.filter(([, allowed]) => allowed[0] === "all").map(([name]) => name),
];

/** Packages that run in Node only. */
const nodePackages = ["onnxruntime-node", "sharp", "cli-progress", "commander", "koffi", "tsx", "ws"];
/** Files that may import Node modules, beside *.node.ts and tests. */
const nodeFiles = ["src/runtime/node.ts", "src/node.ts"];

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/node_modules|fixtures/.test(path));

/** Whether a file is part of a test: tests may import anything. */
const isTest = (path: string) => /\.test\.ts$|\/testing\//.test(path);

/** Specifiers of static, type, re-exporting and dynamic imports. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements =
    /^\s*(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/gm;
  return Array.from(code.matchAll(statements), (match) => match[1] ?? match[2] ?? "");
}

const sources = filesUnder("src").map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const local = importsOf(text)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => relative(root, join(root, dirname(path), specifier)));
  return { path, text, folder: path.split("/")[1] as string, local, imports: importsOf(text) };
});
const product = sources.filter(({ path }) => !isTest(path));
const folderOf = (path: string) => (path.startsWith("src/") ? (path.split("/")[1] as string) : path);

test("the import reader sees every form", () => {
  const text = `import a from "a";\nimport type { b } from 'b';\nimport {\n  c,\n} from "c";\nimport "d";\nexport * from "e";
export type { f } from "f";\nconst g = await import("g");\n// import h from "h";\n/** import i from "i"; */\nexport const j = "from";`;
  expect(importsOf(text)).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});

test("every folder of src/ is in the table", () => {
  expect(table.length).toBeGreaterThan(10);
  const known = [...Object.keys(mayImport), ...unrestricted];
  expect([...new Set(sources.map(({ folder }) => folder))].filter((folder) => !known.includes(folder))).toEqual([]);
});

describe("a folder imports only what its row allows", () => {
  test.each(product.map((file) => [file.path, file] as const))("%s", (_, { folder, local }) => {
    if (unrestricted.includes(folder)) return;
    const allowed = [folder, ...(mayImport[folder] ?? [])];
    expect(local.filter((path) => !allowed.includes(folderOf(path)))).toEqual([]);
  });
});

test("the table itself has no cycle: each row names earlier folders only", () => {
  const order = Object.keys(mayImport);
  const below = (folder: string): ReadonlySet<string> =>
    new Set((mayImport[folder] ?? []).flatMap((other) => [other, ...below(other)]));
  expect(order.filter((folder) => below(folder).has(folder))).toEqual([]);
});

test("no import cycle between folders", () => {
  const edges = new Map<string, Set<string>>();
  for (const { folder, local } of product)
    for (const path of local)
      if (folderOf(path) !== folder) edges.set(folder, (edges.get(folder) ?? new Set()).add(folderOf(path)));
  const visit = (folder: string, trail: readonly string[]): void => {
    if (trail.includes(folder)) expect.fail(`import cycle: ${[...trail, folder].join(" -> ")}`);
    for (const next of edges.get(folder) ?? []) visit(next, [...trail, folder]);
  };
  for (const folder of edges.keys()) visit(folder, []);
});

test("only *.node.ts, runtime/node.ts and cli/ import Node's modules and Node-only packages", () => {
  const isNodeOnly = (specifier: string) =>
    specifier.startsWith("node:") ||
    builtinModules.includes(specifier) ||
    nodePackages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  const offenders = product
    .filter(({ path, folder }) => folder !== "cli" && !path.endsWith(".node.ts") && !nodeFiles.includes(path))
    .flatMap(({ path, imports }) => imports.filter(isNodeOnly).map((specifier) => `${path} imports ${specifier}`));
  expect(offenders).toEqual([]);
});

test("only tests import tests, cases and testing helpers", () => {
  const offenders = product
    .filter(({ path }) => !path.endsWith(".cases.ts"))
    .flatMap(({ path, local }) =>
      local.filter((other) => isTest(other) || other.endsWith(".cases.ts")).map((other) => `${path} imports ${other}`),
    );
  expect(offenders).toEqual([]);
});

test("no operator is named outside ops/: no switch on a node's type", () => {
  const offenders = product.filter(({ folder, text }) => folder !== "ops" && /switch \([^)]*op\.type/.test(text));
  expect(offenders.map(({ path }) => path)).toEqual([]);
});

const every = ["src", "test", "recipes", "scripts", "bin", "site"].flatMap(filesUnder);

test("no file is longer than 500 lines", () => {
  const long = every
    .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > 500);
  expect(long).toEqual([]);
});

test("every file opens by saying what it owns", () => {
  const opening = /^(#!.*\n)?(\/\*\*\s*(?:\*\s)?\s*\S|\/\/ \S)/;
  expect(every.filter((path) => !opening.test(readFileSync(join(root, path), "utf8")))).toEqual([]);
});
