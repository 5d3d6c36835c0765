/** Commands that several processes carry out together: started here by `--processes N`, or by a launcher such as `mpirun`. */
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "../core/errors.ts";
import { flagOf } from "../core/printable.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { launched } from "../distributed/mpi/launcher.node.ts";
import { openedRanks } from "../distributed/opened.ts";
import { text, wholeNumber } from "./command.ts";
import { stopOnSignal } from "./interrupt.ts";
import type { Output } from "./output.ts";

/** The options of such commands. */
export const ranksOptions = {
  processes: wholeNumber("train in so many processes on this machine, started by MPI; mpirun does so on several", 1),
  rankLogs: text("DIR", "write what the other processes print to files there"),
};

/** Ends the program with a status that another process ended with, which has said why. */
export class EndedElsewhere extends Error {
  constructor(readonly status: number) {
    super(`ended with status ${status}`);
  }
}

/** Whether this process is one of several and not the first, so that it prints nothing. */
const follows = (): boolean => (launched()?.rank ?? 0) > 0;

/**
 * Where a process writes: others than rank 0 nowhere, or to a file of theirs.
 * @param logs the folder of the files
 */
export function outputOfRank(output: Output, logs: string | undefined): Output {
  if (!follows()) return output;
  const write = logs === undefined ? () => undefined : writerTo(logs);
  return {
    ...{ json: output.json, terminal: false, columns: 100, colours: false },
    shades: (parts) => write(`${parts.map(({ text: own }) => own).join("")}\n`),
    line: (line = "") => write(`${line}\n`),
    part: write,
    prose: (prose) => write(`${prose}\n`),
    record: () => undefined,
    warn: (warning) => write(`${warning}\n`),
  };
}

/** Throws OptionError for logs of processes of a run whose files are to be encrypted. */
export function requireNoClearLogs(rankLogs: string | undefined, encryptTo: string | undefined): void {
  if (rankLogs !== undefined && encryptTo !== undefined)
    throw new OptionError("--rank-logs are written as they come, in the clear; leave them out, or --encrypt-to");
}

function writerTo(folder: string): (text: string) => void {
  mkdirSync(folder, { recursive: true });
  const stream = createWriteStream(join(folder, `rank-${launched()?.rank}.log`), { flags: "a" });
  return (text) => {
    stream.write(text);
  };
}

/**
 * The processes that this one was started among; `undefined` for one that is alone. Where `processes` asks for several, starts them with the
 * same arguments and ends as they do: throws EndedElsewhere.
 */
export async function ranksOf(
  { processes }: { readonly processes?: number | undefined },
  args: readonly string[],
  output: Output,
): Promise<Communicator | undefined> {
  if (launched()) return (await import("../distributed/mpi/mpi.node.ts")).openRanks();
  if (processes === undefined || processes === 1) return undefined;
  const { startRanks } = await import("../distributed/mpi/start.node.ts");
  const interruption = stopOnSignal(output);
  const [program = "", script = ""] = process.argv;
  try {
    const { status, killed } = await startRanks({
      count: processes,
      command: [program, ...process.execArgv, script, ...withoutOption(args, "processes")],
      signal: interruption.signal,
      columns: output.terminal ? output.columns : undefined,
      onOutput: (bytes) => process.stdout.write(bytes),
      onError: (line) => output.warn(line),
    });
    if (killed !== undefined) {
      output.record("error", { code: "RANK", message: killed });
      output.warn(
        `sardonyx: ${killed}; what was saved is whole: go on with the same command and --resume [RANK]`,
        "bad",
      );
    }
    throw new EndedElsewhere(status);
  } finally {
    interruption.release();
  }
}

/** Arguments without an option and its value. */
function withoutOption(args: readonly string[], name: string): readonly string[] {
  const flag = flagOf(name);
  return args.filter((arg, i) => arg !== flag && !arg.startsWith(`${flag}=`) && args[i - 1] !== flag);
}

/** Whether a mistake is to be told by this process: by rank 0, and by another where rank 0 does not know of it. */
export async function tellsMistake(error: unknown): Promise<boolean> {
  if (!launched()) return true;
  const communicator = await openedRanks()?.catch(() => undefined);
  const why = error instanceof Error ? error.message : String(error);
  return !follows() || (await communicator?.fail(why)) === false;
}

/** Lets the others, and who started them, know that this process is done, well or with a mistake that was told. */
export async function leaveRanks(status: number, error?: unknown): Promise<void> {
  if (launched()?.rank === 0) (await import("../distributed/mpi/start.node.ts")).tellStatus(status);
  const communicator = await openedRanks()?.catch(() => undefined);
  if (error === undefined) await communicator?.close();
  else await communicator?.fail(error instanceof Error ? error.message : String(error));
}
