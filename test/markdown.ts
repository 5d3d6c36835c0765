/** What the tests of documents read of them: which pages there are, blocks of code, links, anchors of headings. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const chinese = ".zh-CN.md";
const inFolder = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

/** Every page of documentation, in both languages. */
export const pages: readonly string[] = [
  ...inFolder(".").map(normalize),
  ...inFolder("docs"),
  ...inFolder("docs/handbook"),
  ...inFolder("docs/guides"),
  ...inFolder("docs/examples"),
  "bench/README.md",
];
export const isChinese = (path: string): boolean => path.endsWith(chinese);
/** The page in the other language, whether it is there or not. */
export const twinOf = (path: string): string =>
  isChinese(path) ? path.replace(chinese, ".md") : path.replace(/\.md$/, chinese);
/** Pages of the handbook in English. */
export const handbook: readonly string[] = pages.filter(
  (path) => path.startsWith(normalize("docs/handbook/")) && !isChinese(path),
);

/** Pages of a task each, in English. */
export const guides: readonly string[] = pages.filter(
  (path) => path.startsWith(normalize("docs/guides/")) && !isChinese(path),
);

const textOf = (path: string): string => readFileSync(path, "utf8");

/** The blocks of a language in a document. */
export const blocks = (path: string, language: string): string[] =>
  [...textOf(path).matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map((match) => match[1] ?? "");

/** The lines of a document outside its blocks of code. */
export const prose = (path: string): string => textOf(path).replace(/^```.*?^```$/gms, "");

/** Anchors of a document's headings, as GitHub makes them. */
const anchors = (path: string): string[] =>
  [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Links and images of a document within the repository, with their anchors. */
const ownLinks = (path: string): readonly string[] =>
  [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

/** Files and folders that a document links to, from its folder. */
export const linksOf = (path: string): readonly string[] =>
  ownLinks(path).flatMap((target) => {
    const [file = ""] = target.split("#");
    return file === "" ? [] : [decodeURI(file).replace(/\/$/, "")];
  });

/** Links and images of a document that lead nowhere: to files that are not there, to headings that are not in them. */
export function brokenLinks(path: string): readonly string[] {
  return ownLinks(path).filter((target) => {
    const [file = "", anchor] = target.split("#");
    const page = file === "" ? path : join(dirname(path), decodeURI(file));
    if (!existsSync(page)) return true;
    return anchor !== undefined && !anchors(page).includes(decodeURI(anchor));
  });
}
