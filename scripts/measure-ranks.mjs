/**
 * How training goes in two processes: `node scripts/measure-ranks.mjs` on this machine, beside one process with as many threads, in turns;
 * `node scripts/measure-ranks.mjs network 1gbit gpt`, as root with Open MPI and iproute2, on two hosts that a link of so many bits a second joins
 * (network namespaces), by each way of exchanging gradients;
 * `node scripts/measure-ranks.mjs sums 50mbit`, likewise, how long sums take among 2, 4 and 8 hosts, beside the model of time of `estimate`, whose
 * latency and bandwidth are fitted to two sums of two hosts.
 */
import { spawnSync } from "node:child_process";
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
      two.push(answerOf("mpirun", ranks, { OMP_NUM_THREADS: "1", TRAINING: JSON.stringify({ normalization }) }));
    }
    const [alone, both] = [median(one), median(two)];
    const shown = `${name}${name.startsWith("resnet") ? `, normalized ${normalization}ly` : ""}`;
    console.log(
      `| ${shown} | ${alone.toFixed(1)} ms | ${both.toFixed(1)} ms | ${((100 * alone) / both).toFixed(0)} % |`,
    );
  }
}

function command(line) {
  const [program, ...args] = line.split(" ");
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
}

/** Does work while there are hosts 10.9.0.1 and so on, each behind a link of a rate; what mpirun starts on a host runs there. */
function onHosts(count, rate, work) {
  const hosts = Array.from({ length: count }, (_, i) => `rank${i + 1}`);
  const folder = mkdtempSync(join(tmpdir(), "hosts-"));
  const agent = join(folder, "agent.sh");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell.
  writeFileSync(agent, '#!/bin/sh\nhost=$1\nshift\nexec ip netns exec "rank${host##*.}" sh -c "$*"\n', { mode: 0o755 });
  // What a run that was killed left.
  const takeAway = () => {
    for (const host of hosts) spawnSync("ip", ["netns", "delete", host]);
    spawnSync("ip", ["link", "delete", "hosts0"]);
  };
  takeAway();
  try {
    command("ip link add hosts0 type bridge");
    command("ip address add 10.9.0.254/24 dev hosts0");
    command("ip link set hosts0 up");
    for (const [i, host] of hosts.entries()) {
      const inside = `ip netns exec ${host}`;
      command(`ip netns add ${host}`);
      command(`ip link add to-${host} type veth peer name eth0 netns ${host}`);
      command(`ip link set to-${host} master hosts0 up`);
      command(`${inside} ip address add 10.9.0.${i + 1}/24 dev eth0`);
      command(`${inside} ip link set eth0 up`);
      command(`${inside} ip link set lo up`);
      for (const end of [`tc qdisc add dev to-${host}`, `${inside} tc qdisc add dev eth0`])
        command(`${end} root tbf rate ${rate} burst 32kb latency 400ms`);
    }
    const mca = {
      plm_rsh_agent: agent,
      plm_rsh_no_tree_spawn: "1",
      oob_tcp_if_include: "10.9.0.0/24",
      pml: "ob1",
      btl: "self,tcp",
      btl_tcp_if_include: "10.9.0.0/24",
    };
    const addresses = hosts.map((_, i) => `10.9.0.${i + 1}:1`).join(",");
    const settings = Object.entries(mca).flatMap(([name, value]) => ["--mca", name, value]);
    work(["-H", addresses, "-n", String(count), "--bind-to", "none", ...settings, "-x", "TRAINING"]);
  } finally {
    takeAway();
    rmSync(folder, { recursive: true });
  }
}

/** Ways of exchanging gradients. */
const ways = [
  { exchange: "float32", buckets: 1 },
  { exchange: "float32", buckets: 2 },
  { exchange: "float32", buckets: 4 },
  { exchange: "float16", buckets: 1 },
  { exchange: "float16", buckets: 4 },
  { exchange: "float32", buckets: 2, sharded: true },
];

function network(rate, name, rounds = 2) {
  onHosts(2, rate, (mpi) => {
    const taken = ways.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, way] of ways.entries())
        taken[i].push(
          answerOf("mpirun", [...mpi, process.execPath, work, name], {
            OMP_NUM_THREADS: "1",
            TRAINING: JSON.stringify(way),
          }),
        );
    console.log(`| ${name} on a link of ${rate} | Step |\n| --- | ---: |`);
    for (const [i, { exchange, buckets, sharded }] of ways.entries())
      console.log(
        `| ${exchange}, ${buckets} ${buckets === 1 ? "bucket" : "buckets"}${sharded ? ", sharded" : ""} | ${median(taken[i]).toFixed(0)} ms |`,
      );
  });
}

/** Bytes of sums: those that the model is fitted to, and others. */
const fitted = [8, 1_000_000];
const held = [4096, 250_000, 4_000_000];

function sums(rate) {
  console.log("| Hosts | Bytes | Measured | Model | Ratio |\n| ---: | ---: | ---: | ---: | ---: |");
  const ratios = [];
  let link;
  for (const hosts of [2, 4, 8])
    onHosts(hosts, rate, (mpi) => {
      const sizes = [...fitted, ...held].sort((a, b) => a - b);
      const taken = answerOf("mpirun", [...mpi, process.execPath, work, "sums", ...sizes.map(String)]);
      // A sum of two is two messages one after the other, of half the bytes where they are many.
      const latency = taken[fitted[0]] / 2000;
      link ??= { latency, bandwidth: fitted[1] / 2 / (taken[fitted[1]] / 2000 - latency) };
      for (const bytes of sizes) {
        const model = 1000 * sumSeconds(bytes, hosts, link);
        const isFitted = hosts === 2 && fitted.includes(bytes);
        if (!isFitted) ratios.push(model / taken[bytes]);
        const ratio = isFitted ? "fitted" : (model / taken[bytes]).toFixed(2);
        console.log(`| ${hosts} | ${bytes} | ${taken[bytes].toFixed(1)} ms | ${model.toFixed(1)} ms | ${ratio} |`);
      }
    });
  console.log(
    `\nA link of ${rate}: latency ${(1e6 * link.latency).toFixed(0)} µs, ${((8 * link.bandwidth) / 1e6).toFixed(1)} Mbit/s. Model by measurement where it was not fitted: median ${median(ratios).toFixed(2)}, from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  );
}

const [mode, rate = "1gbit", name = "gpt"] = process.argv.slice(2);
if (mode === "network") network(rate, name);
else if (mode === "sums") sums(rate);
else steps();
