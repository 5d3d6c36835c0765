/** Digits found in scenes, shortened: boxes and classes are learned at the same time, so that little training shows. */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digitScene, encodePng, keyOf, Random, Tensor } from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";
import { epochsOf, fixtures, sardonyx, train } from "./run.ts";

test("detect-digits learns, and finds digits in an image of another size", async () => {
  const { results, run } = train("detect-digits", "--limit", "240", "--batch-size", "8", "--epochs", "4");
  const losses = epochsOf(run).map(({ loss }) => loss ?? Number.NaN);
  expect(losses.at(-1)).toBeLessThan(0.75 * (losses[0] ?? 0));
  expect(results["mAP"]).toBeGreaterThan(0.2);
  expect(readFileSync(join(run, "scenes.png")).subarray(1, 4).toString()).toBe("PNG");

  const folder = mkdtempSync(join(tmpdir(), "sardonyx-scenes-"));
  const scene = digitScene(
    (await loadMnist()).test.tensors,
    { side: 128, most: 4, heights: [50, 60] },
    new Random(keyOf(1)),
  );
  const image = join(folder, "scene.png");
  // Dark on light, as ink on paper.
  writeFileSync(
    image,
    encodePng(
      new Tensor(
        "uint8",
        [128, 128],
        scene.pixels.map((level) => 255 - level),
      ),
    ),
  );
  const { stdout } = sardonyx("predict", run, image, "--json");
  const [prediction, drawing] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(prediction.note).toBe("looked at in 64x64, resized from 128x128, dark on light: inverted first");
  for (const { box, score } of prediction.found) {
    expect(score).toBeGreaterThanOrEqual(0.35);
    expect(box.every((edge: number) => edge > -64 && edge < 192)).toBe(true);
  }
  expect(drawing.path).toBe(join(run, "scene-found.png"));
  copyFileSync(join(fixtures, "passengers.csv"), join(folder, "broken.png"));
  const broken = sardonyx("predict", run, join(folder, "broken.png"));
  expect(broken.stderr).toMatch(/broken.png: is no image of a kind that is read here/);
  expect(broken.status).toBe(2);
});

test("detect-digits on the format's fixture", () => {
  train("detect-digits", "--data", join(fixtures, "mnist"), "--limit", "16", "--batch-size", "8", "--epochs", "1");
});
