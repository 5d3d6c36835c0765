/** Runs that are cut off, by signals, kills and readers that go away, and runs begun at once: nothing is lost. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeSafetensors } from "../src/storage/safetensors.ts";
import { commandLine, program, recordOf } from "./command-line.ts";
import { repeatable } from "./run-log.ts";

const { folder, start, run } = commandLine();

describe("runs that are cut off", () => {
  const single = ["train", "lenet-mnist", "--limit", "512", "--batch-size", "32", "--epochs", "3"];
  const staged = ["train", "iris", "--epochs", "24"];

  test("Ctrl-C finishes the batch, saves and exits 130; --resume goes on to the same end", async () => {
    const whole = await run(...single, "--out", "uninterrupted", "--json");
    expect(whole.code).toBe(0);
    let pressed = false;
    const { ended } = start([...single, "--out", "interrupted", "--json"], (line, kill) => {
      if (pressed || !line.includes('"batch"')) return;
      pressed = true;
      kill("SIGINT");
    });
    const stopped = await ended;
    expect([stopped.code, stopped.signal]).toEqual([130, null]);
    expect(recordOf(stopped, "stopped")).toMatchObject({ saved: true });
    expect(existsSync(join(folder, "interrupted/evaluation.json"))).toBe(false);
    const resumed = await run("train", "lenet-mnist", "--resume", "--out", "interrupted", "--json");
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expectSameRun("interrupted", "uninterrupted");
    const again = await run("train", "lenet-mnist", "--resume", "--out", "interrupted");
    expect(again.stdout).toContain("This run is finished after 3 epochs");
    const longer = await run("train", "lenet-mnist", "--resume", "--out", "interrupted", "--epochs", "4", "--json");
    expect(longer.records.filter(({ type }) => type === "epoch")).toMatchObject([{ epoch: 4 }]);

    const record = join(folder, "interrupted", "run.json");
    writeFileSync(record, readFileSync(record, "utf8").replace(/("onnxruntime-node": )"[^"]+"/, '$1"0.0.1"'));
    const moved = await run("train", "lenet-mnist", "--resume", "--out", "interrupted");
    expect(moved.code).toBe(0);
    expect(moved.stderr).toMatch(/began with onnxruntime-node 0\.0\.1 \(here .*maybe not bit for bit/);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s saves and exits %i", async (signal, status) => {
    const { ended } = start(["train", "iris", "--epochs", "1000", "--out", signal, "--json"], (line, kill) => {
      if (line.includes('"epoch":3,')) kill(signal);
    });
    const stopped = await ended;
    expect([stopped.code, stopped.signal]).toEqual([status, null]);
    expect(recordOf(stopped, "stopped")).toMatchObject({ saved: true });
    expect(existsSync(join(folder, signal, "lock"))).toBe(false);
  });

  test.skipIf(process.platform === "win32")(
    "nohup and a reader that went away let a run go on to its end",
    async () => {
      const command = (out: string) => `'${process.execPath}' '${program}' train iris --epochs 60 --out ${out}`;
      const shell = (script: string) =>
        spawnSync("bash", ["-c", script], {
          cwd: folder,
          env: { ...process.env, OMP_NUM_THREADS: "1" },
          encoding: "utf8",
        });
      const unread = shell(`(${command("unread")} 2>&1; echo "status $?" >&2) | head -1`);
      expect([unread.stderr, unread.stdout]).toEqual(["status 0\n", expect.stringContaining("iris: ")]);
      expect(existsSync(join(folder, "unread", "evaluation.json"))).toBe(true);
      // The terminal goes as soon as there is a run.
      const detached = shell(
        `nohup ${command("detached")} > detached.txt & until [ -e detached/run.json ]; do sleep 0.05; done; kill -HUP $!; wait $!; echo "status $?"`,
      );
      expect(detached.stdout).toBe("status 0\n");
      expect(existsSync(join(folder, "detached", "evaluation.json"))).toBe(true);
    },
  );

  test("three runs begun at once are three, and one that is taken up twice is taken up once", async () => {
    const at = mkdtempSync(join(folder, "at-once-"));
    const begin = (...more: readonly string[]) =>
      start(["train", "iris", "--epochs", "4", ...more, "--json"], undefined, at).ended;
    const all = await Promise.all([1, 2, 3].map((seed) => begin("--seed", String(seed))));
    const runs = all.map((own) => recordOf(own, "start") as unknown as { folder: string; settings: { seed: number } });
    expect(new Set(runs.map((own) => own.folder)).size).toBe(3);
    for (const { folder: own, settings } of runs) {
      expect(JSON.parse(readFileSync(join(own, "run.json"), "utf8")).settings.seed).toBe(settings.seed);
      expect(readFileSync(join(own, "log.jsonl"), "utf8").match(/"type":"epoch"/g)).toHaveLength(6);
    }
    const [out = ""] = runs.map((own) => own.folder);
    const on = ["--resume", "--out", out, "--epochs", "2000"];
    const both = [on, on].map((more) => start(["train", "iris", ...more, "--json"], undefined, at));
    const first = await Promise.race(both.map(({ ended }) => ended));
    for (const { kill } of both) kill("SIGTERM");
    expect([first.code, first.stderr]).toEqual([2, expect.stringMatching(/is in use by process \d+ since /)]);
    const codes = (await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code);
    expect(codes.sort()).toEqual([143, 2]);
  });

  // A resumed run may be killed again before it has saved anything new: then the next one begins where it did.
  test.each([
    ["one stage", single, 500, 1],
    ["two stages, one frozen", staged, 250, 2],
  ] as const)("kill -9 at any moment, %s: the same parameters, bit for bit", async (name, args, longest, stages) => {
    const [whole, killed] = [`whole ${name}`, `killed ${name}`];
    expect((await run(...args, "--out", whole, "--json")).code).toBe(0);
    const delays: number[] = [];
    let kills = 0;
    const go = [...args, "--out", killed, "--checkpoint-seconds", "0.02", "--json"];
    for (let attempt = 0; attempt < 5; attempt++) {
      const delay = Math.random() * longest;
      delays.push(delay);
      let begun = false;
      const { ended, kill } = start(existsSync(join(folder, killed)) ? [...go, "--resume"] : go, (line) => {
        // The first kills fall into the first stage, the others into the last.
        if (begun || !line.includes(attempt < 2 ? '"type":"stage"' : `"stage":${stages}`)) return;
        begun = true;
        setTimeout(() => kill("SIGKILL"), delay);
      });
      const { code, signal, stderr } = await ended;
      if (code === null) kills++;
      expect([code, signal], `after ${delays}: ${stderr}`).toEqual(code === null ? [null, "SIGKILL"] : [0, null]);
    }
    expect(kills).toBeGreaterThan(0);
    expect((await run(...go, "--resume")).code, `${delays}`).toBe(0);
    expectSameRun(killed, whole, `killed after ${delays} ms`);
  });
});

/** Holds the files of two runs against each other, byte by byte. */
function expectSameRun(a: string, b: string, message?: string): void {
  const bytes = (run: string, file: string) => readFileSync(join(folder, run, file));
  const [left, right] = [a, b].map((run) => decodeSafetensors(bytes(run, "checkpoint.safetensors")));
  expect(Object.keys(left?.tensors ?? {})).toEqual(Object.keys(right?.tensors ?? {}));
  // Parameters, what the optimizer remembers, history, best epoch: all of the file.
  expect(readdirSync(join(folder, a)).sort()).toEqual(readdirSync(join(folder, b)).sort());
  for (const file of ["checkpoint.safetensors", "model.onnx", "log.jsonl"])
    expect(repeatable(file, bytes(a, file)) === repeatable(file, bytes(b, file)), `${file} ${message ?? ""}`).toBe(
      true,
    );
}
