/** How fast this machine computes: a matrix product, and a training step of a network on made-up numbers. */
import { allocate, type DType } from "../../core/dtype.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../../jit/compile.ts";
import { matmul, reduceSum } from "../../ops/index.ts";
import type { Network } from "../networks/network.ts";
import { backwardOf } from "./backward.ts";
import { costOf } from "./cost.ts";

export interface Throughput {
  /** Seconds of one run, the median. */
  readonly seconds: number;
  /** FLOPs of one run, by the operators' own rules. */
  readonly flops: number;
}

/** Small floats, so that nothing overflows or turns subnormal; zeros of other types, which are valid classes and tokens. */
function madeUp({ dtype, shape }: Value): Tensor {
  const data = allocate(dtype as DType, size(shape));
  if (dtype === "float32" || dtype === "float64")
    for (let i = 0; i < data.length; i++) data[i] = 0.01 + 0.02 * ((i * 0.618) % 1);
  return new Tensor(dtype, shape, data);
}

/** Runs until enough time has passed, at least three times after one that is not counted. */
async function timed({ graph, run, session }: Executable, seconds: number): Promise<number> {
  const inputs = graph.inputs.map(madeUp);
  try {
    await run(inputs);
    const times: number[] = [];
    for (let spent = 0; times.length < 3 || (spent < seconds && times.length < 100); ) {
      const began = performance.now();
      await run(inputs);
      const took = (performance.now() - began) / 1000;
      times.push(took);
      spent += took;
    }
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)] as number;
  } finally {
    await session.release();
  }
}

/** The product of two float32 matrices of an extent: what this machine can reach. */
export async function measureProduct(options: CompileOptions = {}, extent = 1024, seconds = 0.5): Promise<Throughput> {
  const [a, b] = [input("float32", [extent, extent]), input("float32", [extent, extent])];
  // Its sum is returned, since memory for the whole result would be taken anew in each run.
  const executable = await compile([a, b], [reduceSum(matmul(a, b))], options);
  return { seconds: await timed(executable, seconds), flops: 2 * extent ** 3 };
}

/** A forward and a backward pass of a network, without the optimizer's update; `undefined` when it cannot be trained. */
export async function measureStep(
  network: Network,
  options: CompileOptions = {},
  seconds = 2,
): Promise<Throughput | undefined> {
  const training = network.graphs?.training;
  if (!training) return undefined;
  const { graph } = backwardOf(training, network.parameters);
  const executable = await compile(graph.inputs, graph.outputs, options);
  return { seconds: await timed(executable, seconds), flops: costOf(graph.nodes).flops };
}
