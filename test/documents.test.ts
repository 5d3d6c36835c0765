/** The documents hold together: links lead somewhere, and the pages in Chinese say the same in code as those in English. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { blocks, brokenLinks, guides, handbook, isChinese, pages, prose, twinOf } from "./markdown.ts";

test("links lead somewhere", () => {
  expect(pages.flatMap((path) => brokenLinks(path).map((link) => `${path}: ${link}`))).toEqual([]);
});

test("files that are named with their folder are there", () => {
  const named = pages.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/`([\w.-]+\/[\w./-]*\.(?:ts|mjs|py))`/g)].map(([, file = ""]) => file),
  );
  expect(named.length).toBeGreaterThan(40);
  const isThere = (file: string) => ["", "src", "bench"].some((folder) => existsSync(join(folder, file)));
  expect(named.filter((file) => !isThere(file))).toEqual([]);
});

test("every guide is in Chinese too, and in the index", () => {
  expect(guides.length).toBeGreaterThanOrEqual(2);
  expect(guides.filter((path) => !existsSync(twinOf(path)))).toEqual([]);
  for (const index of ["docs/guides/README.md", "docs/guides/README.zh-CN.md"])
    for (const page of guides.filter((path) => basename(path) !== "README.md"))
      expect(readFileSync(index, "utf8")).toContain(`(${basename(isChinese(index) ? twinOf(page) : page)})`);
});

test("every page of the handbook is in Chinese too, and in the index", () => {
  expect(handbook.length).toBeGreaterThanOrEqual(14);
  expect(handbook.filter((path) => !existsSync(twinOf(path)))).toEqual([]);
  for (const index of ["docs/handbook/README.md", "docs/handbook/README.zh-CN.md"]) {
    const text = readFileSync(index, "utf8");
    for (const page of handbook.filter((path) => basename(path) !== "README.md")) {
      const name = basename(isChinese(index) ? twinOf(page) : page);
      expect(text, `${index} leads to ${name}`).toContain(`(${name})`);
    }
  }
});

test.each(pages.filter(isChinese))("%s and its twin lead to each other and have the same code", (path) => {
  const twin = twinOf(path);
  const first = (page: string) => readFileSync(page, "utf8").split("\n")[0];
  expect(first(path)).toBe(`[English](${basename(twin)})`);
  expect(first(twin)).toBe(`[中文](${basename(path)})`);
  for (const language of ["ts", "sh", "math"]) expect(blocks(path, language)).toEqual(blocks(twin, language));
  // Headings by their levels, rows of tables by their cells.
  const structure = (page: string) =>
    [...prose(page).matchAll(/^#+|^\|.*$/gm)].map(([line]) => (line.startsWith("#") ? line : line.split("|").length));
  expect(structure(path)).toEqual(structure(twin));
});

test("every term is in English and Chinese, with a meaning in both", () => {
  const rows = [...prose("docs/terms.md").matchAll(/^\| (.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));
  expect(rows.length).toBeGreaterThan(90);
  expect(rows.filter((cells) => cells.length !== 4 || cells.includes(""))).toEqual([]);
});
