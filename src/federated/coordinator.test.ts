/** The coordinator: rounds, stragglers, who comes and goes, what is refused, and that it goes on from its state. */
import { beforeEach, describe, expect, test } from "vitest";
import { FederationError, FileError, OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { dense, sequential } from "../nn/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../storage/safetensors.ts";
import { median } from "./aggregations.ts";
import { Coordinator, type CoordinatorOptions } from "./coordinator.ts";
import { decodeState, encodeState } from "./coordinator-state.ts";
import { type ClientUpdate, decodeTask, encodeUpdate } from "./messages.ts";
import { describeModel, readValues } from "./model-description.ts";
import { fedAvg } from "./strategies/fed-avg.ts";
import { scaffold } from "./strategies/scaffold.ts";
import { blobNetwork } from "./testing/blobs.ts";

const model = blobNetwork();
const description = describeModel(model);
const values = readValues(model, description);
const names = ["a", "b", "c", "d"];

const make = (options: Partial<CoordinatorOptions> = {}) =>
  new Coordinator({ description, values, policy: { clients: 4 }, federation: { key: keyOf(7) }, ...options });

/** An update that moves every value by so much. */
const updateOf = (client: string, round: number, change: number, more: Partial<ClientUpdate> = {}) =>
  encodeUpdate(
    description,
    { round, client, samples: 10, steps: 1, loss: change, change: values.map(() => change), returned: {}, ...more },
    {},
    keyOf(0),
  );

let coordinator: Coordinator;
const begin = async (options: Partial<CoordinatorOptions> = {}) => {
  coordinator = make(options);
  for (const name of names) coordinator.join(name);
  await coordinator.tick(0);
};
beforeEach(() => begin());

const moved = (own = coordinator) => (own.values[0] as number) - (values[0] as number);

test("the order in which updates come changes no bit", async () => {
  const changes = [0.1, 1e-7, 123.4, -0.3];
  const after: unknown[] = [];
  for (const order of [
    [0, 1, 2, 3],
    [3, 1, 0, 2],
    [2, 3, 1, 0],
  ]) {
    await begin();
    for (const i of order)
      coordinator.receive(names[i] as string, updateOf(names[i] as string, 1, changes[i] as number));
    await coordinator.tick(1);
    after.push({ values: coordinator.values, history: coordinator.history });
  }
  expect(after[1]).toEqual(after[0]);
  expect(after[2]).toEqual(after[0]);
});

describe("rounds", () => {
  test("begin when so many clients are there, and end when all have answered", async () => {
    coordinator = make();
    for (const name of names.slice(0, 3)) coordinator.join(name);
    await coordinator.tick(0);
    expect(coordinator.waiting).toEqual([]);
    coordinator.join("d");
    await coordinator.tick(1);
    expect(coordinator.waiting).toEqual(names);
    for (const name of names) coordinator.receive(name, updateOf(name, 1, 1));
    expect(coordinator.round).toBe(0);
    await coordinator.tick(2);
    expect(coordinator.round).toBe(1);
    expect(moved()).toBeCloseTo(1, 6);
    expect(coordinator.waiting).toEqual(names);
    expect(coordinator.history[0]).toMatchObject({ round: 1, clients: names, samples: 40, loss: 1, dropped: {} });
    expect(coordinator.history[0]?.bytesUp).toBe(4 * updateOf("a", 1, 1).length);
  });

  test("end without those who do not answer in time, whose update is then too late", async () => {
    await begin({ policy: { clients: 4, updates: 2, seconds: 10 } });
    coordinator.receive("a", updateOf("a", 1, 1));
    coordinator.receive("b", updateOf("b", 1, 3));
    await coordinator.tick(9_999);
    expect(coordinator.round).toBe(0);
    await coordinator.tick(10_000);
    expect(moved()).toBeCloseTo(2, 6);
    expect(coordinator.history[0]).toMatchObject({
      clients: ["a", "b"],
      dropped: { c: "did not answer in 10 s", d: "did not answer in 10 s" },
    });
    expect(() => coordinator.receive("c", updateOf("c", 1, 1))).toThrow(
      'the update of client "c" is of round 1, and round 2 is under way; it comes too late, take up the next task',
    );
    // What is refused moves nothing, and c is asked again.
    expect(coordinator.waiting).toEqual(names);
  });

  test("begin again with too few updates, and give up after three times", async () => {
    await begin({ policy: { clients: 4, updates: 3, seconds: 10 }, federation: { share: 0.75 } });
    const first = coordinator.waiting;
    expect(first).toHaveLength(3);
    await coordinator.tick(10_000);
    expect(coordinator.round).toBe(0);
    expect(coordinator.waiting).toHaveLength(3);
    await coordinator.tick(20_000);
    await expect(coordinator.tick(30_000)).rejects.toThrow("round 1: 0 updates of at least 3 came in each of 3 tries");
  });

  test("a client that leaves is waited for, gets its task again, and may fail in so many words", async () => {
    const task = coordinator.task("b");
    coordinator.leave("b");
    for (const name of ["a", "c"]) coordinator.receive(name, updateOf(name, 1, 1));
    await coordinator.tick(1);
    expect(coordinator.waiting).toEqual(["b", "d"]);
    coordinator.join("b");
    expect(coordinator.task("b")).toEqual(task);
    coordinator.receive("b", updateOf("b", 1, 1));
    await begin({ policy: { clients: 4, updates: 3 } });
    for (const name of ["a", "b", "c"]) coordinator.receive(name, updateOf(name, 1, 1));
    coordinator.drop("d", "has no memory left");
    await coordinator.tick(1);
    expect(coordinator.history[0]?.dropped).toEqual({ d: "has no memory left" });
  });

  test("are drawn by the key, and end after so many", async () => {
    await begin({ federation: { share: 0.5, key: keyOf(7) }, rounds: 2 });
    const drawn = coordinator.waiting;
    expect(drawn).toHaveLength(2);
    await begin({ federation: { share: 0.5, key: keyOf(7) }, rounds: 2 });
    expect(coordinator.waiting).toEqual(drawn);
    for (const round of [1, 2]) {
      for (const name of coordinator.waiting) coordinator.receive(name, updateOf(name, round, 1));
      await coordinator.tick(round);
    }
    expect(coordinator.isFinished).toBe(true);
    expect(coordinator.waiting).toEqual([]);
    expect(() => coordinator.task("a")).toThrow(FederationError);
  });
});

describe("what is refused, by the client's name", () => {
  const refused = (bytes: Uint8Array, words: string) => {
    expect(() => coordinator.receive("b", bytes)).toThrow(words);
    try {
      coordinator.receive("b", bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(FederationError);
    }
    expect(moved()).toBe(0);
  };
  /** An update whose tensors and fields are changed. */
  const changed = (change: (tensors: Record<string, Tensor>, fields: Record<string, unknown>) => void) => {
    const { tensors, metadata } = decodeSafetensors(updateOf("b", 1, 1));
    const fields = JSON.parse(metadata["fields"] as string) as Record<string, unknown>;
    change(tensors, fields);
    return encodeSafetensors(tensors, { ...metadata, fields: JSON.stringify(fields) });
  };
  const own = 'the update of client "b"';
  const weight = "values/layers.0.weight";

  test("a wrong shape, a missing and an unknown tensor", async () => {
    refused(
      changed((tensors) => {
        tensors[weight] = new Tensor("float32", [4, 4], new Float32Array(16));
      }),
      `${own}: the tensor "layers.0.weight" is [4, 4], expected [8, 2]; train the coordinator's model`,
    );
    refused(
      changed((tensors) => delete tensors[weight]),
      `${own} lacks the tensor "layers.0.weight"`,
    );
    refused(
      changed((tensors) => {
        tensors["values/other"] = new Tensor("float32", [1], new Float32Array(1));
      }),
      `${own} has a tensor "other", which the model does not have`,
    );
    refused(
      changed((tensors) => {
        tensors["other"] = new Tensor("float32", [1], new Float32Array(1));
      }),
      `${own} has a tensor "other", which this version does not know`,
    );
  });

  test("NaN and Infinity", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const change = values.map(() => 1);
      change[description.tensors.find(({ path }) => path === "layers.2.bias")?.offset ?? 0] = value;
      refused(
        updateOf("b", 1, 1, { change }),
        `${own}: the tensor "layers.2.bias" holds ${value}, expected finite numbers`,
      );
    }
  });

  test("another model, version, round, client, and vectors of another strategy", async () => {
    const other = sequential([dense(3)]);
    other.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
    const strange = describeModel(other);
    const fields = { round: 1, client: "b", samples: 1, steps: 1, loss: 0, returned: {} };
    refused(
      encodeUpdate(strange, { ...fields, change: readValues(other, strange) }, {}, keyOf(0)),
      `${own} is of another model (${strange.hash}, expected ${description.hash})`,
    );
    refused(
      changed((_, all) => {
        all["protocol"] = 9;
      }),
      `${own} is of version 9 of the messages, expected 2; install the same version of sardonyx on both sides`,
    );
    // Words that no text can be made of (found by fuzzing).
    refused(
      changed((_, all) => {
        all["protocol"] = { toString: 1 };
      }),
      `${own} is of version 0 of the messages`,
    );
    refused(
      changed((_, all) => {
        all["model"] = [{ toString: 1 }];
      }),
      `${own} is of another model (, expected ${description.hash})`,
    );
    refused(updateOf("b", 4, 1), `${own} is of round 4, and round 1 is under way`);
    refused(updateOf("c", 1, 1), `${own} says that it is of "c"`);
    refused(updateOf("b", 1, 1, { returned: { control: values } }), `${own} has the vectors control beside the values`);
  });

  test("fields that make no sense, and bytes that are no message", async () => {
    for (const [name, value] of [
      ["samples", 0],
      ["samples", 1.5],
      ["steps", -1],
      ["loss", null],
      ["scales", 3],
    ] as const)
      refused(
        changed((_, all) => {
          all[name] = value;
        }),
        `${own} has a field ${name} that makes no sense`,
      );
    refused(
      changed((_, all) => {
        all["more"] = 1;
      }),
      `${own} has a field`,
    );
    refused(new Uint8Array(3), `${own} cannot be read`);
    refused(updateOf("b", 1, 1).subarray(0, 500), `${own} cannot be read`);
    refused(encodeSafetensors({}, { format: "sardonyx-federation", fields: "{" }), `${own} cannot be read`);
    refused(encodeSafetensors({}), `${own} cannot be read: it is no message of federated learning`);
  });

  test("a second update, and one of a client that was not asked", async () => {
    coordinator.receive("b", updateOf("b", 1, 1));
    refused(updateOf("b", 1, 5), `${own} of round 1 is there already`);
    expect(() => coordinator.receive("e", updateOf("e", 1, 1))).toThrow(
      'the update of client "e" was not asked for in round 1; wait for a task',
    );
  });

  test("and the round goes on without a client whose update was refused", async () => {
    await begin({ policy: { clients: 4, updates: 3 } });
    expect(() => coordinator.receive("b", updateOf("b", 1, Number.NaN, { loss: 0 }))).toThrow(FederationError);
    for (const name of ["a", "c", "d"]) coordinator.receive(name, updateOf(name, 1, 1));
    await coordinator.tick(0);
    expect(coordinator.history[0]?.dropped["b"]).toMatch(/^was refused: .* holds NaN/);
  });
});

test("it goes on from its file, in the middle of a round, to the same bits", async () => {
  const federation = { strategy: scaffold(), share: 0.75 };
  const returned = { control: values.map((_, i) => i) };
  const play = async (saves: boolean) => {
    await begin({ federation, policy: { clients: 4 } });
    for (let round = 1; round <= 3; round++) {
      for (const [i, name] of coordinator.waiting.entries()) {
        coordinator.receive(name, updateOf(name, round, i + round, { returned }));
        if (!saves) continue;
        const state = decodeState(encodeState(coordinator.state()));
        coordinator = make({ federation, state });
        for (const other of names) coordinator.join(other);
        await coordinator.tick(0);
      }
      await coordinator.tick(round);
    }
    return coordinator;
  };
  const [whole, again] = [await play(false), await play(true)];
  expect(again.values).toEqual(whole.values);
  expect(again.state().slots).toEqual(whole.state().slots);
  expect(again.history).toMatchObject(whole.history.map(({ bytesDown: _, ...rest }) => rest));
});

test("a state of another model or strategy, and a damaged one, are refused", async () => {
  const state = coordinator.state();
  expect(() => make({ state: { ...state, model: "0" } })).toThrow("the saved state is of another model");
  expect(() => make({ state, federation: { strategy: scaffold() } })).toThrow(
    "the saved state is of the strategy fedAvg, expected scaffold",
  );
  expect(() => make({ state: { ...state, values: new Float32Array(2) } })).toThrow(FileError);
  expect(() => make({ state: { ...state, history: 3 as never } })).toThrow("damaged at history");
  const bytes = encodeState(state);
  for (const bad of [bytes.subarray(0, 100), new Uint8Array(), encodeSafetensors({})])
    expect(() => decodeState(bad)).toThrow("the saved state of a federation cannot be read");
});

test("options that do not go together are refused", async () => {
  expect(() => make({ values: new Float32Array(1) })).toThrow(OptionError);
  expect(() => make({ policy: { clients: 2, updates: 3 } })).toThrow(
    "a round needs 3 updates and begins with 2 clients; let it wait for as many clients",
  );
  expect(() => make({ federation: { strategy: scaffold(), aggregation: median() } })).toThrow("take mean() with it");
  expect(() => make({ policy: { clients: 0 } })).toThrow("clients is 0; pass a whole number from 1");
});

test("a task says what the client needs, and of which round its last update counted", async () => {
  const read = (name: string) => decodeTask(description, coordinator.task(name), fedAvg());
  expect(read("a")).toMatchObject({ round: 1, client: "a", localEpochs: 1, accepted: 0, values });
  for (const name of names) coordinator.receive(name, updateOf(name, 1, 1));
  await coordinator.tick(1);
  expect(read("a")).toMatchObject({ round: 2, accepted: 1, values: coordinator.values });
  expect(read("a").key).not.toEqual(read("b").key);
  expect(() => decodeTask(description, coordinator.task("a"), scaffold())).toThrow(
    'the coordinator\'s task is for the strategy fedAvg {}, and this client has scaffold {"serverRate":1}; join again',
  );
});
