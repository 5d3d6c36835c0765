/** Models come when they are asked for, go when they are idle, and change without a gap; the clock is moved by hand. */
import { expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import type { ServedModel } from "../served-model.ts";
import { type ModelEvent, ModelStore } from "./model-store.ts";

function setUp(idle?: number) {
  const state = { time: 0, print: "a", isBroken: false, opens: 0 };
  const released: number[] = [];
  const events: ModelEvent[] = [];
  const source = (name: string) => ({
    name,
    async open(): Promise<ServedModel> {
      if (state.isBroken) throw new FileError("model.onnx is damaged; write it again");
      const own = ++state.opens;
      return { platform: "test", description: String(own), release: async () => void released.push(own) };
    },
    fingerprint: async () => state.print,
  });
  const store = new ModelStore([source("iris"), source("digits")], {
    now: () => state.time,
    onEvent: (event) => events.push(event),
    ...(idle !== undefined && { idle }),
  });
  return { store, state, released, events };
}

test("a model is loaded once for all who ask, and dropped when it was idle", async () => {
  const { store, state, released } = setUp(100);
  expect(store.isReady).toBe(true);
  const [a, b] = await Promise.all([store.lease("iris"), store.lease("iris")]);
  expect([a.model, state.opens]).toEqual([b.model, 1]);
  state.time = 500;
  store.dropIdle();
  expect(released).toEqual([]);
  a.giveBack();
  b.giveBack();
  b.giveBack();
  state.time = 599;
  store.dropIdle();
  expect(store.isModelReady("iris")).toBe(true);
  state.time = 600;
  store.dropIdle();
  expect([store.isModelReady("iris"), released]).toEqual([false, [1]]);
  expect((await store.lease("iris")).version).toBe("2");
});

test("what was asked for while the server starts is not loaded again", async () => {
  const { store, state } = setUp();
  await store.lease("digits");
  await store.loadAll();
  expect(state.opens).toBe(2);
  expect(store.list().map(({ version }) => version)).toEqual(["1", "1"]);
});

test("a new version takes over when it is ready, and the old one ends with its last request", async () => {
  const { store, state, released, events } = setUp();
  await store.loadAll();
  const old = await store.lease("iris");
  state.print = "b";
  await store.refresh();
  // Its files may still be written: they have to stand still for one look.
  expect(store.isModelReady("iris", "1")).toBe(true);
  await store.refresh();
  expect(store.isModelReady("iris", "2")).toBe(true);
  const young = await store.lease("iris", "2");
  expect([old.version, young.version]).toEqual(["1", "2"]);
  // That of digits, which nobody used.
  expect(released).toEqual([2]);
  old.giveBack();
  expect(released).toEqual([2, 1]);
  await expect(store.lease("iris", "1")).rejects.toThrow('has no version "1"; it is at 2');
  expect(events.map(({ kind, model, version }) => `${kind} ${model} ${version}`)).toEqual([
    ...["loaded iris 1", "loaded digits 1", "loaded iris 2", "dropped iris 1", "loaded digits 2", "dropped digits 1"],
  ]);
});

test("a version that cannot be loaded is told of once, and the one before stays", async () => {
  const { store, state, events } = setUp();
  await store.loadAll();
  state.isBroken = true;
  state.print = "b";
  for (let i = 0; i < 4; i++) await store.refresh();
  expect(events.filter(({ kind }) => kind === "failed").length).toBe(2);
  expect((await store.lease("iris")).version).toBe("1");
  expect(store.list()[0]).toMatchObject({
    name: "iris",
    version: "1",
    state: "READY",
    reason: "model.onnx is damaged; write it again",
  });
});

test("names that there are not, and models that cannot be loaded, are a status and a sentence", async () => {
  const { store, state } = setUp(100);
  await expect(store.lease("irs")).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining('did you mean "iris"'),
  });
  await expect(store.lease()).rejects.toMatchObject({ status: 400 });
  state.isBroken = true;
  await expect(store.lease("iris")).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining("is damaged"),
  });
  state.isBroken = false;
  expect((await store.lease("iris")).version).toBe("1");
});
