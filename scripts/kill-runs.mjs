/**
 * Kills runs of every kind of recipe at random moments, takes them up again, and holds what comes of it byte for byte against a run that
 * was never killed.
 *
 * node --import tsx scripts/kill-runs.mjs [--kills 200] [--seed 1] [--only NAME,NAME] [--encrypted]
 *
 * With --encrypted the runs that are killed are encrypted, and the one that is not is in the clear. After each kill every file of a run is looked
 * at: what does not begin as an age file is a fault.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { repeatable } from "../test/run-log.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    encrypted: { type: "boolean", default: false },
  },
});

/** Recipes of every kind, made short, and why each is here. */
const recipes = {
  iris: ["--epochs", "40"], // two stages, the second with a frozen layer
  "mlp-mnist": ["--limit", "640", "--epochs", "3"], // dropout
  "lenet-mnist": ["--limit", "384", "--epochs", "2"], // convolutions
  "gan-mnist": ["--limit", "256", "--epochs", "2"], // two networks, two optimizers
  "dcgan-mnist": ["--limit", "128", "--epochs", "1", "--batch-size", "32"], // running statistics
  "vae-mnist": ["--limit", "512", "--epochs", "2"], // noise in the step
  "dqn-maze": ["--epochs", "2"], // an agent, its replay memory
  "ensemble-mnist": ["--limit", "256", "--epochs", "2"], // several networks in one
  "prune-lenet": ["--limit", "384", "--epochs", "2"], // weights that are pruned as it trains
  "lstm-sentiment": ["--limit", "400", "--epochs", "2"], // sequences of unlike length, a vocabulary
  "gpt-char": ["--limit", "4000", "--epochs", "1"], // a language model
  "detect-digits": ["--limit", "64", "--epochs", "1"], // several outputs, scenes drawn anew
  "depth-mnist": ["--limit", "200", "--epochs", "1", "--repeats", "1"], // an experiment of many networks
};

const program = resolve("bin/sardonyx.mjs");
const folder = mkdtempSync(join(tmpdir(), "sardonyx-kills-"));
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
process.env.SARDONYX_IDENTITY = join(folder, "identity.txt");
writeFileSync(process.env.SARDONYX_IDENTITY, `${identity}\n`, { mode: 0o600 });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Numbers from 0 to 1 from a seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = randomNumbers(Number(values.seed));

/** Files of a run, or of the folders in it, that are in the clear though they should not be. */
const clearFiles = (run) =>
  readdirSync(run, { recursive: true }).filter((name) => {
    const path = join(run, name);
    if (["lock", ".age-recipients"].includes(basename(name)) || !statSync(path).isFile()) return false;
    const content = readFileSync(path);
    return content.length > 0 && !content.subarray(0, 22).equals(Buffer.from("age-encryption.org/v1\n"));
  });

/** Trains; killed after so many milliseconds behind the first sign of work, if it lasts so long. */
function train(name, args, out, killAfter) {
  const resume = existsSync(join(out, "run.json")) ? ["--resume"] : [];
  const own = ["train", name, ...args, "--out", out, "--checkpoint-seconds", "0.02", "--json", ...resume];
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...own], { env: { ...process.env, OMP_NUM_THREADS: "1" } });
  let errors = "";
  let first;
  child.stderr.on("data", (text) => (errors += text));
  child.stdout.on("data", () => {
    first ??= performance.now();
    if (killAfter !== undefined && performance.now() - first < 50) setTimeout(() => child.kill("SIGKILL"), killAfter);
  });
  return new Promise((done) =>
    child.on("close", (code, signal) =>
      done({ code, signal, errors, milliseconds: performance.now() - (first ?? began) }),
    ),
  );
}

/** The files of a run that do not say when it was, with what of them is the same when it is made again. */
const filesOf = (run) =>
  new Map(
    readdirSync(run)
      .filter((name) => name !== "run.json" && name !== "outcomes.json" && statSync(join(run, name)).isFile())
      .map((name) => [name, repeatable(name, readFileSync(join(run, name)))]),
  );

/** Outcomes of an experiment without the seconds that they took. */
const outcomesOf = (run) =>
  existsSync(join(run, "outcomes.json"))
    ? JSON.stringify(JSON.parse(readFileSync(join(run, "outcomes.json"), "utf8")).map(({ seconds: _, ...own }) => own))
    : "";

/** The first difference between two runs, if there is one. */
function differenceOf(one, other) {
  if (!existsSync(one)) return "everything, since there is no folder,";
  if (outcomesOf(one) !== outcomesOf(other)) return "outcomes.json";
  const [left, right] = [filesOf(one), filesOf(other)];
  // Reports tell seconds, and those of experiments draw them.
  const names = new Set(
    [...left.keys(), ...right.keys()].filter((name) => !/^report\.|\.md$/.test(name) && name !== "time.svg"),
  );
  return [...names].find((name) => left.get(name) === undefined || left.get(name) !== right.get(name));
}

const chosen = Object.entries(recipes).filter(
  ([name]) => values.only === undefined || values.only.split(",").includes(name),
);
const wanted = Math.ceil(Number(values.kills) / chosen.length);
let [kills, faults] = [0, 0];
for (const [name, args] of chosen) {
  const whole = join(folder, `${name}-whole`);
  const reference = await train(name, args, whole);
  if (reference.code !== 0) throw new Error(`${name} fails without a kill: ${reference.errors}`);
  let own = 0;
  for (let round = 0; own < wanted; round++) {
    const out = join(folder, `${name}-${round}`);
    const moments = [];
    for (;;) {
      const after = own < wanted ? random() * reference.milliseconds * 0.8 : undefined;
      const { code, signal, errors } = await train(
        name,
        values.encrypted ? [...args, "--encrypt-to", recipient] : args,
        out,
        after,
      );
      const clear = values.encrypted && existsSync(out) ? clearFiles(out) : [];
      if (clear.length > 0) {
        faults++;
        console.log(`${name}: in the clear: ${clear}`);
      }
      if (signal === "SIGKILL") {
        own++;
        moments.push(Math.round(after));
        continue;
      }
      if (code !== 0) {
        faults++;
        console.log(`${name}: after kills at ${moments} ms it ended with ${code}: ${errors}`);
      }
      break;
    }
    const clear = join(folder, `${name}-${round}-clear`);
    if (values.encrypted)
      spawnSync(process.execPath, [program, "decrypt", out, "--out", clear], {
        stdio: ["ignore", "ignore", "inherit"],
      });
    const difference = differenceOf(values.encrypted ? clear : out, whole);
    if (difference !== undefined) {
      faults++;
      console.log(`${name}: after kills at ${moments} ms, ${difference} differs`);
    }
    for (const path of [out, clear]) rmSync(path, { recursive: true, force: true });
  }
  kills += own;
  console.log(`${name}: ${own} kills, ${(reference.milliseconds / 1000).toFixed(1)} s without`);
}
console.log(`${kills} kills, ${faults} runs that differ or failed (seed ${values.seed})`);
process.exitCode = faults === 0 ? 0 : 1;
