/** Fixed samples of a run: moments found in the file as it grows, read one at a time; what is damaged or begun anew. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SampleMoments } from "./sample-moments.node.ts";

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-samples-"));
  path = join(root, "samples.jsonl");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lineOf = (record: object) => `${JSON.stringify(record)}\n`;
const inputs = lineOf({ type: "inputs", epoch: 0, batch: 0, from: "validation", samples: [{ actual: "七" }] });
const momentLine = (epoch: number) =>
  lineOf({
    ...{ type: "samples", epoch, batch: 10 * epoch },
    predictions: [{ classes: [{ name: "七", probability: epoch / 10 }] }],
  });

test("none of a run that watched none, and of one that did each moment by its place", () => {
  const samples = new SampleMoments(path);
  expect(samples.read()).toEqual({ inputs: undefined, epochs: [] });
  expect(samples.moment(0)).toBeUndefined();
  writeFileSync(path, inputs + momentLine(0) + momentLine(2).slice(0, 50));
  expect(samples.read()).toMatchObject({ inputs: { samples: [{ actual: "七" }] }, epochs: [0] });
  appendFileSync(path, momentLine(2).slice(50) + momentLine(4));
  expect(samples.read().epochs).toEqual([0, 2, 4]);
  for (const [place, epoch] of [0, 2, 4].entries())
    expect(samples.moment(place)).toMatchObject({
      epoch,
      predictions: [{ classes: [{ name: "七", probability: epoch / 10 }] }],
    });
  expect(samples.moment(3)).toBeUndefined();
});

test("lines of another form are passed over, images of another place among them, and a file that begins anew is read anew", () => {
  const evil = { name: "x", image: "http://evil.example/x.png" };
  const outside = lineOf({ type: "samples", epoch: 1, batch: 1, images: [evil] });
  writeFileSync(path, `${inputs}no JSON\n${outside}${momentLine(1)}`);
  const samples = new SampleMoments(path);
  expect(samples.read().epochs).toEqual([1]);
  expect(samples.moment(0)?.epoch).toBe(1);
  writeFileSync(path, inputs + momentLine(0));
  expect(samples.read().epochs).toEqual([0]);
  expect(samples.moment(0)?.epoch).toBe(0);
});
