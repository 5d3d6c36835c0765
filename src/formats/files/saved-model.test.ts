/** Saved models come back as they were: outputs bit for bit, nesting, parameters, buffers, what is frozen. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { sameTensor, Tensor, tensor } from "../../core/tensor.ts";
import { leavesOf, mapTree } from "../../core/tree.ts";
import type { Value } from "../../graph/ir.ts";
import { presetOf } from "../../models/index.ts";
import { signed } from "../../models/testing/fill.ts";
import {
  type AnyModule,
  batchNorm,
  type Context,
  conv2d,
  dense,
  dropout,
  flatten,
  lambda,
  lstm,
  Module,
  rmsNorm,
  sequential,
  type TypeTree,
} from "../../nn/index.ts";
import { refuseExternal } from "../../onnx/import.ts";
import { readModelFile } from "../../onnx/model-file.ts";
import * as ops from "../../ops/index.ts";
import { checkDamage } from "../../storage/testing/damage.ts";
import { predict } from "../../train/predict.ts";
import type { ImportedModule } from "../imported-module.ts";
import { recordKey } from "../model-record.ts";
import { modelFromOnnx } from "../onnx-model.ts";
import { encodeSavedModel } from "./saved-model.ts";

const float = (...shape: number[]) => ({ dtype: "float32", shape }) as const;

/** A model with initial values, traced on types. */
function made<M extends AnyModule>(model: M, types: TypeTree): M {
  model.trace(types);
  model.initialize(keyOf(3));
  return model;
}

/** Tensors of the types with another batch. */
const inputsOf = (types: unknown, batch: number): unknown =>
  mapTypes(types, (shape, path) => signed(`${path} of ${batch}`, [batch, ...shape.slice(1)]));

function mapTypes(tree: unknown, make: (shape: readonly number[], path: string) => Tensor, path = "x"): unknown {
  if (Array.isArray(tree)) return tree.map((item, i) => mapTypes(item, make, `${path}.${i}`));
  const item = tree as { readonly shape?: readonly number[] };
  if (item.shape) return make(item.shape, path);
  return Object.fromEntries(Object.entries(tree as object).map(([name, own]) => [name, mapTypes(own, make, name)]));
}

const ask = (model: AnyModule, inputs: unknown) => predict(model as Module<Value, unknown>, inputs as Tensor);

/** Saves a model and reads it again; compares everything. */
async function checkSaved(model: AnyModule, types: TypeTree): Promise<ImportedModule> {
  const { bytes, obstacle } = encodeSavedModel(model, { inputs: types });
  const again = modelFromOnnx(bytes);
  const flags = (own: AnyModule) =>
    [...own.parameters()].map(([path, { isBuffer, frozen, shape }]) => ({ path, isBuffer, frozen, shape }));
  expect(flags(again)).toEqual(flags(model));
  for (const [path, { value }] of model.parameters())
    expect(sameTensor(again.parameters().get(path)?.value as Tensor, value as Tensor), path).toBe(true);
  for (const batch of obstacle === undefined ? [1, 3] : [1]) {
    const inputs = inputsOf(types, batch);
    const [wanted, found] = [await ask(model, inputs), await ask(again, inputs)];
    const shapes = (tree: unknown) => mapTree(tree, (leaf) => (leaf instanceof Tensor ? leaf.shape : leaf));
    expect(shapes(found)).toEqual(shapes(wanted));
    const [a, b] = [leavesOf(wanted), leavesOf(found)];
    for (const [i, { path, leaf }] of a.entries())
      expect(sameTensor(b[i]?.leaf as Tensor, leaf as Tensor), `${path}, batch of ${batch}`).toBe(true);
  }
  return again;
}

describe("networks", () => {
  test.each<[string, AnyModule, TypeTree]>([
    ["of convolutions", sequential([conv2d(3, 3), batchNorm(), flatten(), dropout(0.5), dense(2)]), float(1, 1, 6, 6)],
    ["recurrent", sequential([lstm(4), dense(2)]), float(1, 5, 3)],
    [
      "with an operator that no file has, and a stopped gradient",
      sequential([rmsNorm(), lambda(ops.stopGradient), dense(2)]),
      float(1, 4),
    ],
    ["without parameters", sequential([flatten()]), float(1, 2, 3)],
  ])("%s", async (_, model, types) => {
    await checkSaved(made(model, types), types);
  });

  test("a published architecture of many layers", async () => {
    const { build, inputs } = presetOf("lenet5");
    await checkSaved(made(build(), inputs), inputs);
  });
});

/** A pair of states at several depths. */
class Nested extends Module<
  readonly [Value, { readonly memory: Value }],
  { readonly y: Value; readonly states: readonly [Value, { readonly last: Value }] }
> {
  override readonly inputs = "tree";
  readonly inner = dense(2);
  protected call([x, { memory }]: readonly [Value, { readonly memory: Value }], context: Context) {
    const y = this.inner.apply(x, context);
    return { y, states: [ops.add(y, memory), { last: memory }] as const };
  }
}

/** Its parameter has the name that the input and the output of a file would have. */
class Colliding extends Module {
  override readonly kind = "other";
  protected call(x: Value, context: Context): Value {
    const initializer = () => Float32Array.of(2, 3);
    const [own, other] = ["input", "output"].map((name) =>
      context.parameter(this, name, { shape: [2], initializer }),
    ) as [Value, Value];
    return ops.mul(ops.add(x, own), other);
  }
}

describe("what a file of weights alone would lose", () => {
  test("nesting of inputs and outputs", async () => {
    const types = [float(1, 3), { memory: float(1, 2) }] as const;
    const again = await checkSaved(made(new Nested(), types), types);
    expect(again.inputs).toBe("tree");
    expect(modelFromOnnx(encodeSavedModel(again, { inputs: types }).bytes).inputTypes).toEqual(types);
    expect(() => again.trace([float(1, 3)])).toThrow('lacks its input "1.memory"; pass 0, 1.memory');
    expect(() => again.trace([float(1, 3), { memory: float(1, 2) }, float(1)])).toThrow('got an input "2"');
  });

  test("that a tensor is taken without a name", async () => {
    const again = await checkSaved(made(sequential([dense(2)]), float(1, 3)), float(1, 3));
    expect(again.inputs).toBe("tensor");
    const { bytes } = encodeSavedModel(again);
    expect(modelFromOnnx(bytes).inputTypes).toEqual(float(1, 3));
    expect(modelFromOnnx(bytes, { inputs: [4, 3] }).inputTypes).toEqual(float(4, 3));
  });

  test("what is frozen, buffers too", async () => {
    const model = made(sequential([conv2d(2, 3), batchNorm(), flatten(), dense(2)]), float(2, 1, 4, 4));
    model.freeze("layers.0");
    model.freeze("layers.1.running_*");
    const again = await checkSaved(model, float(2, 1, 4, 4));
    expect([...again.parameters()].filter(([, { frozen }]) => frozen).map(([path]) => path)).toEqual([
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.running_mean",
      "layers.1.running_var",
    ]);
  });

  test("parameters that are called as inputs and outputs are, and scalars", async () => {
    const again = await checkSaved(made(new Colliding(), float(1, 2)), float(1, 2));
    expect([...again.parameters().keys()]).toEqual(["input", "output"]);
  });

  test("notes, also of a model that was read and is saved again", () => {
    const model = made(sequential([dense(2)]), float(1, 3));
    const first = modelFromOnnx(encodeSavedModel(model, { metadata: { classes: '["a","b"]', recipe: "mine" } }).bytes);
    expect(first.metadata).toEqual({ classes: '["a","b"]', recipe: "mine" });
    const second = modelFromOnnx(encodeSavedModel(first, { metadata: { recipe: "yours" } }).bytes);
    expect(second.metadata).toEqual({ classes: '["a","b"]', recipe: "yours" });
  });

  test("a model that was read and is saved again", async () => {
    const types = { left: float(1, 2) };
    class Named extends Module<{ readonly left: Value; readonly right?: Value }> {
      override readonly inputs = { left: "required", right: "optional" } as const;
      readonly inner = dense(2);
      protected call({ left, right }: { readonly left: Value; readonly right?: Value }, context: Context): Value {
        const y = this.inner.apply(left, context);
        return right ? ops.add(y, right) : y;
      }
    }
    const first = await checkSaved(made(new Named(), types), types);
    const second = await checkSaved(first, types);
    expect(second.inputs).toEqual({ left: "required" });
    const both = { left: float(1, 2), right: float(1, 2) };
    expect((await checkSaved(made(new Named(), both), both)).inputs).toEqual({ left: "required", right: "required" });
  });
});

describe("files that were damaged", () => {
  const model = made(sequential([conv2d(2, 3), batchNorm(), flatten(), dense(2)]), float(1, 1, 4, 4));
  const { bytes } = encodeSavedModel(model);
  const readWhole = (own: Uint8Array) => modelFromOnnx(own).trace(float(2, 1, 4, 4));

  test("are refused", async () => {
    await checkDamage(bytes, readWhole);
  });

  test("records of every kind are refused, or fit", () => {
    const { metadata } = readModelFile(memorySource(bytes), refuseExternal);
    const text = metadata.get(recordKey) as string;
    const begin = indexOf(bytes, new TextEncoder().encode(text));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = bytes.slice();
        changed[begin + at] = code;
        try {
          readWhole(changed);
        } catch (error) {
          if (!(error instanceof SardonyxError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  // Each change keeps the length, so that the lengths in the file stay.
  test.each<[string, string, string, string]>([
    ["of another format", "model-1", "model-9", "is damaged; save the model again"],
    [
      "with an input that the graph lacks",
      '"inputs":"input"',
      '"inputs":"inpux"',
      "names the inputs inpux, and the graph has input;",
    ],
    [
      "with an output that the graph lacks",
      '"outputs":"output"',
      '"outputs":"outpux"',
      'names an output "outpux", and the graph has output;',
    ],
    [
      "of a form that does not fit",
      '"form":"tensor"',
      '"form":"named" ',
      'says that inputs are taken as "named", and nests them otherwise',
    ],
    [
      "with a parameter that the file lacks",
      "layers.3.bias",
      "layers.4.bias",
      'the file lacks the parameter "layers.4.bias"',
    ],
  ])("%s", (_, before, after, message) => {
    const own = bytes.slice();
    own.set(new TextEncoder().encode(after), indexOf(bytes, new TextEncoder().encode(before)));
    expect(() => modelFromOnnx(own)).toThrow(FileError);
    expect(() => modelFromOnnx(own)).toThrow(message);
  });
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at <= bytes.length - part.length; at++)
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  throw new Error("not there");
}

test("a scalar parameter is one, though files of others have such for settings", async () => {
  class Scaled extends Module {
    override readonly kind = "other";
    protected call(x: Value, context: Context): Value {
      return ops.mul(x, context.parameter(this, "scale", { shape: [], initializer: () => Float32Array.of(3) }));
    }
  }
  const again = await checkSaved(made(new Scaled(), float(1, 2)), float(1, 2));
  expect(again.parameters().get("scale")?.trainable).toBe(true);
  expect(((await ask(again, tensor([[1, 2]]))) as Tensor).toArray()).toEqual([[3, 6]]);
});
