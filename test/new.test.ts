/** Projects that `sardonyx new` makes: whole, named, and their own tests pass. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeProject, type TemplateName, templates } from "../src/cli/new/project.ts";
import { sardonyx } from "./recipes/run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-new-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As after `npm install`, from what is installed here. */
function installed(project: string): void {
  mkdirSync(join(project, "node_modules"));
  symlinkSync(resolve("."), join(project, "node_modules/sardonyx"));
  for (const name of ["tsx", "zod"]) symlinkSync(resolve("node_modules", name), join(project, "node_modules", name));
}

test.each((Object.keys(templates) as TemplateName[]).filter((name) => name !== "browser"))(
  "the tests of the template %s pass",
  (template) => {
    const project = makeProject(join(folder, "all", template), template);
    installed(project);
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", "--test", "recipe.test.ts"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, OMP_NUM_THREADS: "1" },
    });
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/pass 2/);
  },
);

test("new says what was made and what to do, and the recipe trains by the command that it names", () => {
  const made = sardonyx("new", join(folder, "My Project"));
  expect([made.stderr, made.status]).toEqual(["", 0]);
  expect(made.stdout).toMatch(/npm install\n +npm run train/);
  const project = join(folder, "My Project");
  expect(readdirSync(project).sort()).toEqual(
    [".gitignore", ".npmrc", "README.md", "package.json", "recipe.test.ts", "recipe.ts", "tsconfig.json"].sort(),
  );
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  expect(manifest).toMatchObject({
    name: "my-project",
    type: "module",
    scripts: { train: "sardonyx train ./recipe.ts" },
  });
  expect(manifest.dependencies.sardonyx).toBe(`file:${resolve(".")}`);
  expect(readFileSync(join(project, "README.md"), "utf8")).toMatch(/^# My Project\n/);
  const trained = sardonyx("train", join(project, "recipe.ts"), "--epochs", "2", "--out", join(folder, "run"));
  expect([trained.stderr, trained.status]).toEqual(["", 0]);
});

describe("refusals leave nothing behind", () => {
  test("a folder with files", () => {
    const full = join(folder, "full");
    mkdirSync(full);
    writeFileSync(join(full, "mine.txt"), "");
    const { stderr, status } = sardonyx("new", full);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/full is not an empty folder; name one that is not there yet/),
    ]);
    expect(readdirSync(full)).toEqual(["mine.txt"]);
  });
  test("a template that there is not", () => {
    const { stderr, status } = sardonyx("new", join(folder, "none"), "--template", "tables");
    expect([status, stderr]).toEqual([2, expect.stringMatching(/pass one of custom, tabular, images, text, browser/)]);
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
  test("a path below a file", () => {
    writeFileSync(join(folder, "file"), "");
    const { stderr, status } = sardonyx("new", join(folder, "file", "project"));
    expect([status, stderr]).toEqual([2, expect.stringMatching(/cannot write .*; name (a folder|another place)/)]);
  });
});
