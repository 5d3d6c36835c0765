/** What coordinator and clients of a federation send one another, and what a coordinator keeps. */

import { keyOf } from "../../src/core/random.ts";
import { mean, secureMean } from "../../src/federated/aggregations.ts";
import { decodeMemory, encodeMemory } from "../../src/federated/client-memory.ts";
import { Coordinator } from "../../src/federated/coordinator.ts";
import { type CoordinatorState, decodeState, encodeState } from "../../src/federated/coordinator-state.ts";
import { decodeTask, encodeUpdate } from "../../src/federated/messages.ts";
import { describeModel, readValues } from "../../src/federated/model-description.ts";
import { readClientWord, readCoordinatorWord } from "../../src/federated/protocol.ts";
import { SecureMember } from "../../src/federated/secure/member.ts";
import { fedAvg } from "../../src/federated/strategies/fed-avg.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { safetensorsHeader, safetensorsMetadata, within } from "../mutate/frames.ts";
import { jsonIn } from "../mutate/json.ts";
import { type Files, type Input, readAll, type Target } from "../target.ts";
import { jsonBytes } from "./fixtures.ts";

const model = sequential([dense(3), dense(2)]);
model.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
const description = describeModel(model);
const values = readValues(model, description);
const names = ["a", "b", "c"];

const coordinatorOf = (isSecure: boolean, state?: CoordinatorState) =>
  new Coordinator({
    ...{ description, values, policy: { clients: 3 }, state },
    federation: { aggregation: isSecure ? secureMean() : mean() },
  });

/** A moment of a round: what the coordinator has, and what client a is asked and answers. */
interface Moment {
  readonly state: CoordinatorState;
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
}

let played: Promise<readonly Moment[]> | undefined;

/** The questions of a round without and with secure aggregation. */
function moments(): Promise<readonly Moment[]> {
  played ??= (async () => {
    const found: Moment[] = [];
    for (const isSecure of [false, true]) {
      const coordinator = coordinatorOf(isSecure);
      for (const name of names) coordinator.join(name);
      const members = new Map(names.map((name) => [name, new SecureMember()]));
      for (await coordinator.tick(0); coordinator.round === 0; await coordinator.tick(0)) {
        const state = coordinator.state();
        for (const name of coordinator.waiting) {
          const question = coordinator.task(name);
          const answer = await answerOf(name, question, members.get(name) as SecureMember);
          if (name === "a") found.push({ state, question, answer });
          coordinator.receive(name, answer);
        }
      }
    }
    return found;
  })();
  return played;
}

async function answerOf(client: string, question: Uint8Array, member: SecureMember): Promise<Uint8Array> {
  if (SecureMember.asks(question)) return (await member.answer(description, question)).answer;
  const { round, secure } = decodeTask(description, question, fedAvg());
  const change = values.map(() => 0.5);
  if (!secure)
    return encodeUpdate(
      description,
      { round, client, samples: 1, steps: 1, loss: 1, change, returned: {} },
      {},
      keyOf(1),
    );
  member.begin(round, secure);
  return member.masked(description, { round, attempt: secure.attempt }, [...change, 1, 1]);
}

const placeOf = (input: Input): number => Number(input.text("moment"));

export const federation: Target = {
  name: "federation",
  reads: "messages of federated learning, to the coordinator and to clients; its state, a client's memory",
  seeds: async (): Promise<readonly Files[]> => {
    const all = await moments();
    const words = { kind: "hello", protocol: 2, token: "t", client: "a", model: "m", choices: { seed: 1 } };
    return all.map(({ state, question, answer }, place) => ({
      moment: new TextEncoder().encode(String(place)),
      answer,
      question,
      state: encodeState(state),
      words: jsonBytes(words),
      memory: encodeMemory({ federation: "f", round: 1, before: {}, next: { control: values } }),
    }));
  },
  mutations: ["answer", "question", "state", "memory"]
    .flatMap((name) => [
      within(name, safetensorsHeader),
      within(name, safetensorsMetadata(name === "state" ? "state" : "fields")),
    ])
    .concat(jsonIn("words")),
  async read(input) {
    const moment = (await moments())[placeOf(input)];
    await readAll(
      async () => {
        const isSecure = moment?.state.open?.collection.kind === "secure";
        const coordinator = coordinatorOf(isSecure, moment?.state);
        coordinator.receive("a", input.bytes("answer"));
        await coordinator.tick(0);
      },
      () => answerOf("a", input.bytes("question"), new SecureMember()),
      () => coordinatorOf(true, decodeState(input.bytes("state"))),
      () => coordinatorOf(false, decodeState(input.bytes("state"))),
      () => decodeMemory(input.bytes("memory")),
      () => readClientWord(input.text("words")),
      () => readCoordinatorWord(input.text("words")),
    );
  },
};
