/** The scripts of docs/guides/cluster.md: the batch script, with commands of Slurm in whose place others stand. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const guide = readFileSync(new URL("../docs/guides/cluster.md", import.meta.url), "utf8");
const [, script = ""] = /```sh\n(#!\/bin\/bash\n[\s\S]*?)```/.exec(guide) ?? [];
const folder = mkdtempSync(join(tmpdir(), "sardonyx-slurm-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A command that writes down how it was called, and ends with a status. */
function stand(name: string, status = 0): void {
  const path = join(folder, "bin", name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\nexit ${status}\n`);
  chmodSync(path, 0o755);
}

/** The calls of a run of the script, in which srun ends with a status. */
function callsOf(status: number): readonly string[] {
  stand("srun", status);
  stand("scontrol");
  writeFileSync(join(folder, "calls"), "");
  writeFileSync(join(folder, "job.sh"), script);
  const { stderr } = spawnSync("bash", ["--norc", "job.sh"], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder,
    encoding: "utf8",
    env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, SLURM_JOB_ID: "7", SLURM_CPUS_PER_TASK: "16" },
  });
  expect(stderr).toBe("");
  return readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
}

const command = "srun --mpi=pmix --kill-on-bad-exit sardonyx train ./my-recipe.ts --out runs/big";

test("a job that came to its end is not queued again", () => {
  expect(callsOf(0)).toEqual([command]);
});

test.each([130, 143])("one that was stopped with status %i is, and goes on from its checkpoint", (status) => {
  rmSync(join(folder, "runs"), { recursive: true, force: true });
  expect(callsOf(status)).toEqual([command, "scontrol requeue 7"]);
  mkdirSync(join(folder, "runs/big"), { recursive: true });
  writeFileSync(join(folder, "runs/big/checkpoint.safetensors"), "");
  expect(callsOf(0)).toEqual([`${command} --resume`]);
});

test("one that failed is not", () => {
  rmSync(join(folder, "runs"), { recursive: true, force: true });
  expect(callsOf(2)).toEqual([command]);
});
