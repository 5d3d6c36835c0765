// Owns how the drivers read their command lines.
import { parseArgs } from "node:util";

/** A command line that cannot be understood; the driver prints the sentence and its usage. */
export class UsageError extends Error {}

function positiveInteger(option, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`--${option} is '${text}', but it should be a whole number of at least 1.`);
  }
  return value;
}

function choose(option, text, known) {
  if (text === undefined) return known;
  const chosen = text.split(",");
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--${option} names '${unknown}', but it should name some of ${known.join(", ")}.`);
  }
  return known.filter((name) => chosen.includes(name));
}

/** What both drivers say of their options, between the line of their command and options of their own. */
export const usageOf = (works, names) => `  --work NAME,...       works to run (default: all): ${works.join(", ")}
  --only CONTENDER,...  contenders to run (default: all): ${names.join(", ")}
  --rounds N            times that each contender runs, in turns (default: 3)
  --threads N           threads of each contender (default: 2)
  --timeout SECONDS     limit on one run of one contender (default: 120)`;

/** The options of a driver that has these works and contenders, and perhaps `more` of its own. Throws UsageError. */
export function readOptions(works, names, more = {}) {
  const string = { type: "string" };
  const options = { work: string, only: string, rounds: string, threads: string, timeout: string };
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, ...more, help: { type: "boolean" } } }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  return {
    ...values,
    help: values.help === true,
    works: choose("work", values.work, works),
    names: choose("only", values.only, names),
    rounds: positiveInteger("rounds", values.rounds ?? "3"),
    threads: positiveInteger("threads", values.threads ?? "2"),
    timeoutSeconds: positiveInteger("timeout", values.timeout ?? "120"),
  };
}

/** Runs a driver, which is given its options, and prints its usage where they are wrong or asked for. */
export async function drive(usage, read, run) {
  try {
    const options = read();
    if (options.help) console.log(usage);
    else await run(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${usage}`);
    process.exitCode = 2;
  }
}
