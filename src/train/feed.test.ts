/** What frozen layers give for a sample is computed once, and training is the same as without. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { flip as flipped } from "../data/images/augment.ts";
import { type Dataset, fromIndexed, fromIterable, fromTensors } from "../data/index.ts";
import { unfreezeLast } from "../finetune/index.ts";
import { smallGpt2 } from "../finetune/testing/models.ts";
import { classifier } from "../formats/testing/onnx-files.ts";
import {
  type AnyModule,
  activation,
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  type Module,
  maxPool2d,
  sequential,
} from "../nn/index.ts";
import * as ops from "../ops/index.ts";
import { diskRows } from "./engine/kept-rows.node.ts";
import type { CacheOptions } from "./engine/prefix-cache.ts";
import { fit } from "./fit.ts";
import { accuracy, adam } from "./index.ts";

const random = new Random(keyOf(3));
const images = new Tensor(
  "float32",
  [23, 2, 8, 8],
  Float32Array.from({ length: 23 * 128 }, () => random.normal()),
);
const labels = new Tensor(
  "int32",
  [23],
  Int32Array.from({ length: 23 }, () => random.integer(3)),
);
const samples = () => fromTensors({ x: images, y: labels });

function network(): Module {
  const body = sequential([
    conv2d(8, 3, { activation: "relu" }),
    batchNorm(),
    conv2d(8, 3, { activation: "relu" }),
    flatten(),
  ]);
  const model = sequential([body, dropout(0.3), dense(3)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [2, 2, 8, 8] });
  body.freeze();
  return model;
}

type Options = {
  validation?: Dataset<{ x: Tensor; y: Tensor }>;
  cache?: false | CacheOptions;
  epochs?: number;
  model?: AnyModule;
  resume?: unknown;
  callbacks?: unknown[];
};

async function trained(
  data: Dataset<{ x: Tensor; y: Tensor }>,
  { model = network(), epochs = 5, ...rest }: Options = {},
) {
  const { cache, resume, validation, callbacks = [] } = rest;
  const result = await fit(model, data, {
    loss: crossEntropy(),
    metrics: [accuracy()],
    ...(validation && { validation }),
    optimizer: adam({ learningRate: 0.01 }),
    epochs,
    callbacks: callbacks as never,
    training: { ...(cache !== undefined && { cache }), ...(resume !== undefined && { resume: resume as never }) },
  });
  const values = [...model.parameters()].map(([path, { value }]) => [path, value?.toNumbers()]);
  return { ...result, values };
}

/** How often the data was read, element by element. */
function counted() {
  let reads = 0;
  const data = fromIndexed(23, (i) => {
    reads++;
    return {
      x: new Tensor("float32", [2, 8, 8], images.data.slice(i * 128, (i + 1) * 128) as Float32Array),
      y: new Tensor("int32", [], Int32Array.of(labels.data[i] as number)),
    };
  });
  return { data, reads: () => reads };
}

describe("training on kept results", () => {
  test("gives the same numbers under shuffling, with a smaller last batch, and reads each sample twice", async () => {
    const { data, reads } = counted();
    const kept = await trained(data.shuffle(keyOf(2)).batch(4));
    expect(reads()).toBe(2 * 23);
    expect(kept.notes[0]).toMatch(
      /^the frozen layers before the trained ones, 97 % of .* computed once for each of 23 samples and kept, 0\.0 MB; a batch of later epochs took/,
    );
    const plain = await trained(samples().shuffle(keyOf(2)).batch(4), { cache: false });
    expect(plain.notes).toEqual([]);
    expect(kept.history).toEqual(plain.history);
    expect(kept.values).toEqual(plain.values);
  });

  test("measures validation data alike, and reads it twice", async () => {
    const { data, reads } = counted();
    const validation = data.batch(6);
    const kept = await trained(samples().batch(4), { validation });
    expect(reads()).toBe(2 * 23);
    const plain = await trained(samples().batch(4), { validation, cache: false });
    expect(kept.history).toEqual(plain.history);
  });

  test("behind images that are enlarged and repeated as channels, and the largest of neighbours", async () => {
    const repeat = activation((x) => {
      const large = ops.resize(x, [12, 12], { mode: "linear" });
      return ops.concat([large, large], 1);
    });
    const enlarged = () => {
      const body = sequential([
        repeat,
        conv2d(8, 3, { activation: "relu" }),
        maxPool2d(2),
        conv2d(8, 3, { activation: "relu" }),
        flatten(),
      ]);
      const model = sequential([body, dense(3)]);
      model.initialize(keyOf(1), { dtype: "float32", shape: [2, 2, 8, 8] });
      body.freeze();
      return model;
    };
    const data = samples().batch(8, { dropLast: false });
    const kept = await trained(data, { model: enlarged() });
    expect(kept.notes).toEqual([expect.stringMatching(/99 % of the work .* once for each of 23 samples/)]);
    expect(kept.values).toEqual((await trained(data, { model: enlarged(), cache: false })).values);
  });

  test("of a graph of a file", async () => {
    const own = () => {
      const model = classifier();
      model.freeze("conv");
      return model;
    };
    const data = fromTensors({
      x: new Tensor("float32", [23, 1, 6, 6], images.data.slice(0, 23 * 36) as Float32Array),
      y: labels,
    }).batch(5);
    const kept = await trained(data, { model: own() });
    const plain = await trained(data, { model: own(), cache: false });
    expect(kept.values).toEqual(plain.values);
    expect(kept.notes[0]).toMatch(/computed once for each of 23 samples/);
  });

  test("of a transformer whose last block is trained", async () => {
    const own = () => {
      const model = smallGpt2();
      unfreezeLast(model, 1);
      return model;
    };
    const tokens = new Tensor(
      "int32",
      [23, 6],
      Int32Array.from({ length: 138 }, (_, i) => (i * 7) % 20),
    );
    const data = fromTensors({ x: tokens, y: tokens }).shuffle(keyOf(5)).batch(5);
    const kept = await trained(data, { model: own() });
    const plain = await trained(data, { model: own(), cache: false });
    expect(kept.values).toEqual(plain.values);
    expect(kept.notes[0]).toMatch(/the trained ones, (3|4)\d % of .* computed once for each of 23 samples/);
  });

  test("goes on after a resume as if nothing had happened, to the bit", async () => {
    const data = samples().shuffle(keyOf(2)).batch(4);
    const whole = await trained(data, { epochs: 6 });
    const begun = await trained(data, { epochs: 3 });
    const resumed = await trained(data, { epochs: 6, resume: begun.progress });
    expect(resumed.values).toEqual(whole.values);
  });

  test("on disk where memory has no room, and anew where neither has", async () => {
    const data = samples().batch(4);
    const plain = await trained(data);
    const row = plain.notes[0]?.match(/23 samples/);
    expect(row).not.toBeNull();
    const disk = await trained(data, { cache: { memory: 3000, disk: diskRows({ bytes: 1e6 }) } });
    expect(disk.values).toEqual(plain.values);
    expect(disk.notes[0]).toMatch(/each of 23 samples/);
    const none = await trained(data, { cache: { memory: 3000 } });
    expect(none.values).toEqual(plain.values);
    expect(none.notes[0]).toMatch(/each of 5 samples/);
  });

  test("follows what is unfrozen, frozen and replaced meanwhile", async () => {
    const changes = (model: AnyModule) => ({
      name: "changes",
      onEpoch: ({ epoch }: { epoch: number }) => {
        const bias = model.parameters().get("layers.0.layers.0.bias");
        if (epoch === 3 && bias) bias.value = new Tensor("float32", [8], new Float32Array(8).fill(0.1));
        if (epoch === 4) model.unfreeze("layers.0.layers.2");
      },
    });
    const run = (cache: false | CacheOptions) => {
      const model = network();
      return trained(samples().batch(4), { model, cache, epochs: 8, callbacks: [changes(model)] });
    };
    const [kept, plain] = [await run({}), await run(false)];
    expect(kept.values).toEqual(plain.values);
  });
});

describe("nothing is kept, and it is told why", () => {
  const why = async (data: Dataset<{ x: Tensor; y: Tensor }>) => (await trained(data, { epochs: 3 })).notes[0];
  const flip = flipped("horizontal");

  test("of samples that are augmented, of streams, of filters", async () => {
    const augmented = samples()
      .batch(4)
      .map(({ x, y }, own) => ({ x: flip(x, own), y }));
    expect(await why(augmented)).toMatch(
      /were computed anew in each epoch, since a map draws random numbers in each epoch/,
    );
    expect(
      await why(
        samples()
          .filter(() => true)
          .batch(4),
      ),
    ).toMatch(/since a filter leaves out samples/);
    const stream = fromIterable(() => [0, 1, 2].map(() => ({ x: images, y: labels })));
    expect(await why(stream)).toMatch(/since the data is a stream/);
  });

  test("of samples that change though nothing says so", async () => {
    let calls = 0;
    const drifting = samples()
      .batch(4)
      .map(({ x, y }) => ({
        x: new Tensor(
          "float32",
          x.shape,
          Float32Array.from(x.data as Float32Array, (own) => own + calls++),
        ),
        y,
      }));
    expect(await why(drifting)).toMatch(/since samples change from epoch to epoch/);
  });

  test("and nothing is said where little is frozen", async () => {
    const model = network();
    model.unfreeze();
    expect((await trained(samples().batch(4), { model, epochs: 3 })).notes).toEqual([]);
  });
});

test("options that make no sense are refused", async () => {
  await expect(trained(samples().batch(4), { cache: true as never })).rejects.toThrow(
    /cache is true; pass false, or bounds/,
  );
  await expect(trained(samples().batch(4), { cache: { memory: -1 } })).rejects.toThrow(/cache/);
});
