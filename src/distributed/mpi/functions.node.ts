/** The functions of MPI that are called, by their types in mpi.h; and what is done about the code that each returns. */
import { RuntimeError } from "../../core/errors.ts";
import type { HandleCell, MpiLibrary } from "./library.node.ts";

/** Throws RuntimeError unless a call succeeded. */
export function requireSuccess(name: string, code: number): void {
  if (code !== 0)
    throw new RuntimeError(
      `${name} failed with MPI's code ${code}: the connection to another process is lost, or memory ran out; see what it printed, and start again`,
    );
}

/** The functions that there are. */
export type MpiFunctions = ReturnType<typeof functionsOf>;

/** The functions, with the types of their arguments as mpi.h has them. */
export const functionsOf = ({ call }: MpiLibrary) => ({
  init: call("MPI_Init_thread", "**i*"),
  setErrorHandler: call("MPI_Comm_set_errhandler", "HH"),
  duplicate: call("MPI_Comm_dup", "H*"),
  rank: call("MPI_Comm_rank", "H*"),
  size: call("MPI_Comm_size", "H*"),
  allReduce: call("MPI_Iallreduce", "**iHHH*"),
  allGather: call("MPI_Iallgatherv", "*iH***HH*"),
  allToAll: call("MPI_Ialltoallv", "***H***HH*"),
  broadcast: call("MPI_Ibcast", "*iHiH*"),
  test: call("MPI_Test", "***"),
  send: call("MPI_Isend", "*iHiiH*"),
  probe: call("MPI_Iprobe", "iiH**"),
  receive: call("MPI_Recv", "*iHiiH*"),
  finalize: call("MPI_Finalize", ""),
});

/** Whether a call that goes on has come to its end. */
export function isDone(
  { test }: MpiFunctions,
  { statusIgnore }: MpiLibrary,
  name: string,
  request: HandleCell,
): boolean {
  const flag = new Int32Array(1);
  requireSuccess(name, test(request, flag, statusIgnore));
  return flag[0] !== 0;
}
