/** The ten programs of docs/curriculum.md: each runs, reaches what it claims and type-checks. Two need packages of `published/`. */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectedLines, typeErrors } from "./documented-programs.ts";
import { blocks } from "./markdown.ts";
import { startPrograms } from "./programs.ts";

const page = "docs/curriculum.md";
const packages = join(process.cwd(), "test/published/node_modules");
const programs = blocks(page, "ts").map((code, i) => [i + 1, code] as const);
const isPublished = (code: string) => /"(nsfwjs|@energetic-ai)\//.test(code);
const runnable = programs.filter(([, code]) => existsSync(packages) || !isPublished(code));

// Inside the repository, so that "sardonyx" resolves to this package; the packages that a reader installs lie in the folder.
const folder = mkdtempSync(join(process.cwd(), ".curriculum-"));
afterAll(() => rmSync(folder, { recursive: true }));
if (existsSync(packages)) symlinkSync(packages, join(folder, "node_modules"));

const fileOf = (i: number) => join(folder, `program-${i}.ts`);
for (const [i, code] of runnable) writeFileSync(fileOf(i), code);
let printedBy: (path: string) => Promise<string>;
beforeAll(() => {
  printedBy = startPrograms(runnable.map(([i]) => fileOf(i)));
});

test("there are ten, of which two are on published models", () => {
  expect(programs.length).toBe(10);
  expect(programs.filter(([, code]) => isPublished(code)).map(([i]) => i)).toEqual([4, 10]);
});

test.each(runnable)("program %i prints what its comments say", async (i, code) => {
  const expected = expectedLines(code);
  expect(expected.length).toBeGreaterThan(0);
  expect((await printedBy(fileOf(i))).trimEnd().split("\n")).toEqual(expected);
});

test("the programs type-check, strictly", () => expect(typeErrors(folder)).toBe(""));
