/** Runs of several processes on this machine, by each MPI that is installed: the same as of one, and their ends. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandLine, program, recordOf } from "./command-line.ts";

const { folder, start, run } = commandLine();
const launchers = ["mpirun.openmpi", "mpirun.mpich"].filter((name) => spawnSync(name, ["--version"]).status === 0);

// Open MPI starts nothing for root unless root says that it knows.
process.env["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
process.env["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
// With more threads than cores ranks wait for one another.
process.env["OMP_NUM_THREADS"] = "1";

/** A recipe of your own on 96 made-up rows, in which a rank does something at its third batch. */
function recipeIn(name: string, { atThirdBatch = "", bias = "0" }): string {
  const path = join(folder, `${name}.ts`);
  writeFileSync(
    path,
    `import { crossEntropy, defineRecipe, dense, dropout, fromTensors, keyOf, Random, sequential, Tensor } from "sardonyx";
const rank = Number(process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK ?? 0);
export default defineRecipe({
  name: "${name}",
  summary: "made-up rows",
  defaults: { epochs: 3, batchSize: 16, optimizer: "adam", learningRate: 0.01, seed: 0 },
  load: ({ batchSize }) => {
    const random = new Random(keyOf(1));
    const rows = Float32Array.from({ length: 96 * 4 }, () => random.normal() + (${bias}));
    const x = new Tensor("float32", [96, 4], rows);
    const y = new Tensor("int32", [96], Int32Array.from({ length: 96 }, (_, i) => (rows[4 * i] > 0 ? 1 : 0)));
    const data = fromTensors({ x, y });
    return {
      model: sequential([dense(8, { activation: "relu" }), dropout(0.2), dense(2)]),
      inputs: { dtype: "float32", shape: [batchSize, 4] },
      train: data.shuffle(keyOf(0)).batch(batchSize),
      test: data.batch(batchSize),
      loss: crossEntropy(),
      metrics: [],
      callbacks: [{ name: "own", async onBatch({ trainer }) { if (trainer.batches === 3) { ${atThirdBatch} } } }],
    };
  },
});
`,
  );
  return path;
}

const epochs = (of: string) =>
  readFileSync(join(folder, of, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number | string>)
    .filter(({ type }) => type === "epoch");

describe.skipIf(launchers.length === 0)("several processes", () => {
  test("come to what one does, and go on as another number of them", async () => {
    const recipe = recipeIn("alike", {});
    expect(await run("train", recipe, "--epochs", "4", "--out", "alone")).toMatchObject({ code: 0, stderr: "" });
    const both = await run(
      "train",
      recipe,
      "--epochs",
      "2",
      "--out",
      "both",
      "--processes",
      "2",
      "--rank-logs",
      "logs",
      "--json",
    );
    expect([both.code, both.stderr]).toEqual([0, ""]);
    expect(recordOf(both, "start")).toBeDefined();
    expect(both.records.filter(({ type }) => type === "end")).toHaveLength(1);
    expect(readFileSync(join(folder, "logs/rank-1.log"), "utf8")).toContain("alike: made-up rows");
    expect(JSON.parse(readFileSync(join(folder, "both/run.json"), "utf8"))).toMatchObject({ processes: 2 });
    const more = await run("train", recipe, "--epochs", "4", "--out", "both", "--resume", "--processes", "3");
    expect([more.code, more.stderr]).toEqual([0, ""]);
    const [alone, together] = [epochs("alone"), epochs("both")];
    expect(together).toHaveLength(4);
    for (const [i, { loss }] of together.entries()) expect(loss).toBeCloseTo(Number(alone[i]?.["loss"]), 5);
  });

  test.each(launchers)("%s starts them too, whatever way gradients are exchanged", async (launcher) => {
    const recipe = recipeIn("launched", {});
    expect((await run("train", recipe, "--out", `alone-of-${launcher}`)).code).toBe(0);
    const alone = epochs(`alone-of-${launcher}`);
    const ways: readonly [string, readonly string[]][] = [
      ["plain", []],
      ["buckets", ["--buckets", "4"]],
      ["sharded", ["--buckets", "2", "--sharded"]],
      ["halves", ["--buckets", "4", "--exchange", "float16", "--sharded"]],
    ];
    for (const [name, options] of ways) {
      const out = `${name}-by-${launcher}`;
      const { status, stderr } = spawnSync(
        launcher,
        ["-n", "2", process.execPath, program, "train", recipe, "--out", out, ...options],
        { cwd: folder, encoding: "utf8" },
      );
      expect([status, stderr]).toEqual([0, ""]);
      expect(JSON.parse(readFileSync(join(folder, out, "run.json"), "utf8"))).toMatchObject({ processes: 2 });
      expect(existsSync(join(folder, out, "evaluation.json"))).toBe(true);
      // Gradients of 11 bits move a loss near 0.5 in its fourth digit.
      for (const [i, { loss }] of epochs(out).entries())
        expect(loss).toBeCloseTo(Number(alone[i]?.["loss"]), name === "halves" ? 3 : 5);
    }
  });

  test("seeds and the trials of a search are given to them whole, and come to the same", async () => {
    const jsonIn = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), "utf8"));
    const seeds = ["train", "iris", "--epochs", "4", "--seeds", "3", "--out"];
    expect((await run(...seeds, "seeds-1")).code).toBe(0);
    const shared = await run(...seeds, "seeds-2", "--processes", "2");
    expect([shared.code, shared.stderr]).toEqual([0, ""]);
    expect(jsonIn("seeds-2", "seeds.json")).toEqual(jsonIn("seeds-1", "seeds.json"));
    const trials = ["train", "iris", "--epochs", "3", "--trials", "3", "--out"];
    expect((await run(...trials, "trials-1")).code).toBe(0);
    const searched = await run(...trials, "trials-2", "--processes", "2");
    expect([searched.code, searched.stderr]).toEqual([0, ""]);
    const reached = (out: string) => jsonIn(out, "search.json").trials.map((own: { reached: unknown }) => own.reached);
    expect(reached("trials-2")).toEqual(reached("trials-1"));
    expect(jsonIn("trials-2", "best", "run.json")).toMatchObject({ processes: 2 });
  });

  test("one that is killed ends all, by name; --resume goes on", async () => {
    const recipe = recipeIn("killed", { atThirdBatch: 'if (rank === 1) process.kill(process.pid, "SIGKILL");' });
    const ended = await run("train", recipe, "--out", "killed", "--processes", "2", "--checkpoint-seconds", "0");
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toBe(
      "sardonyx: rank 1 of 2 was ended by signal 9 (Killed), as systems do with what takes the last of their memory; what was saved is whole: go on with the same command and --resume [RANK]\n",
    );
    recipeIn("killed", {});
    const resumed = await run("train", recipe, "--out", "killed", "--processes", "2", "--resume");
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      expect.stringMatching(/which is no more; it is taken over\.\n$/),
    ]);
    expect(epochs("killed")).toHaveLength(3);
  });

  test("one whose memory is full ends all, by name and cause", async () => {
    const filling =
      "if (rank === 1) { const all = []; for (;;) all.push(Array.from({ length: 1e5 }, (_, i) => String(i))); }";
    const recipe = recipeIn("full", { atThirdBatch: filling });
    process.env["NODE_OPTIONS"] = "--max-old-space-size=200";
    const ended = await run("train", recipe, "--out", "full", "--processes", "2", "--checkpoint-seconds", "0");
    delete process.env["NODE_OPTIONS"];
    expect(ended.code).not.toBe(0);
    expect(ended.stderr.trim()).toMatch(
      /^sardonyx: rank 1 of 2 was ended by signal 6 \(Aborted\): it ran out of memory; .*--resume \[RANK\]$/,
    );
    expect(existsSync(join(folder, "full/checkpoint.safetensors"))).toBe(true);
  });

  test("one that fails ends all, by name and cause, told once", async () => {
    const recipe = recipeIn("failing", { atThirdBatch: 'if (rank === 1) throw new Error("the disk is gone");' });
    const ended = await run("train", recipe, "--out", "failing", "--processes", "3");
    expect([ended.code, ended.stderr]).toEqual([2, "sardonyx: rank 1 of 3 ended: the disk is gone [RANK]\n"]);
  });

  test("one that has other data is named before the first step", async () => {
    const ended = await run("train", recipeIn("other", { bias: "rank" }), "--out", "other", "--processes", "2");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(
      /^sardonyx: rank 1 of 2 has another first batch \([0-9a-f]{12}\) than rank 0 \([0-9a-f]{12}\); give every rank the same program, options and data \[RANK\]\n$/,
    );
    expect(existsSync(join(folder, "other"))).toBe(false);
  });

  test("a mistake that all make is told once", async () => {
    const ended = await run("train", recipeIn("mistaken", {}), "--optimizer", "adamm", "--processes", "2");
    expect(ended.code).toBe(2);
    expect(ended.stderr.match(/sardonyx:/g)).toHaveLength(1);
    const late = await run("train", recipeIn("late", {}), "--batch-size", "1000", "--processes", "2");
    expect(late.code).toBe(2);
    expect(late.stderr.match(/sardonyx:/g)).toHaveLength(1);
  });

  test("Ctrl-C stops all after the same batch, with a checkpoint, and exits 130", async () => {
    let pressed = false;
    const { ended } = start(
      ["train", recipeIn("stopped", {}), "--epochs", "100000", "--out", "stopped", "--processes", "2", "--json"],
      (line, kill) => {
        if (pressed || !line.includes('"epoch":5,')) return;
        pressed = true;
        kill("SIGINT");
      },
    );
    const stopped = await ended;
    expect([stopped.code, stopped.signal]).toEqual([130, null]);
    expect(recordOf(stopped, "stopped")).toMatchObject({ saved: true });
    expect(stopped.stderr).toBe("\nStopping after this batch; Ctrl-C again stops at once.\n");
    expect(existsSync(join(folder, "stopped/lock"))).toBe(false);
  });

  test("one that hangs is named within 30 seconds", { timeout: 60_000 }, async () => {
    // It says when it stops: how long the programs take to start is no part of it.
    const stop = `process.getBuiltinModule("node:fs").writeFileSync("stopped-at", String(Date.now()));`;
    const recipe = recipeIn("hanging", {
      atThirdBatch: `if (rank === 1) { ${stop} process.kill(process.pid, "SIGSTOP"); }`,
    });
    const ended = await run("train", recipe, "--out", "hanging", "--processes", "2");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^sardonyx: rank 1 of 2 has given no sign of life for 2\d s; it was .+ \[RANK\]\n$/);
    expect(Date.now() - Number(readFileSync(join(folder, "stopped-at"), "utf8"))).toBeLessThan(35_000);
  });
});

test("without MPI, or with the library of another, it says what to do", async () => {
  const bare = spawnSync(process.execPath, [program, "train", "iris", "--processes", "2"], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: "/nowhere" },
  });
  expect([bare.status, bare.stderr]).toEqual([
    2,
    "sardonyx: several processes need MPI, and no mpirun was found; install it (Debian: apt install openmpi-bin), or leave --processes out [OPTION]\n",
  ]);
  const alone = spawnSync(process.execPath, [program, "train", "iris"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2", SARDONYX_MPI: "/nowhere/libmpi.so" },
  });
  expect(alone.status).toBe(2);
  expect(alone.stderr).toMatch(
    /^sardonyx: Open MPI started this process \(OMPI_COMM_WORLD_SIZE is set\), and its library was not found/,
  );
});
