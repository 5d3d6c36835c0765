/** Starts a program as several processes on this machine, by the launcher of the MPI that is installed. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { columnsVariable, type MpiFamily } from "./launcher.node.ts";
import { loadMpi } from "./library.node.ts";

/** The variable that names the folder in which each process says which rank it is, for a launcher that names processes alone. */
export const ranksFolderVariable = "SARDONYX_RANKS";

/** How processes are started and watched. */
export interface StartOptions {
  readonly count: number;
  /** The program with its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Asks all to stop when they can, when it is aborted. */
  readonly signal: AbortSignal;
  /** Of the terminal that the output comes to; `undefined` where it is none. */
  readonly columns: number | undefined;
  /** What they write to standard output. */
  onOutput(bytes: Uint8Array): void;
  /** What they write to standard error, but for what the launcher adds. */
  onError(text: string): void;
}

/** How it ended: with a status as a shell gives it, and who was ended by a signal, in words. */
export interface Ended {
  readonly status: number;
  readonly killed: string | undefined;
}

interface Launcher {
  readonly program: string;
  readonly family: MpiFamily;
}

/** The file in that folder in which rank 0 says with what status it ends. */
const statusFile = "status";

/** Says with what status rank 0 ends, to the process that started it. */
export function tellStatus(status: number): void {
  const folder = process.env[ranksFolderVariable];
  if (folder) writeFileSync(join(folder, statusFile), String(status));
}

function toldStatus(folder: string): number | undefined {
  const path = join(folder, statusFile);
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined;
}

/** The processes that said which rank they are. */
const ranksIn = (folder: string): readonly number[] => readdirSync(folder).map(Number).filter(Number.isInteger);

/** Asks a process to stop when it can, unless it is gone. */
function askToStop(pid: number): void {
  try {
    process.kill(pid, stopSignal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The signal that asks processes to stop when they can: launchers take others for their own end. */
const stopSignal = "SIGUSR2";

/** Throws OptionError where there is no MPI, or koffi is missing. */
export async function startRanks({ count, command, signal, columns, onOutput, onError }: StartOptions): Promise<Ended> {
  const { program, family } = await findLauncher();
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-ranks-"));
  const threads = process.env["OMP_NUM_THREADS"] ?? Math.max(1, Math.floor(availableParallelism() / count));
  const options = family === "Open MPI" ? ["--bind-to", "none", "--oversubscribe"] : [];
  const child = spawn(program, ["-n", String(count), ...options, ...command], {
    // Of a group of its own: a terminal's Ctrl-C is for this process, which asks for the end of the others.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...{ ...process.env, ...asRoot(family), OMP_NUM_THREADS: String(threads) },
      ...{ [ranksFolderVariable]: folder, [columnsVariable]: columns === undefined ? "" : String(columns) },
    },
  });
  // Hydra writes there what it says of an end; it gives processes no terminal, so that whole lines come.
  const shown = new LauncherNoise((line) => onOutput(new TextEncoder().encode(`${line}\n`)));
  if (family === "Open MPI") child.stdout?.on("data", onOutput);
  else child.stdout?.setEncoding("utf8").on("data", (text: string) => shown.read(text));
  const noise = new LauncherNoise(onError);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => noise.read(text));
  signal.addEventListener("abort", () => {
    const begun = ranksIn(folder);
    // Those that have not begun have nothing to save.
    if (begun.length < count) child.kill("SIGTERM");
    else for (const pid of begun) askToStop(pid);
  });
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    const killed = [noise.end(folder, count), shown.end(folder, count)].find((who) => who !== undefined);
    // What rank 0 ended with counts, whatever became of the others then.
    const told = toldStatus(folder);
    return told === undefined ? { status, killed } : { status: told, killed: undefined };
  } finally {
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Open MPI starts nothing for root unless root says that it knows. */
const asRoot = (family: MpiFamily): Readonly<Record<string, string>> =>
  family === "Open MPI" && process.getuid?.() === 0
    ? { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" }
    : {};

/** A launcher whose library is there too. */
async function findLauncher(): Promise<Launcher> {
  let first: unknown;
  for (const program of ["mpirun", "mpiexec", "mpirun.openmpi", "mpirun.mpich"]) {
    const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    if (!stdout) continue;
    const family: MpiFamily = /open ?mpi|open-mpi|OpenRTE/i.test(stdout) ? "Open MPI" : "MPICH";
    try {
      await loadMpi(family, program);
      return { program, family };
    } catch (error) {
      first ??= error;
    }
  }
  throw (
    first ??
    new OptionError(
      "several processes need MPI, and no mpirun was found; install it (Debian: apt install openmpi-bin), or leave --processes out",
    )
  );
}

/** What Node writes before it gives up for want of memory: its last collections. */
const collections = /^(<--- |\[\d+:0x[\da-f]+\])/;
/** What it and MPI write after that: where in their code they were. */
const frames = /^(FATAL ERROR|----- \w+ stack trace|\s*\d+: 0x|\[[^\]]+:\d+\] (\*\*\*|Signal|\[ ?\d+\]))/;

/** What a launcher says of an end, which is told from what its processes write. */
class LauncherNoise {
  readonly #onError: (text: string) => void;
  #rest = "";
  #inside = false;
  #killed: { readonly rank?: number; readonly pid?: number } = {};
  #signal: string | undefined;
  /** Whether a process said that its memory was full; what it and MPI write of that then is of their insides. */
  #isFull = false;

  constructor(onError: (text: string) => void) {
    this.#onError = onError;
  }

  read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** Who was ended by a signal; `undefined` where nobody was. */
  end(folder: string, count: number): string | undefined {
    if (this.#rest !== "") this.#line(this.#rest);
    if (this.#signal === undefined) return undefined;
    const { pid } = this.#killed;
    const rank = this.#killed.rank ?? (pid === undefined ? undefined : rankOf(folder, pid));
    const who = rank === undefined ? `process ${pid ?? "unknown"}` : `rank ${rank} of ${count}`;
    const why = this.#isFull
      ? ": it ran out of memory; take smaller batches or more processes, or give it more (NODE_OPTIONS=--max-old-space-size=8192)"
      : this.#signal.includes("Killed")
        ? ", as systems do with what takes the last of their memory"
        : "";
    return `${who} was ended by ${this.#signal}${why}`;
  }

  #line(line: string): void {
    // Open MPI frames what it says.
    if (/^-{70,}$/.test(line)) {
      this.#inside = !this.#inside;
      return;
    }
    const [, rank, signal] = /noticed that process rank (\d+) .* exited on (signal \d+ \(.*\))/.exec(line) ?? [];
    if (signal !== undefined) {
      this.#killed = { rank: Number(rank) };
      this.#signal = signal;
    }
    const [, pid] = /^=\s+PID (\d+) RUNNING AT/.exec(line) ?? [];
    if (pid !== undefined) this.#killed = { pid: Number(pid) };
    const [, name, number] = /TERMINATED WITH THE EXIT STRING: (.*) \((signal \d+)\)/.exec(line) ?? [];
    if (name !== undefined) this.#signal = `${number} (${name})`;
    const ofHydra = /^(=|YOUR APPLICATION TERMINATED|This typically refers|Please see the FAQ)/.test(line);
    const ofSignals = line.startsWith("mpirun: Forwarding signal");
    this.#isFull ||= /^FATAL ERROR: .*out of memory/.test(line);
    const ofMemory = collections.test(line) || (this.#isFull && (frames.test(line) || line === ""));
    if (!this.#inside && !ofHydra && !ofSignals && !ofMemory) this.#onError(line);
  }
}

/** The rank that a process said that it is. */
function rankOf(folder: string, pid: number): number | undefined {
  try {
    return Number(readFileSync(join(folder, String(pid)), "utf8"));
  } catch {
    return undefined;
  }
}
