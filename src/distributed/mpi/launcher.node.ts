/** What started this process as one of several, as its environment tells: `mpirun` of Open MPI or MPICH, `srun`. */
/** The families of libraries, whose handles differ. MPICH's is Intel's, MVAPICH's and Microsoft's too. */
export type MpiFamily = "Open MPI" | "MPICH";

/** A process that was started as one of several. */
export interface Launched {
  readonly family: MpiFamily;
  readonly rank: number;
  readonly size: number;
  /** How many of them are on this machine. */
  readonly here: number;
  /** The variable that says so. */
  readonly variable: string;
}

/** The variable that says how wide the terminal is that the processes' output comes to; without it there is none. */
export const columnsVariable = "SARDONYX_COLUMNS";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of each launcher: how many processes, and how many on this machine. */
const launchers: readonly {
  readonly family: MpiFamily;
  readonly rank: string;
  readonly size: string;
  readonly here: string;
}[] = [
  {
    family: "Open MPI",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    here: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  { family: "MPICH", rank: "PMI_RANK", size: "PMI_SIZE", here: "MPI_LOCALNRANKS" },
  // srun --mpi=pmix
  { family: "Open MPI", rank: "PMIX_RANK", size: "SLURM_NTASKS", here: "SLURM_NTASKS_PER_NODE" },
];

/** How this process was started; `undefined` for one that is alone. */
export function launched(env: Environment = process.env): Launched | undefined {
  for (const { family, rank, size, here } of launchers) {
    const ranks = Number(env[size]);
    const own = Number.parseInt(env[rank] ?? "", 10);
    if (!(own >= 0) || !Number.isInteger(ranks) || ranks < 1) continue;
    const local = Number.parseInt(env[here] ?? "", 10);
    return { family, rank: own, size: ranks, here: local > 0 ? local : 1, variable: size };
  }
  return undefined;
}
