/** Just-in-time compilation: a TypeScript function over graph values becomes a function over host tensors. */
import { OptionError } from "../core/errors.ts";
import { matching } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { isPlainObject, leavesOf, type MapTree, mapTree } from "../core/tree.ts";
import { input, Value } from "../graph/ir.ts";
import { type CompileOptions, compile, compileTypes } from "./compile.ts";
import { type Compiled, SessionCache, type SessionLimits, sessionTypes } from "./session-cache.ts";

/** `T` with host tensors where it has graph values. */
export type Host<T> = MapTree<T, Value, Tensor>;

/** Options of `jit`: how graphs are compiled, and where results go. */
export interface JitOptions extends CompileOptions, SessionLimits {
  /**
   * Nested as the result: tensors into which results are written in place. Where there is none the result is a new
   * tensor.
   */
  readonly into?: unknown;
}

const checkOptions = optionsOf<JitOptions>("jit", {
  ...compileTypes,
  ...sessionTypes,
  into: matching("tensors nested as the result", (value) => value !== null),
});

/** A traced function, compiled. */
interface Traced extends Compiled {
  /** The traced result: values are looked up among the outputs, everything else is returned as it is. */
  readonly result: unknown;
  /** For each output, the tensor that it is written into. */
  readonly into: readonly (Tensor | undefined)[];
}

/**
 * Compiles `fn` on its first call with arguments of each signature (dtypes, shapes, and everything that is no tensor),
 * and runs the compiled graph from then on. Arguments and results are pytrees: tensors nested in arrays and objects.
 * `fn` runs while it is traced only: what it does beside building values happens once for each signature. Throws
 * OptionError where `fn` returns no tensor, and what tracing and compiling throw.
 * @example
 * const norm = jit((x: Value) => ops.sqrt(ops.reduceSum(ops.mul(x, x))));
 * (await norm(tensor([3, 4]))).item(); // 5
 */
export function jit<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: JitOptions = {},
): (...args: Host<A> & readonly unknown[]) => Promise<Host<R>> {
  const { sessions, sessionBytes, ...compileOptions } = checkOptions(options);
  const cache = new SessionCache<Traced>({ sessions, sessionBytes });
  const identities = new WeakMap<object, number>();
  let known = 0;
  const identify = (item: object): number => {
    const identity = identities.get(item) ?? known++;
    identities.set(item, identity);
    return identity;
  };
  return async (...args) => {
    const tensors: Tensor[] = [];
    const signature = signatureOf(args, tensors, identify);
    const build = () => trace(fn, args, compileOptions);
    return cache.use(signature, build, async ({ executables: [executable], result, into }) => {
      const outputs = (await executable?.run(tensors, into)) ?? [];
      let next = 0;
      return mapTree(result, (leaf) => (leaf instanceof Value ? outputs[next++] : leaf)) as Host<R>;
    });
  };
}

/**
 * A text that differs for arguments that need another graph; collects the tensors on the way. Functions and instances of
 * classes are told apart by identity: what they hold cannot be seen.
 */
function signatureOf(item: unknown, tensors: Tensor[], identify: (item: object) => number): string {
  if (item instanceof Tensor) {
    tensors.push(item);
    return `${item.dtype}[${item.shape}]`;
  }
  if (Array.isArray(item)) return `[${item.map((element) => signatureOf(element, tensors, identify)).join()}]`;
  if (isPlainObject(item))
    return `{${Object.entries(item)
      .map(([key, value]) => `${JSON.stringify(key)}:${signatureOf(value, tensors, identify)}`)
      .join()}}`;
  if (typeof item === "function" || (typeof item === "object" && item !== null)) return `#${identify(item)}`;
  return typeof item === "string" ? JSON.stringify(item) : `${typeof item}:${String(item)}`;
}

async function trace<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  args: unknown,
  { into, ...options }: JitOptions,
): Promise<Traced> {
  const inputs: Value[] = [];
  const traced = mapTree(args, (leaf, path) => {
    if (!(leaf instanceof Tensor)) return leaf;
    const value = input(leaf.dtype, leaf.shape, `argument.${path}`);
    inputs.push(value);
    return value;
  }) as unknown;
  const result = fn(...(traced as A));
  const found = leavesOf(result).flatMap(({ leaf, path }) => (leaf instanceof Value ? [{ leaf, path }] : []));
  const outputs = found.map(({ leaf }) => leaf);
  if (outputs.length === 0)
    throw new OptionError("jit: the function returned no tensor; return at least one graph value");
  const targets = targetsOf(into, new Map(found.map(({ leaf, path }) => [path, leaf])));
  const executable = await compile(inputs, outputs, options);
  return { executables: [executable], result, into: found.map(({ path }) => targets.get(path)) };
}

/** The tensors into which results are written, by path. Throws OptionError for one that no result fits. */
function targetsOf(into: unknown, results: ReadonlyMap<string, Value>): ReadonlyMap<string, Tensor> {
  const targets = new Map<string, Tensor>();
  for (const { leaf, path } of leavesOf(into)) {
    if (leaf === undefined) continue;
    const result = results.get(path);
    if (!(leaf instanceof Tensor) || !result || leaf.dtype !== result.dtype || !sameShape(leaf.shape, result.shape))
      throw new OptionError(
        `jit: into has ${leaf instanceof Tensor ? `${leaf.dtype} ${showShape(leaf.shape)}` : `a ${typeof leaf}`} at "${path}", where the function returns ${result ?? "no tensor"}; nest tensors as its results are`,
      );
    targets.set(path, leaf);
  }
  return targets;
}
