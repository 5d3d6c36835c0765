/** Several ranks come to what one process does: parameters, results, decisions; and end together. */
import { expect, test } from "vitest";
import { NonFiniteError, RankError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromIndexed, fromTensors } from "../../data/pipeline/dataset.ts";
import { rowOf } from "../../data/pipeline/rows.ts";
import { rowwise } from "../../data/pipeline/rowwise.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { ranksInProcess } from "../../distributed/in-process.ts";
import {
  activation,
  batchNorm,
  crossEntropy,
  dense,
  dropout,
  l2,
  regularized,
  type Sequential,
  sequential,
  stochasticDepth,
} from "../../nn/index.ts";
import { abs, reduceMean, sqrt, square } from "../../ops/index.ts";
import type { Callback } from "../callbacks/callback.ts";
import { earlyStopping } from "../callbacks/early-stopping.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { fit, type Progress } from "../fit.ts";
import { accuracy } from "../metrics/classification.ts";
import { adam, muon } from "../optimizers/index.ts";
import { clipValue, gradientNorms } from "../transforms/index.ts";
import type { TrainingOptions } from "./training-options.ts";

const random = new Random(keyOf(3));
const rows = 41;
const x = new Tensor(
  "float32",
  [rows, 5],
  Float32Array.from({ length: rows * 5 }, () => random.normal()),
);
const y = new Tensor(
  "int32",
  [rows],
  Int32Array.from({ length: rows }, (_, i) => ((x.data[5 * i] ?? 0) > 0 ? 1 : (i % 3) % 2)),
);
const data = fromTensors({ x, y }).shuffle(keyOf(1)).batch(8);
const held = fromTensors({ x, y }).batch(7);

const plain = () => sequential([dense(16, { activation: "relu" }), dense(2)]);

/** A bias before a normalization has a gradient of rounding alone, which Adam makes a step of any. */
const first = () => dense(16, { bias: false });

interface Case {
  readonly make?: () => Sequential;
  readonly training?: TrainingOptions;
  readonly epochs?: number;
  readonly resume?: Progress;
  readonly batches?: typeof data;
  readonly callbacks?: readonly Callback[];
  readonly classWeights?: readonly number[];
}

async function run(
  { make = plain, training = {}, epochs = 3, resume, batches = data, callbacks = [], classWeights }: Case,
  communicator?: Communicator,
) {
  const model = make();
  const { history, trainer, progress, stopReason } = await fit(model, batches, {
    loss: crossEntropy(classWeights && { classWeights }),
    // With a small epsilon Adam makes steps of gradients that are rounding alone.
    optimizer: adam({ learningRate: 0.01, epsilon: 1e-4 }),
    metrics: [accuracy()],
    epochs,
    validation: held,
    callbacks: [earlyStopping({ patience: 50 }), ...callbacks],
    training: { seed: 2, ...training, communicator, ...(resume && { resume }) },
  });
  const weights = [...model.parameters().values()].flatMap(({ value }) => value?.toNumbers() ?? []);
  return { weights, history, updates: trainer.updates, progress, stopReason };
}

const together = <T>(size: number, work: (communicator: Communicator) => Promise<T>) =>
  Promise.all(ranksInProcess(size).map(work));

function expectAlike(actual: readonly number[], expected: readonly number[], within: number) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(within);
}

// 41 samples in batches of 8 end with one of a single sample, which only one rank has.
test.each<[string, Case]>([
  ["of a plain network", {}],
  [
    "with dropout and stochastic depth",
    { make: () => sequential([dense(16), dropout(0.4), stochasticDepth(0.3), dense(2)]) },
  ],
  [
    "with a penalty and a limit of the norm",
    { make: () => sequential([regularized(dense(16), l2(0.01)), dense(2)]), training: { clipNorm: 0.3 } },
  ],
  [
    "normalized by the batch",
    {
      make: () =>
        sequential([first(), batchNorm(), activation("relu"), dense(8, { bias: false }), batchNorm(), dense(2)]),
      batches: fromTensors({ x, y }).shuffle(keyOf(1)).batch(8, { dropLast: true }),
    },
  ],
  [
    "normalized by the batch, of parts that are added up",
    {
      make: () => sequential([first(), batchNorm(), dense(2)]),
      batches: fromTensors({ x, y }).shuffle(keyOf(1)).batch(8, { dropLast: true }),
      training: { accumulate: 2, clipNorm: 0.5 },
    },
  ],
  ["with accumulation", { training: { accumulate: 3, clipNorm: 1 } }],
  ["with accumulation behind a transform", { training: { accumulate: 2, transforms: [clipValue(0.01)] } }],
  ["each with its part of what Adam remembers", { training: { sharded: true, clipNorm: 0.5 } }],
  [
    "each with its part of what Muon remembers",
    { training: { sharded: true, groups: [{ parameters: "*.weight", optimizer: muon({ learningRate: 0.01 }) }] } },
  ],
  [
    "each with its part, of parts that are added up behind a transform",
    { training: { sharded: true, accumulate: 2, clipNorm: 0.5, transforms: [clipValue(0.01), gradientNorms()] } },
  ],
  ["exchanged in buckets while others are computed", { training: { buckets: 3, clipNorm: 0.5 } }],
  ["each with its part, exchanged in buckets", { training: { buckets: 2, sharded: true, clipNorm: 0.5 } }],
  [
    "normalized by the batch, exchanged in buckets",
    {
      make: () =>
        sequential([first(), batchNorm(), activation("relu"), dense(8, { bias: false }), batchNorm(), dense(2)]),
      batches: fromTensors({ x, y }).shuffle(keyOf(1)).batch(8, { dropLast: true }),
      training: { buckets: 3 },
    },
  ],
  ["with weights of classes, exchanged in buckets", { training: { buckets: 4 }, classWeights: [1, 3] }],
  [
    "of two optimizers, exchanged in buckets",
    { training: { buckets: 8, groups: [{ parameters: "*.weight", optimizer: muon({ learningRate: 0.01 }) }] } },
  ],
  [
    "with a frozen part that is kept",
    {
      epochs: 5,
      make: () => {
        const model = plain();
        model.layers[0]?.freeze();
        return model;
      },
    },
  ],
])("2 and 3 ranks come to what one process does: %s", async (_, own) => {
  const alone = await run(own);
  for (const size of [2, 3]) {
    const all = await together(size, (communicator) => run(own, communicator));
    for (const rank of all) {
      expect(rank.weights).toEqual(all[0]?.weights);
      expect(rank.history).toEqual(all[0]?.history);
      expect(rank.updates).toBe(alone.updates);
      expectAlike(rank.weights, alone.weights, 2e-5);
      for (const [epoch, results] of rank.history.entries())
        expectAlike(Object.values(results), Object.values(alone.history[epoch] ?? {}), 1e-4);
    }
  }
});

test.each<[string, TrainingOptions]>([
  ["", {}],
  ["of which each updates a part", { sharded: true }],
  ["of products in float16, in buckets", { precision: "float16", buckets: 3 }],
])("gradients that are exchanged in float16 come close, the same on all: %s", async (_, own) => {
  const training = { exchange: "float16", clipNorm: 1, ...own } as const;
  const alone = await run({ training: { clipNorm: 1 } });
  const all = await together(3, (communicator) => run({ training }, communicator));
  for (const rank of all) {
    expect(rank.weights).toEqual(all[0]?.weights);
    expect(rank.history).toEqual(all[0]?.history);
    // 18 steps of 0.01, whose direction is rounded to 11 bits.
    expectAlike(rank.weights, alone.weights, 2e-3);
    expect(rank.weights).not.toEqual(alone.weights);
  }
});

test("norms are those of whole gradients, though each rank has its part alone", async () => {
  const norms = async (communicator?: Communicator) => {
    const seen: number[] = [];
    const watching: Callback = {
      name: "watching",
      onBatch: (_, { gradientNorm, reports }) =>
        void seen.push(gradientNorm, ...Object.values(reports["gradientNorms"] ?? {})),
    };
    const training = { sharded: true, transforms: [gradientNorms()] };
    await run({ epochs: 1, training, callbacks: [watching] }, communicator);
    return seen;
  };
  const alone = await norms();
  expect(alone).toHaveLength(6 * 5);
  for (const seen of await together(3, norms)) expectAlike(seen, alone, 1e-5);
});

test("samples that are read one by one are read by one rank each, whatever is done with their batches", async () => {
  const runOn = async (communicator?: Communicator) => {
    const read: number[] = [];
    const samples = fromIndexed(rows - 1, async (i) => {
      read.push(i);
      return { x: rowOf(x, i), y: rowOf(y, i) };
    });
    const batches = samples
      .shuffle(keyOf(5))
      .batch(8)
      .map(
        rowwise(({ x: own, y: labels }, noise) => ({
          x: new Tensor(
            "float32",
            own.shape,
            Float32Array.from(own.data as Float32Array, (value) => value + 0.1 * noise.normal()),
          ),
          y: labels,
        })),
        keyOf(6),
      )
      .prefetch(2)
      .take(5)
      .inParts(2);
    const training = { accumulate: 2 };
    const { weights } = await run({ batches: batches as typeof data, training, epochs: 2 }, communicator);
    return { weights, read };
  };
  const alone = await runOn();
  const [first, second] = await together(2, runOn);
  for (const all of [first, second]) expectAlike(all?.weights ?? [], alone.weights, 2e-5);
  // Once in each of two epochs.
  const counts = new Map<number, number>();
  for (const i of [...(first?.read ?? []), ...(second?.read ?? [])]) counts.set(i, (counts.get(i) ?? 0) + 1);
  expect([...counts.values()]).toEqual(new Array(rows - 1).fill(2));
  expect(first?.read.length).toBe(second?.read.length);
});

test("batches that are changed as a whole are read as a whole", async () => {
  const centred = fromIndexed(rows - 1, async (i) => ({ x: rowOf(x, i), y: rowOf(y, i) }))
    .batch(8)
    .map(({ x: own, y: labels }) => {
      const mean = (own.data as Float32Array).reduce((sum, value) => sum + value, 0) / own.data.length;
      return {
        x: new Tensor(
          "float32",
          own.shape,
          Float32Array.from(own.data as Float32Array, (value) => value - mean),
        ),
        y: labels,
      };
    });
  const alone = await run({ batches: centred as typeof data });
  for (const { weights } of await together(2, (communicator) => run({ batches: centred as typeof data }, communicator)))
    expectAlike(weights, alone.weights, 2e-5);
});

test("normalized over the rows of each rank, all have the mean of their running statistics", async () => {
  const make = () => sequential([dense(6), batchNorm(), dense(2)]);
  const training = { normalization: "local" } as const;
  const batches = fromTensors({ x, y }).batch(20).take(2);
  const all = await together(2, (communicator) => run({ make, training, batches }, communicator));
  const alone = await run({ make, batches });
  expect(all[1]?.weights).toEqual(all[0]?.weights);
  expect(all[0]?.weights.some((weight, i) => Math.abs(weight - (alone.weights[i] ?? 0)) > 1e-3)).toBe(true);
});

test("a checkpoint goes on with another number of ranks", async () => {
  const whole = await run({ epochs: 4 });
  const [first] = await together(3, (communicator) => run({ epochs: 2 }, communicator));
  const resume = decodeCheckpoint(encodeCheckpoint(first?.progress as Progress));
  const [second] = await together(2, (communicator) => run({ epochs: 4, resume }, communicator));
  expectAlike(second?.weights ?? [], whole.weights, 2e-5);
  expectAlike((await run({ epochs: 4, resume })).weights, whole.weights, 2e-5);
});

test.each<[string, TrainingOptions]>([
  ["optimizers that each remember a part", { sharded: true }],
  ["batches that are added up", { accumulate: 3 }],
  ["both", { sharded: true, accumulate: 3 }],
  ["both, behind a transform", { sharded: true, accumulate: 3, transforms: [clipValue(0.01)] }],
])("a run of %s goes on from within an epoch", async (_, training) => {
  const whole = await run({ epochs: 3, training });
  const saved: Progress[] = [];
  const saving: Callback = {
    name: "saving",
    leads: true,
    saves: ({ trainer }) => trainer.batches === 8,
    onBatch(own) {
      if (own.trainer.batches === 8) saved.push(decodeCheckpoint(encodeCheckpoint(own.progress())));
    },
  };
  await together(3, (communicator) => run({ epochs: 2, training, callbacks: [saving] }, communicator));
  expect(saved).toHaveLength(1);
  const [resume] = saved as [Progress];
  // As many, fewer, and one, which remembers everything.
  for (const size of [3, 2]) {
    const [first] = await together(size, (communicator) => run({ epochs: 3, training, resume }, communicator));
    expectAlike(first?.weights ?? [], whole.weights, 2e-5);
  }
  expectAlike((await run({ epochs: 3, training, resume })).weights, whole.weights, 2e-5);
});

test("what one rank ends, all end, and it is named", async () => {
  const results = await together(3, async (communicator) => {
    const model = plain();
    return fit(model, data, {
      loss: crossEntropy(),
      optimizer: adam(),
      epochs: 3,
      callbacks: [
        {
          name: "stopping",
          onBatch: (own) => {
            if (communicator.rank === 2 && own.batchInEpoch === 3) own.stop("it has seen enough");
          },
        },
      ],
      training: { communicator },
    });
  });
  for (const { stopReason, trainer } of results) {
    expect(stopReason).toBe("it has seen enough (rank 2 of 3)");
    expect(trainer.batches).toBe(3);
  }
});

test("the rate is rank 0's where clocks say otherwise, and a rank without a batch to measure knows the figures", async () => {
  const results = await together(2, async (communicator) => {
    const model = plain();
    const { history } = await fit(model, data, {
      objective: (context, batch) => {
        const scores = model.apply(batch.x, context);
        return { loss: crossEntropy()(scores, batch.y), figures: { size: reduceMean(square(scores)) } };
      },
      optimizer: adam({ learningRate: () => 0.01 * (communicator.rank + 1) }),
      epochs: 2,
      // One batch: the second rank has none.
      validation: fromTensors({ x, y }).batch(rows),
      callbacks: [earlyStopping({ monitor: "validation_size" })],
      training: { communicator },
    });
    return { history, weights: [...model.parameters().values()].map(({ value }) => value?.toNumbers()) };
  });
  expect(results[1]).toEqual(results[0]);
});

test("a rank that fails ends the others, which name it and why", async () => {
  const ended = await Promise.allSettled(
    ranksInProcess(3).map((communicator) =>
      fit(plain(), data, {
        loss: crossEntropy(),
        optimizer: adam(),
        epochs: 1,
        callbacks: [
          {
            name: "failing",
            onBatch() {
              if (communicator.rank === 1) throw new Error("the disk is gone");
            },
          },
        ],
        training: { communicator },
      }),
    ),
  );
  const reasons = ended.map((own) => (own.status === "rejected" ? own.reason : undefined));
  expect(String(reasons[1])).toBe("Error: the disk is gone");
  for (const rank of [0, 2]) {
    expect(reasons[rank]).toBeInstanceOf(RankError);
    expect(String(reasons[rank])).toContain("rank 1 of 3 ended: the disk is gone");
  }
});

test("a number that is none is looked for on every rank, and the one that has it is named", async () => {
  const broken = x.data.slice();
  broken[5 * 6] = Number.NaN;
  const rowsOf = fromTensors({ x: new Tensor("float32", x.shape, broken), y }).batch(8);
  const ended = await Promise.allSettled(
    ranksInProcess(2).map((communicator) =>
      fit(plain(), rowsOf, { loss: crossEntropy(), optimizer: adam(), epochs: 1, training: { communicator } }),
    ),
  );
  for (const own of ended) {
    const reason = own.status === "rejected" ? own.reason : undefined;
    expect(reason).toBeInstanceOf(NonFiniteError);
    expect(String(reason)).toContain('on rank 1 of 2 the loss became NaN at batch 1: "x" of the batch holds NaN');
  }
});

test("a gradient of one rank that is no number ends all, also before they meet", async () => {
  // The root of 0 has no finite gradient, and a finite loss.
  const zeros = x.data.slice();
  zeros.fill(0, 5 * 6, 5 * 7);
  const rowsOf = fromTensors({ x: new Tensor("float32", x.shape, zeros) }).batch(8);
  const ended = await Promise.allSettled(
    ranksInProcess(2).map((communicator) => {
      const model = sequential([dense(1, { bias: false })]);
      return fit(model, rowsOf, {
        objective: (context, batch) => ({ loss: reduceMean(sqrt(abs(model.apply(batch.x, context)))) }),
        optimizer: adam(),
        epochs: 1,
        training: { communicator, accumulate: 3 },
      });
    }),
  );
  for (const own of ended) {
    const reason = own.status === "rejected" ? own.reason : undefined;
    expect(reason).toBeInstanceOf(NonFiniteError);
    expect(String(reason)).toMatch(/on rank 1 of 2 the gradient's norm became NaN at batch 1/);
  }
});

test("callbacks that write or print are rank 0's", async () => {
  const called: number[] = [];
  await together(2, (communicator) =>
    fit(plain(), data, {
      loss: crossEntropy(),
      optimizer: adam(),
      epochs: 1,
      callbacks: [{ name: "printing", leads: true, onEpoch: () => void called.push(communicator.rank) }],
      training: { communicator },
    }),
  );
  expect(called).toEqual([0]);
});
