/** The package that is published carries the documents that its README and they themselves link to. */
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
