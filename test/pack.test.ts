/** The package that is published carries the documents that its README and they themselves link to, and installs without a script. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { linksOf } from "./markdown.ts";

/** Files that npm would pack, without the engine and what is compiled, which take it most of a minute. */
function packedFiles(): ReadonlySet<string> {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-pack-"));
  const { bundleDependencies: _, ...manifest } = JSON.parse(readFileSync("package.json", "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  for (const name of ["README.md", "README.zh-CN.md", "SECURITY.md", "bin", "docs", "recipes"])
    cpSync(name, join(folder, name), { recursive: true, filter: (path) => !path.includes("node_modules") });
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: folder,
    encoding: "utf8",
  });
  const [{ files }] = JSON.parse(text) as [{ readonly files: readonly { readonly path: string }[] }];
  return new Set(files.map(({ path }) => path));
}

test("links of the packed documents lead to packed files", () => {
  const packed = packedFiles();
  const documents = [...packed].filter((path) => path.endsWith(".md"));
  expect(documents).toContain("README.md");
  expect(documents).toContain("docs/handbook/README.md");
  expect([...packed].filter((path) => path.startsWith("docs/api/"))).toEqual([]);
  const targets = documents.flatMap((path) =>
    linksOf(path).map((link) => [path, normalize(join(dirname(path), link))] as const),
  );
  const isThere = (target: string) => packed.has(target) || [...packed].some((path) => path.startsWith(`${target}/`));
  // Of the repository alone is how it is made, tested and measured.
  const isOfRepository = (path: string, target: string) =>
    !path.startsWith("README") && /^(src|test|scripts|bench|fuzz)\b/.test(target);
  const missing = targets.filter(([path, target]) => !isThere(target) && !isOfRepository(path, target));
  expect(missing.map(([path, target]) => `${path}: ${target}`)).toEqual([]);
}, 60_000);

test("what has a script when it is installed travels in the package, where it has none", () => {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Readonly<
      Record<string, { dev?: boolean; peer?: boolean; hasInstallScript?: boolean; inBundle?: boolean }>
    >;
  };
  const scripted = Object.entries(lock.packages).filter(([, own]) => own.hasInstallScript && !own.dev && !own.peer);
  expect(scripted.map(([path]) => path)).toContain("node_modules/esbuild");
  // npm 11 warns of each that is not in the bundle; scripts/pack.mjs takes those in it out of their package.json.
  expect(scripted.filter(([, { inBundle }]) => !inBundle).map(([path]) => path)).toEqual([]);
  const { bundleDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(bundleDependencies).toEqual(["onnxruntime-node", "tsx"]);
  // In a project tsx is a dependency of its own, and esbuild comes with it.
  expect(readFileSync("templates/shared/_npmrc", "utf8")).toMatch(/^ignore-scripts=true$/m);
});
