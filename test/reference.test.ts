/** The API reference is whole: every public export, method and option says what it is in a docstring. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-messages";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The entry points of the package, by their files. */
const entries = {
  sardonyx: "src/index.ts",
  "sardonyx/node": "src/node.ts",
  "sardonyx/web": "src/web/index.ts",
  "sardonyx/analyze": "src/analyze/index.ts",
};

const program = ts.createProgram(
  Object.values(entries).map((path) => join(root, path)),
  {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    // Docstrings do without the types of browsers and of Node.
    lib: ["lib.es2023.d.ts"],
    types: [],
  },
);
const checker = program.getTypeChecker();

/** What an exported name stands for, through re-exports. */
const target = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

/** Whether a namespace or a destructured name has a docstring, which TypeScript does not look for in such places. */
const isDocumentedThere = (declaration: ts.Declaration) => {
  if (ts.isNamespaceExport(declaration)) return ts.getJSDocCommentsAndTags(declaration.parent).length > 0;
  return ts.isBindingElement(declaration) && declaration.getFullText().trim().startsWith("/**");
};

/** Whether a symbol has a docstring, of its own or of the member that it overrides. */
const isDocumented = (symbol: ts.Symbol) =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== "" ||
  (symbol.declarations ?? []).some(isDocumentedThere);

/** Whether `src/` declares a symbol. What a schema of zod declares is described there, and in the docstring of its type. */
const isOurs = (symbol: ts.Symbol) =>
  (symbol.declarations ?? []).some((declaration) => {
    const { fileName } = declaration.getSourceFile();
    return /\/src\//.test(fileName) && !/node_modules/.test(fileName) && !ts.isPropertyAssignment(declaration);
  });

const isPublic = (symbol: ts.Symbol) =>
  !symbol.name.startsWith("__") &&
  !symbol.name.startsWith("#") &&
  (symbol.declarations ?? []).every(
    (declaration) =>
      !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)),
  );

/** The public members that a symbol's own declarations give it: methods of classes, properties of types. */
function membersOf(symbol: ts.Symbol): readonly ts.Symbol[] {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const members = checker.getPropertiesOfType(type).filter((member) => isOurs(member) && isPublic(member));
  if (!(symbol.flags & ts.SymbolFlags.Class)) return members;
  const statics = [...(symbol.exports?.values() ?? [])].filter(
    (member) => member.flags & ts.SymbolFlags.Method && isPublic(member),
  );
  return [...members.filter((member) => member.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor)), ...statics];
}

/** Whether each property of a type is an option, whose meaning and default a reader needs. */
const isOptions = (symbol: ts.Symbol) =>
  !!(symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) && /(Options|Settings)$/.test(symbol.name);

/** Whether a symbol is an operator's definition, such as `ops.MatMul`, which the reference leaves out: readers call `ops.matmul`. */
const isDefinition = (symbol: ts.Symbol) =>
  !!(symbol.flags & ts.SymbolFlags.Variable) && checker.typeToString(checker.getTypeOfSymbol(symbol)) === "OpDef";

/** The names below an export that lack a docstring, its own first. */
function missing(exported: ts.Symbol, name: string): readonly string[] {
  const symbol = target(exported);
  if (!isOurs(symbol) || isDefinition(symbol)) return [];
  const own = isDocumented(symbol) || isDocumented(exported) ? [] : [name];
  if (symbol.flags & ts.SymbolFlags.ValueModule)
    return [...own, ...checker.getExportsOfModule(symbol).flatMap((each) => missing(each, `${name}.${each.name}`))];
  if (!(symbol.flags & ts.SymbolFlags.Class) && !isOptions(symbol)) return own;
  const members = membersOf(symbol).filter((member) => !isDocumented(member));
  return [...own, ...members.map((member) => `${name}.${member.name}`)];
}

test.each(Object.entries(entries))("every public name of %s has a docstring", (_, path) => {
  const file = program.getSourceFile(join(root, path));
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) expect.fail(`internal: ${path} is not a module`);
  const exports = checker.getExportsOfModule(module);
  expect(exports.length).toBeGreaterThan(10);
  expect(exports.flatMap((exported) => missing(exported, exported.name))).toEqual([]);
});

/** The functions of `ops` by the file that they stand in, whose opening comment says what they are. */
function operatorIndex(): string {
  const file = program.getSourceFile(join(root, "src/ops/index.ts"));
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) expect.fail("internal: src/ops/index.ts is not a module");
  const families = new Map<string, string[]>();
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = target(exported);
    const [declaration] = symbol.declarations ?? [];
    const [signature] = declaration ? checker.getTypeOfSymbol(symbol).getCallSignatures() : [];
    if (!declaration || !signature || isDefinition(symbol)) continue;
    const source = declaration.getSourceFile();
    const [, opening = source.fileName] = /^\/\*\*\s*\*?\s*([\s\S]*?)\s*\*\//.exec(source.text) ?? [];
    const title = sentence(opening.replace(/\s*\n\s*\*\s*/g, " "));
    const own = families.get(title) ?? [];
    families.set(title, own);
    const parameters = signature.getParameters().map(({ name }) => (name.startsWith("__") ? "{ … }" : name));
    const said = sentence(ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, " "));
    own.push(`| \`${exported.name}(${parameters.join(", ")})\` | ${said.replaceAll("|", "\\|")} |`);
  }
  const parts = [...families].map(
    ([title, rows]) =>
      `## ${title.replace(/\.$/, "")}\n\n| Call | What it gives |\n| --- | --- |\n${rows.sort().join("\n")}`,
  );
  return `# Operators

What layers, losses and functions for \`jit\` are written in: \`import { ops } from "sardonyx"\`, then \`ops.add(x, y)\`. Each takes and gives values of a graph;
numbers stand for scalars. What models of ONNX have beside: [onnx-operators.md](onnx-operators.md). This
page is written by \`npx vitest run test/reference.test.ts -u\`.

${parts.join("\n\n")}
`;
}

/** The first sentence of a text. */
const sentence = (text: string): string => /^.*?(?:\.(?= [A-Z`]|$)|$)/s.exec(text.trim())?.[0] ?? "";

test("the index of operators is that of the code", async () => {
  const page = operatorIndex();
  expect(page.match(/^\| `/gm)?.length).toBeGreaterThan(100);
  await expect(page).toMatchFileSnapshot("../docs/operators.md");
});
