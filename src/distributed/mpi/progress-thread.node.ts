/** The thread of `Progress`: calls into MPI, which lets it send and take what is under way, and rests in between. */
import { workerData } from "node:worker_threads";
import { loadedMpi } from "./library.node.ts";
import { ending, looking, type ProgressData, resting } from "./progress.node.ts";

/** Milliseconds between two calls: sockets hold more than a network carries meanwhile. */
const rest = 0.05;

const { file, isOpenMpi, world, word } = workerData as ProgressData;
const { anySource, statusIgnore, call } = await loadedMpi(file, isOpenMpi);
const probe = call("MPI_Iprobe", "iiH**");
const shared = new Int32Array(word);
const there = new Int32Array(1);
for (;;) {
  Atomics.wait(shared, 0, resting);
  if (Atomics.load(shared, 0) === ending) break;
  probe(anySource, 0, world, there, statusIgnore);
  Atomics.wait(shared, 0, looking, rest);
}
