/** `sardonyx data` as a person and a program meet it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { writeYolo } from "../src/tasks/boxes/testing/draw-scenes.node.ts";
import { commandLine, recordOf } from "./command-line.ts";

const { folder, run } = commandLine();
const path = join(folder, "flowers.csv");
const header = "id,width,answer,<script>alert(1)</script>,kind\n";
writeFileSync(
  path,
  header +
    Array.from({ length: 60 }, (_, i) => {
      const kind = i % 3 ? "rose" : "lily";
      return `${i},${((i * 7919) % 60) / 10},${kind === "rose" ? 1 : 0},${i % 7 ? "x\u001b[31m" : ""},${kind}\n`;
    }).join(""),
);

test("on a terminal, within 80 columns and without control characters", async () => {
  const { code, stdout, stderr } = await run("data", path, "--target", "kind");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/flowers\.csv: 60 rows, 5 columns/);
  expect(stdout).toMatch(/Problems\n- "answer" alone predicts 100\.00 % of "kind" right/);
  expect(stdout).toMatch(/Column +Kind +Missing/);
  expect(stdout).toMatch(/width +number/);
  expect(stdout).toMatch(/Classes of kind: 2\n {2}rose +40/);
  expect(stdout).toMatch(/Split by class \(kind\)/);
  expect(stdout).not.toContain("\u001b");
  for (const line of stdout.split("\n")) if (!line.includes(folder)) expect(line.length, line).toBeLessThanOrEqual(80);
});

test("as JSON", async () => {
  const result = await run("data", path, "--target", "kind", "--json");
  expect(result.code).toBe(0);
  expect(recordOf(result, "profile")).toMatchObject({
    kind: "table",
    table: { rows: 60 },
    target: { task: "classes" },
  });
});

test("as a page without a script, in which names of columns are text", async () => {
  const page = join(folder, "flowers.html");
  const { code, stdout } = await run("data", path, "--html", page);
  expect(code).toBe(0);
  expect(stdout).toContain("Saved");
  const html = readFileSync(page, "utf8");
  expect(html).not.toContain("<script");
  expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).not.toMatch(/(?:src|href)="https?:/);
  expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(2);
});

test("a folder of images, with samples on the page", async () => {
  for (const [i, kind] of ["cat", "dog"].entries()) {
    mkdirSync(join(folder, "images", kind), { recursive: true });
    const image = sharp({ create: { width: 30, height: 20, channels: 3, background: { r: 90 * i, g: 50, b: 9 } } });
    await image.png().toFile(join(folder, "images", kind, "a.png"));
  }
  const page = join(folder, "images.html");
  const { code, stdout } = await run("data", join(folder, "images"), "--html", page);
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 files of images/);
  expect(readFileSync(page, "utf8").match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2);
});

test("the dialect may be said", async () => {
  const own = join(folder, "own.csv");
  writeFileSync(own, "1:2,5\n3:-9\n");
  const result = await run(
    "data",
    own,
    "--delimiter",
    ":",
    "--headerless",
    "--decimal-comma",
    "--missing",
    "-9",
    "--json",
  );
  expect(result.code).toBe(0);
  expect(recordOf(result, "profile")).toMatchObject({
    table: { columns: [{ name: "0" }, { name: "1", missing: 1 }] },
  });
});

test.each([
  [["none.csv"], "there is no file or folder none.csv; check the path"],
  [[path, "--target", "sort"], "unknown column of"],
  [[path, "--encoding", "latin"], '--encoding is "latin"; pass one of utf-8'],
])("data %j is refused in a sentence", async (args, message) => {
  const { code, stderr } = await run("data", ...args);
  expect(code).toBe(2);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(message);
});

test("a folder of boxes, within 80 columns, with boxes drawn on the samples of the page", async () => {
  const scenes = join(folder, "scenes");
  writeYolo(scenes, 10);
  const page = join(folder, "scenes.html");
  const { code, stdout, stderr } = await run("data", scenes, "--html", page);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/boxes in YOLO's form: \d+ boxes of 2 classes/);
  expect(stdout).toMatch(/Class +Boxes +Share +Images +Median area/);
  expect(stdout).toMatch(/Images by boxes: .*\d in \d/);
  expect(stdout).not.toContain("one class only");
  for (const line of stdout.split("\n")) if (!line.includes(folder)) expect(line.length, line).toBeLessThanOrEqual(80);
  const html = readFileSync(page, "utf8");
  expect(html).toContain("<h2>Boxes</h2>");
  expect(html).toMatch(/<i style="left:[\d.]+%;top:[\d.]+%;width:[\d.]+%;height:[\d.]+%"><\/i>/);
  const json = recordOf(await run("data", scenes, "--json"), "profile");
  expect(json).toMatchObject({ kind: "images", boxes: { form: "boxes in YOLO's form", leftOut: [] } });
});
