/** How training goes in two processes of this machine, beside one process with as many threads, in turns: `node scripts/measure-ranks.mjs`. */
import { spawnSync } from "node:child_process";

const work = new URL("ranks-work.mjs", import.meta.url).pathname;
const asRoot = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** What rank 0 prints. */
function answerOf(program, args, env = {}) {
  const { stdout, stderr, status } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: 180_000,
    env: { ...process.env, ...asRoot, ...env },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Networks, and over which rows batches are normalized. */
const works = [
  ["lenet", "global"],
  ["resnet18", "global"],
  ["resnet18", "local"],
  ["gpt", "global"],
];

/** Rounds in which one process and two take turns. */
function steps(rounds = 3) {
  console.log("| Step | One process, 2 threads | Two of 1 thread | Efficiency |\n| --- | ---: | ---: | ---: |");
  for (const [name, normalization] of works) {
    const [one, two] = [[], []];
    const ranks = ["-n", "2", "--bind-to", "none", process.execPath, work, name];
    for (let round = 0; round < rounds; round++) {
      one.push(answerOf(process.execPath, [work, name], { OMP_NUM_THREADS: "2" }));
      two.push(answerOf("mpirun", ranks, { OMP_NUM_THREADS: "1", NORMALIZATION: normalization }));
    }
    const [alone, both] = [median(one), median(two)];
    const shown = `${name}${name.startsWith("resnet") ? `, normalized ${normalization}ly` : ""}`;
    console.log(
      `| ${shown} | ${alone.toFixed(1)} ms | ${both.toFixed(1)} ms | ${((100 * alone) / both).toFixed(0)} % |`,
    );
  }
}

steps();
