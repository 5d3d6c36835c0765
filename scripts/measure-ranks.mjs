/**
 * How training goes in several processes of this machine: `node scripts/measure-ranks.mjs` beside one process with as many threads, in turns;
 * `node scripts/measure-ranks.mjs network`, as root with Open MPI, on hosts that slow links join (scripts/slow-network.py), beside the model of
 * time that `estimate` uses, fitted to two processes and held against four and eight, and other sizes.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sumSeconds } from "../dist/src/analyze/cost/exchange.js";

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

/**
 * Links by their delay in ms and Mbit/s: so slow that what several processes on few cores take from one another counts little beside them.
 */
const links = [
  [5, 100],
  [10, 50],
  [20, 20],
];
const fitted = [8, 1_000_000];
const held = [4096, 200_000, 2_000_000];

async function network() {
  const folder = mkdtempSync(join(tmpdir(), "slow-network-"));
  const agent = join(folder, "agent.sh");
  // What mpirun starts on a host runs in its namespace.
  const script = ["#!/bin/sh", "host=$1", "shift", 'exec ip netns exec "rank' + "$" + '{host##*.}" sh -c "$*"', ""];
  writeFileSync(agent, script.join("\n"), { mode: 0o755 });
  console.log("| Link | Processes | Bytes | Measured | Model | Ratio |\n| --- | ---: | ---: | ---: | ---: | ---: |");
  const ratios = [];
  for (const [delay, megabits] of links) {
    const slow = spawn(
      "python3",
      [new URL("slow-network.py", import.meta.url).pathname, "8", String(delay), String(megabits)],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    await once(slow.stdout, "data");
    let link;
    for (const processes of [2, 4, 8]) {
      const hosts = Array.from({ length: processes }, (_, i) => `10.9.0.${i + 1}:1`).join(",");
      const mca = {
        plm_rsh_agent: agent,
        plm_rsh_no_tree_spawn: "1",
        oob_tcp_if_include: "10.9.0.0/24",
        pml: "ob1",
        btl: "self,tcp",
        btl_tcp_if_include: "10.9.0.0/24",
      };
      const settings = Object.entries(mca).flatMap(([name, value]) => ["--mca", name, value]);
      const bytes = [...fitted, ...held];
      const taken = answerOf("mpirun", [
        "-H",
        hosts,
        "-n",
        String(processes),
        "--bind-to",
        "none",
        ...settings,
        process.execPath,
        work,
        "sums",
        ...bytes.map(String),
      ]);
      if (!link) {
        // A sum of two is two messages, one after the other.
        const latency = taken[fitted[0]] / 2000;
        link = { latency, bandwidth: fitted[1] / (taken[fitted[1]] / 2000 - latency) };
      }
      for (const own of bytes) {
        const model = 1000 * sumSeconds(own, processes, link);
        const isFitted = processes === 2 && fitted.includes(own);
        if (!isFitted) ratios.push(model / taken[own]);
        console.log(
          `| ${delay} ms, ${megabits} Mbit/s | ${processes} | ${own} | ${taken[own].toFixed(1)} ms | ${model.toFixed(1)} ms | ${isFitted ? "fitted" : (model / taken[own]).toFixed(2)} |`,
        );
      }
    }
    slow.stdin.end();
    await once(slow, "close");
  }
  rmSync(folder, { recursive: true });
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(2);
  console.log(
    `\nModel by measurement, where it was not fitted: median ${at(0.5)}, from ${at(0.1)} to ${at(0.9)} in eight of ten`,
  );
}

if (process.argv[2] === "network") await network();
else steps();
