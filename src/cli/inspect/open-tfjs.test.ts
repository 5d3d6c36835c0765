/** A model.json on disk: its inputs as the command line chooses them, and the files of weights beside it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectionOf } from "../../analyze/testing/networks.ts";
import { openPath } from "./open-file.ts";

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-tfjs-"));
  folder = join(root, "model");
  mkdirSync(folder);
});
afterAll(() => rmSync(root, { recursive: true }));

const write = (document: unknown) => {
  writeFileSync(join(folder, "model.json"), JSON.stringify(document));
  return folder;
};

describe("layers", () => {
  const model = (batch_input_shape: readonly (number | null)[], ...layers: readonly object[]) => ({
    format: "layers-model",
    generatedBy: "TensorFlow.js tfjs-layers v4.22.0",
    modelTopology: {
      class_name: "Sequential",
      config: { layers: [{ class_name: "InputLayer", config: { name: "image", batch_input_shape } }, ...layers] },
    },
    weightsManifest: [],
  });
  const conv = { class_name: "Conv2D", config: { name: "conv", filters: 4, kernel_size: 3 } };
  const lstm = { class_name: "LSTM", config: { name: "lstm", units: 4 } };

  test("are opened by their folder, for as many samples as are asked for", async () => {
    const network = await openPath(write(model([null, 8, 8, 3], conv)), { batch: 5 });
    expect(network).toMatchObject({
      name: basename(folder),
      source: "TensorFlow.js layers-model, written by TensorFlow.js tfjs-layers v4.22.0",
    });
    expect(inspectionOf(network).inputs).toEqual([{ name: "image", dtype: "float32", shape: [5, 8, 8, 3] }]);
  });

  test("with open extents ask for them, channels last", async () => {
    const path = write(model([null, null, null, 3], conv));
    await expect(openPath(path, {})).rejects.toThrow(
      'the shape of input "image" is [batch, height, width, 3]: height and width may vary; pass --input-shape 1,224,224,3',
    );
    expect(inspectionOf(await openPath(path, { inputShape: "2,10,12,3" })).layers[0]?.outputShape).toEqual([
      2, 8, 10, 4,
    ]);
    await expect(openPath(path, { inputShape: "2,3,10,12" })).rejects.toThrow(
      'input "image" is [batch, height, width, 3], got [2, 3, 10, 12]; pass a shape that fits, with the channels last',
    );
  });

  test("over sequences take --sequence", async () => {
    const path = write(model([null, null, 3], lstm));
    await expect(openPath(path, {})).rejects.toThrow(/time may vary; pass --sequence 128/);
    expect(inspectionOf(await openPath(path, { sequence: 9 })).depth.recurrent?.steps).toBe(9);
  });

  test("that are damaged are reported with the file", async () => {
    await expect(openPath(write({ ...model([null, 3]), weightsManifest: undefined }), {})).rejects.toThrow(
      /model\.json: tfjs: weightsManifest: it is missing/,
    );
    writeFileSync(join(folder, "model.json"), '{"modelTopology": {"class');
    await expect(openPath(folder, {})).rejects.toThrow(
      /model\.json: it is not valid JSON .*; it is cut off or damaged/,
    );
  });
});

describe("graphs", () => {
  const float = { T: { type: "DT_FLOAT" } };
  const shape = { shape: { dim: [{ size: "-1" }, { size: "4" }, { size: "4" }, { size: "2" }] } };
  const model = {
    format: "graph-model",
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape } },
        { name: "axes", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "mean", op: "Mean", input: ["x", "axes"], attr: { ...float, keep_dims: { b: false } } },
      ],
    },
    weightsManifest: [
      {
        paths: ["group1-shard1of2.bin", "group1-shard2of2.bin"],
        weights: [{ name: "axes", shape: [2], dtype: "int32" }],
      },
    ],
  };

  test("need the numbers in the files of weights for some shapes", async () => {
    const path = write(model);
    expect((await openPath(path, {})).notes).toEqual([
      "The shapes of 1 node of known operators are not known, nor what they cost.",
      "The files of weights are not beside it: what depends on the numbers in them is not known.",
    ]);
    const bytes = new Uint8Array(Int32Array.of(1, 2).buffer);
    writeFileSync(join(path, "group1-shard1of2.bin"), bytes.slice(0, 3));
    writeFileSync(join(path, "group1-shard2of2.bin"), bytes.slice(3));
    const { notes, layers } = await openPath(path, {});
    expect(notes).toEqual([]);
    expect(layers[0]?.outputShape).toEqual([1, 2]);
    writeFileSync(join(path, "group1-shard2of2.bin"), bytes.slice(5));
    await expect(openPath(path, {})).rejects.toThrow(
      /"axes" in the files of weights lies at bytes 0 to 8, the file has 6/,
    );
  });

  test("name no files outside of their folder", async () => {
    const [group] = model.weightsManifest;
    const path = write({ ...model, weightsManifest: [{ ...group, paths: ["../secret"] }] });
    writeFileSync(join(root, "secret"), "");
    await expect(openPath(path, {})).rejects.toThrow(/"\.\.\/secret" lies outside the folder/);
  });
});
