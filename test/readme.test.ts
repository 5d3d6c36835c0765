/** The README and the guide are true: commands run, examples print what their comments say, the headline figure is reached. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

/** The blocks of a language in a document. */
const blocks = (path: string, language: string): string[] =>
  [...readFileSync(path, "utf8").matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(
    (match) => match[1] ?? "",
  );
const documents = ["README.md", "docs/training.md", "docs/recipes.md", "docs/inspect.md", "docs/depth.md"];
const examples = documents.flatMap((path) => blocks(path, "ts").map((code, i) => [path, i + 1, code] as const));

// Inside the repository, so that "sardonyx" resolves to this package.
const folder = mkdtempSync(join(process.cwd(), ".readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test.each(examples)("%s: example %i prints what its comments say", (document, i, code) => {
  const path = join(folder, `${document.replaceAll("/", "-")}-${i}.ts`);
  writeFileSync(path, code);
  const printed = run(process.execPath, "--import", "tsx", path).trim().split("\n");
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);
  expect(expected.length).toBeGreaterThan(0);
  expect(printed).toEqual(expected);
});

test("the examples type-check, strictly", () => {
  const options = { rootDir: join(folder, ".."), noEmit: true, paths: {} };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../tsconfig.json", compilerOptions: options, include: ["*.ts"] }),
  );
  expect(run("npx", "tsc", "-p", folder)).toBe("");
});

test("the commands run, in their order", { timeout: 120_000 }, () => {
  const commands = ["README.md", "docs/inspect.md", "docs/depth.md"].flatMap((path) =>
    blocks(path, "sh").flatMap((block) => block.split("\n").filter((line) => line.startsWith("node bin/"))),
  );
  expect(commands.length).toBeGreaterThan(12);
  for (const command of commands) {
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
