/** `sardonyx federate serve`: the coordinator of a federation. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { FederationError, FileError, OptionError } from "../../core/errors.ts";
import { byteText, namedResults, plural, resultText } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import { Coordinator } from "../../federated/coordinator.ts";
import { decodeState, encodeState } from "../../federated/coordinator-state.ts";
import { asTensors, describeModel, readValues, writeValues } from "../../federated/model-description.ts";
import { spentByClients } from "../../federated/noise.ts";
import type { RoundPolicy, RoundRecord } from "../../federated/rounds.ts";
import { federationOf } from "../../federated/rounds.ts";
import { type ServeEvent, serveFederation } from "../../federated/serve.node.ts";
import { measuredOf } from "../../runs/training/evaluation.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { requireStillEncrypted } from "../../storage/encryption/encrypted-folder.node.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { evaluate } from "../../train/evaluate.ts";
import { encryptOut } from "../encryption.ts";
import { onInterrupt } from "../interrupt.ts";
import { readCertificate, readTokens } from "../listening.ts";
import type { Output } from "../output.ts";
import type { LoadedFederation } from "./task.ts";

/** What the coordinator's folder holds. */
export const federationFiles = {
  state: "federation.safetensors",
  model: "model.safetensors",
  /** With noise, what each client has spent. */
  privacy: "privacy.json",
} as const;

/** Delta, where none is given. */
const standardDelta = 1e-5;

/** What `serve` is told. */
export interface ServeGiven {
  readonly out: string | undefined;
  readonly encryptTo: string | undefined;
  readonly policy: RoundPolicy;
  /** At which the epsilon of each client is told. */
  readonly delta: number | undefined;
  readonly tokenFile: string | undefined;
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The token of a federation, which is made for the coordinator where there is no file. Throws OptionError without a file. */
export async function tokenOf(file: string | undefined, makes: boolean, output: Output): Promise<string> {
  if (file === undefined)
    throw new OptionError(
      `who takes part shows a token; name the file that has it: --token-file federation.token${makes ? " (one is made where there is none)" : ""}`,
    );
  const [token = "", ...others] = await readTokens(file, makes, output);
  if (others.length > 0)
    throw new FileError(`${file} has ${others.length + 1} tokens; a federation has one: leave one line`);
  return token;
}

/** Serves a federation until its rounds are done. Throws Interrupted where a signal ends it, with its state kept. */
export async function serve(loaded: LoadedFederation, given: ServeGiven, output: Output): Promise<void> {
  const { task, settings, choices, federation } = loaded;
  const { model } = task;
  const description = describeModel(model);
  const folder = resolve(given.out ?? join("runs", `federation-${choices["recipe"]}`));
  await encryptOut(folder, given.encryptTo);
  const stateFile = join(folder, federationFiles.state);
  requireStillEncrypted(stateFile);
  const state = existsSync(stateFile) ? decodeState(await readBytes(stateFile, "federate serve")) : undefined;
  const rounds = settings.epochs;
  const coordinator = new Coordinator({
    federation,
    ...{ description, values: readValues(model, description), rounds, policy: given.policy, state },
    id: randomBytes(8).toString("hex"),
  });
  const { strategy } = federationOf(federation);
  const token = await tokenOf(given.tokenFile, true, output);
  if (state) output.line(`Going on after ${plural(coordinator.round, "round")} (${shownPath(stateFile)})`);
  const interruption = onInterrupt(() => output.warn("\nStopping; clients wait, and the same command goes on."));
  try {
    if (!coordinator.isFinished) {
      const serving = await serveFederation({
        coordinator,
        agreed: { description, strategy, choices },
        token,
        listen: { port: given.port ?? 8790, host: given.host, tls: await readCertificate(given.cert, given.key) },
        save: (own) => writeFileAtomic(stateFile, encodeState(own)),
        signal: interruption.signal,
        onEvent: (event) => tell(event, loaded, coordinator, output),
      });
      showPromise(loaded, given.delta, output);
      output.record("serving", { url: serving.url });
      const { clients = 1 } = given.policy;
      output.line(`Serving at ${serving.url}, ${plural(rounds, "round")}`);
      output.prose(
        `A round begins when ${plural(clients, "client")} ${clients === 1 ? "is" : "are"} there; each takes part by: ${command`sardonyx federate join ${choices["recipe"] as string} ${serving.url}`} ${task.federated ? `--part 1/${clients}` : "--name NAME"} --token-file FILE, with the options of this command`,
        2,
      );
      await serving.finished;
    }
    await finish(loaded, coordinator, { folder, delta: given.delta }, output);
  } catch (error) {
    if (interruption.signal.aborted && !(error instanceof FederationError))
      throw new Interrupted(`after round ${coordinator.round}`, { cause: interruption.signal.reason });
    throw error;
  } finally {
    interruption.release();
  }
}

async function tell(event: ServeEvent, loaded: LoadedFederation, coordinator: Coordinator, output: Output) {
  if (event.kind === "round") {
    const results = await measured(loaded, coordinator.values, "validation");
    showRound(event.record, results, output);
  } else if (event.kind === "refused") {
    output.record("refused", { client: event.client, reason: event.reason });
    output.warn(`Refused client "${event.client}": ${event.reason}`, "caution");
  } else {
    output.record(event.kind, { client: event.client });
    output.line(`Client "${event.client}" ${event.kind}`);
  }
}

/** A round in a line. */
export function showRound(record: RoundRecord, results: Readonly<Record<string, number>>, output: Output): void {
  const dropped = Object.keys(record.dropped).length;
  output.record("round", { ...record, results });
  output.line(
    `Round ${record.round}   ${plural(record.clients.length, "client")}${dropped > 0 ? `, ${dropped} dropped` : ""}   ${namedResults({ ...(record.loss !== undefined && { loss: record.loss }), ...results })}   ${byteText(record.bytesDown)} down, ${byteText(record.bytesUp)} up`,
  );
}

/** What a model with these values reaches on a part of the data; nothing where there is none. */
async function measured(
  { task, compile }: LoadedFederation,
  values: Float32Array,
  part: "validation" | "test",
): Promise<Record<string, number>> {
  const data = task[part];
  if (!data) return {};
  writeValues(task.model, describeModel(task.model), values);
  const { results } = await evaluate(task.model, data, { ...measuredOf(task), compile });
  const prefix = part === "validation" ? "validation_" : "";
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [`${prefix}${name}`, value]));
}

/** Measures the test once, and saves the values that were learned. */
export async function finish(
  loaded: LoadedFederation,
  { values, history }: Pick<Coordinator, "values" | "history">,
  { folder, delta }: { readonly folder: string; readonly delta: number | undefined },
  output: Output,
): Promise<void> {
  const results = await measured(loaded, values, "test");
  const path = join(folder, federationFiles.model);
  const tensors = { ...asTensors(describeModel(loaded.task.model), values) };
  await writeFileAtomic(path, encodeSafetensors(tensors));
  const sum = (count: (round: RoundRecord) => number) => history.reduce((total, round) => total + count(round), 0);
  const bytes = { down: sum(({ bytesDown }) => bytesDown), up: sum(({ bytesUp }) => bytesUp) };
  output.record("finished", { rounds: history.length, results, bytes, model: path });
  output.line(
    `Test   ${namedResults(results)}   after ${plural(history.length, "round")}, ${byteText(bytes.down)} down, ${byteText(bytes.up)} up`,
    "good",
  );
  await showSpent(loaded, history, { folder, delta }, output);
  output.line(`Saved ${shownPath(path)}`);
}

/** What noise promises a client that takes part in every round. */
export function showPromise(
  { federation: { noise }, settings: { epochs } }: LoadedFederation,
  delta: number = standardDelta,
  output: Output,
): void {
  if (!noise) return;
  const every = Array.from({ length: epochs }, () => ({ clients: ["each"] }));
  const { epsilon = 0 } = spentByClients(every, noise, delta)["each"] ?? {};
  output.prose(
    `Noise by ${noise.by === "clients" ? "the clients" : "the coordinator"}: a client that takes part in all ${plural(epochs, "round")} spends an epsilon of ${resultText("epsilon", epsilon)} at delta ${delta}.`,
  );
}

/** What clients have spent, and the file that has it of each. */
async function showSpent(
  { federation: { noise } }: LoadedFederation,
  history: readonly RoundRecord[],
  { folder, delta = standardDelta }: { readonly folder: string; readonly delta: number | undefined },
  output: Output,
): Promise<void> {
  if (!noise) return;
  const clients = spentByClients(history, noise, delta);
  const [most] = Object.values(clients).sort((a, b) => b.epsilon - a.epsilon);
  const path = join(folder, federationFiles.privacy);
  await writeFileAtomic(path, `${JSON.stringify({ delta, clients }, null, 2)}\n`);
  output.record("privacy", { delta, clients, path });
  output.line(
    `Privacy   epsilon at most ${resultText("epsilon", most?.epsilon ?? 0)} at delta ${delta}, of ${plural(most?.rounds ?? 0, "round")}; each client's: ${shownPath(path)}`,
  );
}
