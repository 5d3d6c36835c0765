/**
 * A U-Net segments discs in noisy images that also show bright lines: features of each resolution on the way down are joined to those on
 * the way up. Ronneberger, Fischer and Brox 2015, fig. 1; the Dice loss is Milletari, Navab and Ahmadi's (2016, sec. 3).
 */
import {
  adam,
  type Context,
  conv2d,
  convTranspose2d,
  defineLoss,
  fit,
  fromTensors,
  keyOf,
  Module,
  maxPool2d,
  ops,
  predict,
  Random,
  sequential,
  Tensor,
  type Value,
} from "sardonyx";

const size = 24;
const relu = { padding: 1, activation: "relu" } as const;
const block = (filters: number) => sequential([conv2d(filters, 3, relu), conv2d(filters, 3, relu)]);

class UNet extends Module {
  readonly down = [block(8), block(16)];
  readonly pool = maxPool2d(2);
  readonly bottom = block(32);
  readonly rise = [convTranspose2d(8, 2, { stride: 2 }), convTranspose2d(16, 2, { stride: 2 })];
  readonly up = [block(8), block(16)];
  readonly head = conv2d(1, 1);
  /** Images [N, 1, H, W] → logits of every pixel; H and W are multiples of 4. */
  protected call(x: Value, context: Context): Value {
    const pass = (own: Value, level: number): Value => {
      const [down, rise, up] = [this.down[level], this.rise[level], this.up[level]];
      if (!down || !rise || !up) return this.bottom.apply(own, context);
      const kept = down.apply(own, context);
      const below = pass(this.pool.apply(kept, context), level + 1);
      return up.apply(ops.concat([kept, rise.apply(below, context)], 1), context);
    };
    return this.head.apply(pass(x, 0), context);
  }
}

/** For each image 1 - 2 Σ p t / (Σ p² + Σ t²). */
const dice = defineLoss((logits, target) => {
  const p = ops.sigmoid(logits);
  const sum = (value: Value) => ops.reduceSum(value, [1, 2, 3]);
  const overlap = ops.div(ops.mul(2, sum(ops.mul(p, target))), ops.add(sum(ops.square(p)), sum(ops.square(target))));
  return { terms: ops.sub(1, overlap) };
});

const random = new Random(keyOf(1));
/** Images with one disc and three lines of its brightness under noise, and where the disc is. */
function scenes(count: number) {
  const [x, y] = [new Float32Array(count * size * size), new Float32Array(count * size * size)];
  for (let image = 0; image < count; image++) {
    const [u, v, radius] = [random.uniform(5, size - 5), random.uniform(5, size - 5), random.uniform(3, 5)];
    const lines = [0, 1, 2].map(() => [random.uniform(0, Math.PI), random.uniform(-8, 8)]);
    for (let i = 0; i < size * size; i++) {
      const [row, column] = [Math.floor(i / size), i % size];
      const isDisc = Math.hypot(row - u, column - v) < radius;
      const isLine = lines.some(
        ([angle = 0, offset = 0]) =>
          Math.abs((row - 12) * Math.cos(angle) + (column - 12) * Math.sin(angle) - offset) < 0.7,
      );
      x[image * size * size + i] = Number(isDisc || isLine) + 0.3 * random.normal();
      y[image * size * size + i] = Number(isDisc);
    }
  }
  const shape = [count, 1, size, size];
  return { x: new Tensor("float32", shape, x), y: new Tensor("float32", shape, y) };
}

const model = new UNet();
await fit(model, fromTensors(scenes(400)).shuffle(keyOf(2)).batch(20), {
  loss: dice,
  optimizer: adam({ learningRate: 0.003 }),
  epochs: 8,
  training: { compile: { threads: 1 } },
});

const test = scenes(100);
const truth = test.y.toNumbers();
/** 2 |A ∩ B| / (|A| + |B|) of marked pixels and pixels of discs. */
const score = (marks: readonly boolean[]) => {
  const hits = marks.filter((mark, i) => mark && truth[i] === 1).length;
  return ((2 * hits) / (marks.filter(Boolean).length + truth.filter(Boolean).length)).toFixed(3);
};
const marked = (await predict(model, test.x)).toNumbers().map((logit) => logit > 0);
console.log(`Dice score of the U-Net: ${score(marked)}`);
console.log(`Dice score of bright pixels: ${score(test.x.toNumbers().map((brightness) => brightness > 0.5))}`);
