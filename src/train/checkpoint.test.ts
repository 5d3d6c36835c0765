/** Checkpoints that cannot have been written by the run that goes on from them are refused, with the model as it was. */
import { expect, test } from "vitest";
import { FileError, NonFiniteError, type SardonyxError } from "../core/errors.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/index.ts";
import { dense, meanSquaredError, sequential } from "../nn/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import { earlyStopping } from "./callbacks/early-stopping.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { fit, type Progress } from "./fit.ts";
import { adam } from "./optimizers/index.ts";

const x = tensor(Array.from({ length: 8 }, (_, i) => [Math.sin(i), Math.cos(i), i / 8]));
const y = tensor(Array.from({ length: 8 }, (_, i) => [Math.sin(i), i / 4]));
const data = fromTensors({ x, y }).batch(4);
const network = () => sequential([dense(2)]);
const run = (epochs: number, resume?: Progress) =>
  fit(network(), data, {
    loss: meanSquaredError(),
    optimizer: adam(),
    epochs,
    validation: data,
    callbacks: [earlyStopping()],
    training: resume ? { resume } : {},
  });

const saved = encodeCheckpoint((await run(2)).progress);

/** The checkpoint with tensors, or what is noted of the progress, changed. */
function changed(
  tensors: Readonly<Record<string, Tensor>>,
  progress: (progress: Record<string, unknown>) => unknown = (same) => same,
): Uint8Array {
  const file = decodeSafetensors(saved);
  const text = JSON.stringify(progress(JSON.parse(file.metadata["progress"] ?? "")));
  return encodeSafetensors({ ...file.tensors, ...tensors }, { ...file.metadata, progress: text });
}

const weight = "layers.0.weight";
const [memory = ""] = Object.keys(decodeSafetensors(saved).tensors).filter(
  (name) => name.startsWith("optimizer/") && name.endsWith(weight),
);
const zeros = (shape: readonly number[]) =>
  new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
const nan = new Tensor("float32", [2, 3], new Float32Array(6).fill(Number.NaN));

test("what was saved is taken up, also in half precision", async () => {
  expect((await run(3, decodeCheckpoint(saved))).history).toHaveLength(3);
  const half = new Tensor("float16", [2, 3], new Uint16Array(6));
  expect((await run(3, decodeCheckpoint(changed({ [weight]: half, [memory]: half })))).history).toHaveLength(3);
});

test.each<[string, Uint8Array, typeof SardonyxError, string]>([
  ["whole numbers", changed({ [weight]: new Tensor("int32", [2, 3], new Int32Array(6)) }), FileError, "is int32"],
  ["another shape", changed({ [weight]: zeros([3, 2]) }), FileError, "is [3, 2] in the checkpoint and [2, 3]"],
  ["NaN", changed({ [weight]: nan }), NonFiniteError, `"${weight}" holds NaN or Infinity`],
  ["a memory that is too short", changed({ [memory]: zeros([1]) }), FileError, "is [1], expected [2, 3]"],
  ["a memory of NaN", changed({ [memory]: nan }), NonFiniteError, "holds NaN or Infinity; the checkpoint is damaged"],
  [
    "a memory of whole numbers",
    changed({ [memory]: new Tensor("uint8", [2, 3], new Uint8Array(6)) }),
    FileError,
    "is uint8, expected float32",
  ],
  [
    "updates that are no number of updates",
    changed({}, (progress) => ({ ...progress, steps: { "": { updates: -1.5, memory: {} } } })),
    FileError,
    "progress is damaged",
  ],
  [
    "another callback's state",
    changed({}, (progress) => ({ ...progress, callbacks: { earlyStopping: 5 } })),
    FileError,
    'of the callback "earlyStopping" is damaged',
  ],
  [
    "sums of other metrics",
    changed({}, (progress) => ({
      ...progress,
      batchInEpoch: 1,
      sums: Object.fromEntries(
        Object.keys(progress["sums"] as object).map((name) => [name, { loss: 0, weight: 1, statistics: [[1, 2]] }]),
      ),
    })),
    FileError,
    "are of other metrics",
  ],
])("refuses %s", async (_, bytes, kind, message) => {
  const outcome = await (async () => run(3, decodeCheckpoint(bytes)))().catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(kind);
  expect((outcome as Error).message).toContain(message);
});
