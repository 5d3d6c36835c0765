/** The README, the guides and the handbook are true: commands run, examples print what their comments say, the headline figure is reached. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectedLines, typeErrors } from "./documented-programs.ts";
import { blocks, guides, handbook } from "./markdown.ts";
import { startPrograms } from "./programs.ts";

// In English: pages in Chinese have the same code (documents.test.ts).
const overviews = ["README.md", "docs/training.md", "docs/recipes.md", "docs/inspect.md", "docs/depth.md"];
const documents = [...overviews, ...guides, ...handbook];
const examples = documents.flatMap((path) => blocks(path, "ts").map((code, i) => [path, i + 1, code] as const));

// Inside the repository, so that "sardonyx" resolves to this package.
const folder = mkdtempSync(join(process.cwd(), ".readme-"));
afterAll(() => rmSync(folder, { recursive: true }));
// Where commands run, data of packages is at hand as in the repository.
symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
// So is what programs of the pages make for commands, in the repository's ignored runs/.
mkdirSync(join(folder, "runs"));
for (const made of ["shapes", "scenes", "tones", "houses"])
  symlinkSync(join(process.cwd(), "runs", made), join(folder, "runs", made));

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const fileOf = (document: string, i: number) => join(folder, `${document.replaceAll("/", "-")}-${i}.ts`);
for (const [document, i, code] of examples) writeFileSync(fileOf(document, i), code);
let printedBy: (path: string) => Promise<string>;
beforeAll(() => {
  printedBy = startPrograms(examples.map(([document, i]) => fileOf(document, i)));
});

test.each(examples)("%s: example %i prints what its comments say", async (document, i, code) => {
  const printed = (await printedBy(fileOf(document, i))).trimEnd().split("\n");
  const expected = expectedLines(code);
  expect(expected.length).toBeGreaterThan(0);
  expect(printed).toEqual(expected);
});

test("the examples type-check, strictly", () => expect(typeErrors(folder)).toBe(""));

test("the commands run, in their order", { timeout: 900_000 }, () => {
  const commands = ["README.md", "docs/inspect.md", "docs/depth.md", ...guides, ...handbook].flatMap((path) =>
    blocks(path, "sh").flatMap((block) => block.split("\n").filter((line) => line.startsWith("node bin/"))),
  );
  expect(commands.length).toBeGreaterThan(30);
  for (const command of new Set(commands)) {
    // Experiments of minutes are run shortened by experiments.test.ts.
    if (command.includes(" train depth-")) continue;
    const here = command.replace("node bin/", `node ${process.cwd()}/bin/`);
    expect(execFileSync("sh", ["-c", here], { cwd: folder, encoding: "utf8" }), command).not.toBe("");
  }
});

test("npm start reaches 98.5 % on the test digits", { timeout: 600_000 }, () => {
  const started = performance.now();
  const lines = run("npm", "--silent", "start", "--", "--json", "--out", join(folder, "lenet"));
  const minutes = (performance.now() - started) / 60_000;
  const evaluation = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; results?: Record<string, number> })
    .find(({ type }) => type === "evaluation");
  console.log(`npm start: accuracy ${evaluation?.results?.accuracy}, ${minutes.toFixed(2)} minutes`);
  expect(evaluation?.results?.accuracy).toBeGreaterThanOrEqual(0.985);
});
