/** Loops that several threads compute give what one thread gives, to the bit, and tensors outlive whoever made them. */
import { expect, test } from "vitest";
import { Tensor } from "../core/tensor.ts";
import { input } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { fuse } from "../jit/fused.ts";
import { add, mul, sqrt, square, sub } from "../ops/index.ts";
import { loopMemories } from "./loop-team.node.ts";
import { type LoopMemory, ownMemory, segmentElements } from "./loops.ts";

/** Elements of a vector: a memory of three is large enough for threads, and the last segment is not whole. */
const length = 6 * segmentElements + 4096 + 16;

/** Three updates of two vectors with sums, and what they came to. */
function updated(memory: LoopMemory, [start, end]: readonly [number, number]) {
  const vectors = [0, 1, 2].map((i) => new Float32Array(memory.buffer, 4 * i * length, length));
  for (const [i, vector] of vectors.entries())
    for (let k = 0; k < length; k++) vector[k] = ((k * (7 + i)) % 1009) / 503;
  const move = fuse(memory, vectors, 2, ([x, y, z], [rate, keep]) => {
    if (!x || !y || !z || !rate || !keep) throw new Error("three operands");
    const next = add(mul(y, keep), mul(square(z), rate));
    return { results: [sub(x, mul(rate, sqrt(next))), next, undefined], sum: next };
  });
  const squares = fuse(memory, vectors, 0, ([x]) => ({ results: [], ...(x && { sum: square(x) }) }));
  const sums: number[] = [];
  for (let i = 0; i < 3; i++) sums.push(move(start, end, [0.1 + i, 0.9]), squares(start, end, []));
  return { vectors, sums };
}

test.each([2, 3])("%i threads, of all elements and of a range", (threads) => {
  for (const range of [
    [0, length],
    [16, length - 32],
    [32, 64],
  ] as const) {
    const shared = loopMemories(threads)(12 * length);
    expect(shared.shared).toBeDefined();
    const [own, together] = [updated(ownMemory(12 * length), range), updated(shared, range)];
    expect(together.sums).toEqual(own.sums);
    for (const [i, vector] of own.vectors.entries())
      expect(Buffer.compare(Buffer.from(vector.buffer), Buffer.from(together.vectors[i]?.buffer as ArrayBuffer))).toBe(
        0,
      );
  }
});

test("small memories, and those of one thread, are no thread's but this one's", () => {
  expect(loopMemories(2)(1 << 20).shared).toBe(undefined);
  expect(loopMemories(1)(1 << 27).shared).toBe(undefined);
});

test("the engine reads and writes what threads share", async () => {
  const { buffer } = loopMemories(2)(1 << 26);
  const [x, y] = [0, 64].map((at) => new Tensor("float32", [16], new Float32Array(buffer, at, 16))) as [Tensor, Tensor];
  x.data.fill(3 as never);
  const given = input("float32", [16]);
  const { run, session } = await compile([given], [mul(given, 2)]);
  await run([x], [y]);
  expect(y.toNumbers()).toEqual(new Array(16).fill(6));
  await session.release();
});
