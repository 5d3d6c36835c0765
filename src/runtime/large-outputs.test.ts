/** Large outputs are written where they are to be, once, and what fails meanwhile is told as ever. */
import { expect, test } from "vitest";
import { RuntimeError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, input } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { encodeModel } from "../onnx/model.ts";
import * as ops from "../ops/index.ts";
import { backend } from "./node.ts";
import { endOutput } from "./session.ts";

const count = 1 << 20;
const bytes = 4 * count;
const filled = (value: number) => new Tensor("float32", [count], new Float32Array(count).fill(value));

test("a room that is given has the output, and no copy is made of it", async () => {
  const x = input("float32", [count]);
  const double = ops.mul(x, 2);
  const { run, session } = await compile([x], [double, ops.reduceMax(double), ops.cast(ops.greater(x, 4), "bool")]);
  const [given, room] = [filled(3), filled(0)];
  await run([given], [room, undefined, undefined]);
  const before = process.memoryUsage().arrayBuffers;
  const [y, largest, mask] = await run([given], [room, undefined, undefined]);
  // The mask is fresh, a byte an element.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes / 2);
  expect(y).toBe(room);
  expect(new Set(room.data)).toEqual(new Set([6]));
  expect([largest?.dtype, largest?.shape, Array.from(largest?.data as Float32Array)]).toEqual(["float32", [], [6]]);
  expect([mask?.dtype, mask?.data.length, new Set(mask?.toNumbers())]).toEqual(["bool", count, new Set([0])]);
  // Without a room, and with a small one, outputs come as they always have.
  const [fresh] = await run([given]);
  expect(fresh === room).toBe(false);
  expect(fresh?.data[count - 1]).toBe(6);
  await session.release();
});

test("a run that fails before all is written says why", async () => {
  const [x, index] = [input("float32", [count]), input("int32", [count])];
  // What is asked of `compile` would be refused before it runs.
  const session = await backend.compile(
    encodeModel(graphOf([x, index], [ops.gather(x, index)]), { sequence: endOutput }),
  );
  const far = new Tensor("int32", [count], new Int32Array(count).fill(count));
  const failed = session.run([filled(1), far], [filled(0)]);
  await expect(failed).rejects.toThrow(RuntimeError);
  await expect(failed).rejects.toThrow(/out of data bounds/);
  await session.release();
});

test("extents that are not known before are left to the engine", async () => {
  const x = input("float32", [count]);
  const graph = graphOf([x], [ops.mul(x, 2), ops.mul(x, 3)]);
  const symbols = (_: unknown, axis: number) => (axis === 0 ? "n" : undefined);
  const session = await backend.compile(encodeModel(graph, { symbols, sequence: endOutput }));
  const room = filled(0);
  const [double, triple] = await session.run([filled(1)], [room, undefined]);
  expect([double, room.data[count - 1], triple?.data[count - 1]]).toEqual([room, 2, 3]);
  await session.release();
});

test("a tensor may have the name of that output, as may an input", async () => {
  const given = input("float32", [count]);
  const file = encodeModel(graphOf([given], [ops.mul(given, 2)]), { outputNames: [endOutput] });
  const session = await backend.compile(file);
  const [double] = await session.run([filled(1)], [filled(0)]);
  expect(double?.data[0]).toBe(2);
  await session.release();

  const x = input("float32", [count], endOutput);
  const { run, session: other } = await compile([x], [ops.add(x, 1)]);
  const [y] = await run([filled(1)], [filled(0)]);
  expect(y?.data[0]).toBe(2);
  await other.release();
});
