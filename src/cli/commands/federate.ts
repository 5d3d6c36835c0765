/** `sardonyx federate`: learning from data that stay with several clients. */
import { OptionError } from "../../core/errors.ts";
import { aggregationNames } from "../../federated/aggregations.ts";
import { type NoiseOptions, noiseSources } from "../../federated/noise.ts";
import { givenSettingsShape } from "../../runs/recipes/settings.ts";
import { defineCommand, number, type Option, oneOf, text, wholeNumber } from "../command.ts";
import { encryptToOption } from "../encryption.ts";
import { type Part, parsePart } from "../federate/join.ts";
import { loadFederation } from "../federate/task.ts";
import { ownOptions } from "../recipe-options.ts";
import { optionsFrom } from "../setting-option.ts";

const { batchSize, learningRate, optimizer, seed, limit, threads } = givenSettingsShape;
const settings = optionsFrom({ batchSize, learningRate, optimizer, seed, limit, threads });

const part: Option<Part> = {
  placeholder: "I/N",
  description: "join: train on part I of the N that the recipe's data are split into",
  parse: parsePart,
};

const options = {
  ...settings,
  rounds: wholeNumber("serve, simulate: how many rounds; default the recipe's epochs", 1),
  clients: wholeNumber("serve, simulate: how many clients the data are split among, and a round waits for", 1),
  updates: wholeNumber("serve: the fewest updates that a round is made of; default those of all its clients", 1),
  seconds: number("serve: after which a round ends without those who have not answered; default 600", {
    low: 0,
    above: true,
    example: 60,
  }),
  aggregation: oneOf(
    "serve, simulate: how updates become one; default the recipe's, the mean. By secureMean the coordinator sees their sum alone; join with it insists on that",
    aggregationNames,
  ),
  noise: number("standard deviation of the noise that protects clients, in multiples of --clip; default none", {
    low: 0,
    above: true,
    example: 1,
  }),
  clip: number("the norm that a client's change has at most before noise is added", {
    low: 0,
    above: true,
    example: 0.5,
  }),
  noiseBy: oneOf("who adds the noise; default the coordinator", noiseSources),
  ...optionsFrom({
    delta: givenSettingsShape.delta.describe(
      "serve, simulate: at which the epsilon of each client is told; default 1e-5",
    ),
  }),
  liars: wholeNumber("serve, simulate: trimmedMean, multiKrum: how many clients of a round may lie", 0),
  port: wholeNumber("serve: where to listen; default 8790, 0 for any that is free", 0),
  host: text("HOST", "serve: the address to listen on; default 127.0.0.1, this machine alone"),
  cert: text("FILE", "serve: a certificate in PEM, for TLS (wss://)"),
  key: text("FILE", "serve: its key in PEM"),
  tokenFile: text("FILE", "serve, join: the file with the token that clients show; serve makes it where there is none"),
  out: text("DIR", "serve, simulate: the folder of what is kept and learned; default runs/federation-RECIPE"),
  encryptTo: encryptToOption,
  part,
  name: text("NAME", "join: the client's name, which no other has; default by its part"),
  memory: text(
    "FILE",
    "join: where the client keeps what it remembers; default runs/federated/RECIPE-NAME.safetensors",
  ),
  patience: wholeNumber("join: seconds without a coordinator after which it gives up; default 600", 1),
  ca: text("FILE", "join: a certificate in PEM to trust, such as one that you signed yourself"),
} as const;

/** What a client is told too: what it insists on. */
const together = ["aggregation", "noise", "clip", "noiseBy"] as const;

/** Which options each action reads, beside the settings and the recipe's own. */
const reads = {
  serve: [
    "rounds",
    "clients",
    ...together,
    "liars",
    "delta",
    "updates",
    "seconds",
    "port",
    "host",
    "cert",
    "key",
    "tokenFile",
    "out",
    "encryptTo",
  ],
  join: ["part", "name", "memory", "patience", "ca", "tokenFile", ...together, "encryptTo"],
  simulate: ["rounds", "clients", ...together, "liars", "delta", "out", "encryptTo"],
} as const satisfies Readonly<Record<string, readonly (keyof typeof options)[]>>;
type Action = keyof typeof reads;

const isAction = (name: string): name is Action => Object.hasOwn(reads, name);

export const command = defineCommand({
  arguments: [
    { name: "ACTION", description: "serve: coordinate clients; join: be one; simulate: all of them in this process" },
    { name: "RECIPE", description: "a built-in recipe (see sardonyx recipes), or the path of your own" },
    { name: "URL", description: "join: the coordinator's address, such as ws://127.0.0.1:8790", optional: true },
  ],
  options,
  optionsOf: ownOptions,
  namedBy: 1,
  examples: [
    ["sardonyx federate simulate federated-mnist --clients 10 --rounds 5", "ten clients in one process"],
    [
      "sardonyx federate serve federated-mnist --clients 5 --token-file token",
      "a coordinator on this machine, for five clients",
    ],
    ["sardonyx federate join federated-mnist ws://127.0.0.1:8790 --part 1/5 --token-file token", "the first of them"],
    [
      "sardonyx federate simulate federated-mnist --clients 10 --aggregation secureMean --noise 1 --clip 0.5 --noise-by clients",
      "a coordinator that sees the sum of noisy updates alone",
    ],
    [
      "sardonyx federate serve table --data all.csv --target y --host 0.0.0.0 --cert cert.pem --key key.pem --token-file token",
      "for clients with tables of their own, by TLS",
    ],
  ],
  async run({ arguments: [action = "", recipe = "", url], options: given, output }) {
    if (!isAction(action)) throw new OptionError(`federate does not know "${action}"; pass serve, join or simulate`);
    const own = new Set<string>(reads[action]);
    const stray = Object.keys(options).find(
      (name) => !own.has(name) && !Object.hasOwn(settings, name) && Object.hasOwn(given, name),
    );
    if (stray !== undefined) throw new OptionError(`federate ${action} reads no --${stray}; leave it out`);
    if ((url === undefined) === (action === "join"))
      throw new OptionError(
        action === "join"
          ? "join needs the coordinator's address; pass it after the recipe, such as ws://127.0.0.1:8790"
          : `federate ${action} takes no address; leave ${url} out`,
      );
    const { batchSize, learningRate, optimizer, seed, limit, threads, rounds, out, tokenFile, encryptTo } = given;
    const loaded = await loadFederation(
      recipe,
      {
        settings: { batchSize, learningRate, optimizer, seed, limit, threads, epochs: rounds },
        own: given,
        clients: given.part?.clients ?? given.clients,
        aggregation: given.aggregation,
        liars: given.liars,
        noise: noiseOf(given),
      },
      output,
    );
    if (action === "simulate") {
      const { simulateRounds } = await import("../federate/simulate.ts");
      return simulateRounds(loaded, { out, encryptTo, delta: given.delta }, output);
    }
    if (action === "join") {
      const { join } = await import("../federate/join.ts");
      const { part: share, name, memory, patience, ca } = given;
      return join(loaded, { url: url ?? "", tokenFile, part: share, name, memory, patience, ca, encryptTo }, output);
    }
    const { serve } = await import("../federate/serve.ts");
    const { updates, seconds, port, host, cert, key, delta } = given;
    const clients = given.clients ?? loaded.task.federated?.clients.count;
    if (clients === undefined)
      throw new OptionError("serve needs to know how many clients a round waits for; pass --clients N");
    const policy = { clients, ...(updates !== undefined && { updates }), ...(seconds !== undefined && { seconds }) };
    return serve(loaded, { out, encryptTo, policy, delta, tokenFile, port, host, cert, key }, output);
  },
});

/** The noise that options ask for. Throws OptionError for a part of it without the rest. */
function noiseOf({
  noise,
  clip,
  noiseBy,
  delta,
}: {
  readonly noise?: number;
  readonly clip?: number;
  readonly noiseBy?: NoiseOptions["by"] & string;
  readonly delta?: number;
}): NoiseOptions | undefined {
  if (noise !== undefined && clip !== undefined)
    return { multiplier: noise, clip, ...(noiseBy !== undefined && { by: noiseBy }) };
  if (noise === undefined && clip === undefined && noiseBy === undefined && delta === undefined) return undefined;
  throw new OptionError(
    `noise is as much as --noise says of the norm that --clip says; pass both, such as --noise 1 --clip 0.5${noise === undefined && clip === undefined ? ", or leave --noise-by and --delta out" : ""}`,
  );
}
