/** Networks of weights alone: what names and shapes say. */
import { expect, test } from "vitest";
import { inspectionOf } from "../testing/networks.ts";
import { weightsNetwork } from "./weights-network.ts";

const float = (name: string, shape: readonly number[]) => ({ name, shape, type: "float32", bits: 32 });

test("layers, kinds and formulas by names and shapes; statistics and whole numbers are buffers", () => {
  const { layers, parameters, notes, depth, cost } = inspectionOf(
    weightsNetwork("w", "a file", [
      float("embed.wte.weight", [10, 4]),
      float("conv.weight", [8, 3, 3, 3]),
      float("conv.bias", [8]),
      float("bn.weight", [8]),
      float("bn.running_var", [8]),
      { name: "bn.num_batches_tracked", shape: [], type: "int64", bits: 64 },
      float("lstm.weight_ih_l0", [16, 4]),
      float("fc.weight", [2, 8]),
      { name: "packed.weight", shape: [4, 4], type: "int8", bits: 8 },
      float("scale", [3]),
    ]),
  );
  expect(layers.map(({ name, kind, formula, macs }) => [name, kind, formula, macs])).toEqual([
    ["embed.wte", "embedding", "10·4 = 40", null],
    ["conv", "convolution", "3·3·3·8 + 8 = 224", null],
    ["bn", "normalization", "8 = 8", null],
    ["lstm", "recurrent", "16·4 = 64", null],
    ["fc", "dense", "2·8 = 16", null],
    ["packed", "dense", "4·4 = 16", null],
    ["model", "normalization", "3 = 3", null],
  ]);
  expect(parameters).toMatchObject({ total: 371, trainable: 355, frozen: 16, buffers: 9, bytes: 4 * 355 + 16 });
  expect([depth.weighted, depth.parameterLayers, cost.macs]).toEqual([null, 7, null]);
  expect(notes).toHaveLength(1);
});
