/** A table with images by path beside other columns: learned together, held against baselines, asked by rows with paths, exported. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeRows } from "../../src/index.ts";
import { openRun, withImages } from "../../src/node.ts";
import { drawHouses } from "../../src/tasks/tables/testing/draw-shapes.node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-table-with-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

const houses = drawHouses(folder, 320, { broken: (row) => row % 80 === 7, absent: (row) => row % 40 === 9 });
const run = join(folder, "run");
let said = "";
beforeAll(() => {
  const args = ["--minutes", "4", "--epochs", "30", "--width", "32", "--learning-rate", "0.003"];
  const done = sardonyx("train", "--data", houses, "--out", run, "--threads", "1", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  said = done.stdout.replace(/\s+/g, " ");
}, 240_000);

test("a number that depends on a column and on the image is learned better than by baselines", () => {
  const { results, baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  expect(said).toMatch(/is taken for a table with images \("photo"\) beside other columns/);
  expect(said).toMatch(/of "photo" 4 images cannot be read, and count for missing/);
  expect(said).toMatch(/Better than the best simple baseline/);
  const least = Math.min(...baselines.map(({ test: own }: { test: number }) => own));
  expect(results.rootMeanSquaredError).toBeLessThan(0.9 * least);
  const report = JSON.parse(readFileSync(join(run, "report.json"), "utf8"));
  expect(report.importance.columns.map(({ name }: { name: string }) => name).sort()).toEqual(["photo", "size", "town"]);
});

test("is asked by rows with paths, from the table's folder or the one worked in", () => {
  const rows = join(folder, "more.csv");
  writeFileSync(rows, "photo,size,town\nphotos/3.png,60,Ulm\n,60,Ulm\n");
  const row = JSON.stringify({ photo: join(folder, "photos/3.png"), size: 60, town: "Ulm" });
  const { stdout, stderr, status } = sardonyx("predict", run, rows, row);
  expect([stderr, status]).toEqual(["", 0]);
  const answers = stdout.trim().split("\n");
  const numbers = answers.map((line) => Number(line.split(": ").at(-1)));
  expect(numbers).toHaveLength(3);
  expect(numbers[2]).toBe(numbers[0]);
  expect(numbers[1]).not.toBe(numbers[0]);
  const broken = sardonyx("predict", run, JSON.stringify({ photo: "none.png", size: 60, town: "Ulm" }));
  expect([broken.status, broken.stderr]).toEqual([2, expect.stringMatching(/none\.png/)]);
});

test("the exported graph takes the numbers of decoded images", async () => {
  const opened = await openRun(run);
  const encoding = opened.network.format?.table;
  if (!encoding) throw new Error("the run does not say how rows become numbers");
  const cells: Record<string, string> = { photo: "photos/12.png", size: "70", town: "Bonn" };
  const row = { where: "row", cell: (name: string) => cells[name] ?? "" };
  const x = encodeRows(encoding, await withImages([row], encoding, folder));
  const ours = await opened.predict(x);
  const out = join(folder, "model.onnx");
  expect(sardonyx("export", run, "--out", out).status).toBe(0);
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const session = await InferenceSession.create(out);
  const given = await session.run({
    [session.inputNames[0] ?? ""]: new Tensor("float32", x.data as Float32Array, [...x.shape]),
  });
  const theirs = Object.values(given)[0]?.data as Float32Array;
  expect(theirs[0]).toBeCloseTo(ours.toNumbers()[0] ?? 0, 2);
  await opened.release();
});
