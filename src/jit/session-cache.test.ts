/** Compiled graphs are bounded: the oldest go, runs under way keep theirs, and changing shapes are told once. */
import { afterEach, expect, test, vi } from "vitest";
import { type Tensor, zerosTensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { add, reduceSum } from "../ops/index.ts";
import type { Executable } from "./compile.ts";
import { jit } from "./jit.ts";

// A module of its own: that which the files of a process share may have said it already.
vi.resetModules();
const { SessionCache } = await import("./session-cache.ts");

const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(() => warnings.mockClear());

/** What is compiled, of so many bytes, with a record of what was released. */
function pretended(name: string, bytes: number, released: string[]) {
  const session = {
    run: async () => [],
    release: async () => {
      released.push(name);
    },
  };
  return { name, executables: [{ session, bytes, room: 1000 } as unknown as Executable] };
}

test("the one that was used longest ago goes, and is made anew when it is asked for", async () => {
  const released: string[] = [];
  const made: string[] = [];
  const cache = new SessionCache<ReturnType<typeof pretended>>({ sessions: 2 });
  const ask = (name: string) =>
    cache.get(name, async () => {
      made.push(name);
      return pretended(name, 1, released);
    });
  for (const name of ["a", "b", "a", "c", "a", "b"]) expect((await ask(name)).name).toBe(name);
  expect([made, released, cache.size]).toEqual([["a", "b", "c", "b"], ["b", "c"], 2]);
  expect(warnings).toHaveBeenCalledTimes(1);
  expect(warnings.mock.calls[0]?.[0]).toMatch(/shapes of inputs keep changing.*more than 2 .*bucketed/);
  await cache.release();
  expect([released.sort(), cache.size]).toEqual([["a", "b", "b", "c"], 0]);
});

test("bytes are bounded too, by the machine's memory where nothing else is said, and one always stays", async () => {
  for (const [sessionBytes, kept] of [
    [undefined, ["c", "d"]],
    [450, ["d"]],
    [1, ["d"]],
  ] as const) {
    const released: string[] = [];
    const cache = new SessionCache<ReturnType<typeof pretended>>({ sessionBytes });
    for (const name of ["a", "b", "c", "d"]) await cache.get(name, async () => pretended(name, 400, released));
    expect(["a", "b", "c", "d"].filter((name) => !released.includes(name))).toEqual(kept);
  }
});

test("a run under way keeps what it runs, and what cannot be compiled is tried again", async () => {
  const released: string[] = [];
  const cache = new SessionCache<ReturnType<typeof pretended>>({ sessions: 1 });
  const build = (name: string) => async () => pretended(name, 1, released);
  let end: (value: string) => void = () => undefined;
  const long = cache.use("long", build("long"), () => new Promise<string>((resolve) => (end = resolve)));
  await cache.get("other", build("other"));
  expect(released).toEqual([]);
  end("done");
  expect(await long).toBe("done");
  expect(released).toEqual(["long"]);
  await expect(cache.get("bad", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect((await cache.get("bad", build("bad"))).name).toBe("bad");
});

test("a function of many shapes, also at once, keeps few graphs and right results", async () => {
  const total = jit((x: Value) => reduceSum(add(x, 1)), { sessions: 3 });
  const sums = await Promise.all(
    Array.from({ length: 40 }, async (_, i) =>
      ((await total(zerosTensor("float32", [1 + (i % 20)]))) as Tensor).item(),
    ),
  );
  expect(sums).toEqual(Array.from({ length: 40 }, (_, i) => 1 + (i % 20)));
  expect(() => jit((x: Value) => x, { sessions: 0 })).toThrow("sessions is 0; pass a whole number from 1");
});
