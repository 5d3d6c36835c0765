/** Encryption on the command line: runs of which nothing is in the clear, killed ones too, and what is told of keys. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runRecipe } from "../src/node.ts";
import { readBytes } from "../src/storage/atomic.node.ts";
import { plainBytes } from "../src/storage/encryption/plain-source.node.ts";
import type { Callback } from "../src/train/callbacks/callback.ts";
import { decodeCheckpoint } from "../src/train/checkpoint.ts";
import { commandLine } from "./command-line.ts";
import { repeatable } from "./run-log.ts";

const { folder, run, start } = commandLine();
const fixture = (name: string) => join(process.cwd(), "test/fixtures/age", name);
const [recipient = ""] = readFileSync(fixture("recipients.txt"), "utf8").match(/^age1.*$/gm) ?? [];
const key = join(folder, "key.txt");
const temporary = join(folder, "tmp");

/** What the programs of this file have beside; other files of the worker have it not. */
const outside = { TMPDIR: process.env["TMPDIR"], OMP_NUM_THREADS: process.env["OMP_NUM_THREADS"] };
afterAll(() => {
  for (const [name, value] of Object.entries(outside))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

beforeAll(() => {
  copyFileSync(fixture("identity.txt"), key);
  chmodSync(key, 0o600);
  mkdirSync(temporary);
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${i % 2 ? "marked" : "unmarked"}`);
  writeFileSync(join(folder, "t.csv"), `a,b,kind\n${rows.join("\n")}\n`);
  process.env["TMPDIR"] = temporary;
  process.env["OMP_NUM_THREADS"] = "1";
});

const filesBelow = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true })
    .map((name) => join(path, String(name)))
    .filter((name) => existsSync(name) && statSync(name).isFile());

/** Files of a run that are neither encrypted nor say how it is. */
const clearFiles = (name: string) =>
  filesBelow(join(folder, name)).filter((path) => {
    const content = readFileSync(path, "latin1");
    return (
      !["lock", ".age-recipients"].includes(basename(path)) &&
      content !== "" &&
      !/^age-encryption.org\/v1\n/.test(content)
    );
  });

/** What a file of a run holds. */
function contentOf(name: string, file: string): Uint8Array {
  process.env["SARDONYX_IDENTITY"] = key;
  try {
    return plainBytes(new Uint8Array(readFileSync(join(folder, name, file))), file);
  } finally {
    delete process.env["SARDONYX_IDENTITY"];
  }
}

const short = ["train", "iris", "--epochs", "12", "--watch-samples", "3"];

test("a run that is killed and resumed has nothing in the clear, and the bits of one that was neither", async () => {
  expect((await run(...short, "--out", "plain")).code).toBe(0);
  const train = [...short, "--out", "enc", "--encrypt-to", recipient, "--checkpoint-seconds", "0.01", "--json"];
  let epochs = 0;
  for (const resume of [[], ["--resume", "--identity", key], ["--resume", "--identity", key]]) {
    const before = epochs;
    const { signal } = await start([...train, ...resume], (line, kill) => {
      if (line.includes('"epoch"') && ++epochs >= before + 3) kill("SIGKILL");
    }).ended;
    expect(signal).toBe("SIGKILL");
    expect(clearFiles("enc")).toEqual([]);
  }
  const { code, stderr, stdout } = await run(...train, "--resume", "--identity", key);
  expect([code, stderr]).toEqual([0, expect.stringContaining("it is taken over")]);
  expect(clearFiles("enc")).toEqual([]);
  const kept = ["log.jsonl", "samples.jsonl", "evaluation.json"];
  for (const file of ["checkpoint.safetensors", "best.safetensors", "model.onnx", ...kept])
    expect(
      repeatable(file, contentOf("enc", file)) === repeatable(file, readFileSync(join(folder, "plain", file))),
      file,
    ).toBe(true);
  expect(stdout).toContain('"saved"');
  // Names of classes and columns are in no temporary file either.
  expect(filesBelow(temporary).filter((path) => /setosa|sepal/.test(readFileSync(path, "latin1")))).toEqual([]);
}, 120_000);

test("what a run had told before it failed is in its files", async () => {
  const broken: Callback = {
    name: "broken",
    onEpoch({ epoch }) {
      if (epoch === 3) throw new Error("broken");
    },
  };
  const out = join(folder, "failed");
  const failed = runRecipe(
    "iris",
    { epochs: 4, seed: 1 },
    { out, encryptTo: recipient, threads: 1, observer: { callbacks: () => [broken] } },
  );
  await expect(failed).rejects.toThrow("broken");
  process.env["SARDONYX_IDENTITY"] = key;
  const log = new TextDecoder().decode(await readBytes(join(out, "log.jsonl"), "test"));
  const epochs = log.split("\n").filter((line) => line.includes('"type":"epoch"'));
  expect(epochs.map((line) => JSON.parse(line).epoch)).toEqual([1, 2, 3]);
  const { history } = decodeCheckpoint(await readBytes(join(out, "best.safetensors"), "test"));
  const losses = epochs.map((line) => JSON.parse(line).loss);
  expect(history.at(-1)?.["loss"]).toBe(Math.min(...losses));
  delete process.env["SARDONYX_IDENTITY"];
});

test("an encrypted run opens with its key, and says what is missing without", async () => {
  const without = await run("eval", "enc");
  expect(without.code).toBe(2);
  expect(without.stderr).toContain(
    "sardonyx: enc/run.json is encrypted to 1 recipient of X25519, and no identity is given; pass the file of the one that opens it: --identity FILE, or SARDONYX_IDENTITY [KEY]",
  );
  const wrong = await run("predict", "enc", "[5,3,1,1]", "--identity", fixture("other.txt"));
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringMatching(/and the identity in \S+ is not its; pass the right one/),
  ]);
  const missing = await run("eval", "enc", "--identity", "none.txt");
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringContaining("the identity none.txt cannot be read: it is not there"),
  ]);
  const { code, stdout } = await run("predict", "enc", "[5,3,1,1]", "--identity", key);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/setosa|versicolor|virginica/)]);
  expect((await run("inspect", "enc", "--identity", key)).code).toBe(0);
}, 60_000);

test("what cannot be encrypted is refused, and what is not is told", async () => {
  const profile = await run("train", "iris", "--profile", "--out", "p", "--encrypt-to", recipient);
  expect([profile.code, profile.stderr]).toEqual([
    2,
    expect.stringContaining("a profile is written by the engine, in the clear"),
  ]);
  expect(existsSync(join(folder, "p"))).toBe(false);
  const logs = await run("train", "iris", "--rank-logs", "logs", "--encrypt-to", recipient);
  expect([logs.code, logs.stderr]).toEqual([
    2,
    expect.stringContaining("--rank-logs are written as they come, in the clear"),
  ]);
  const other = await run("train", "iris", "--resume", "--out", "plain", "--encrypt-to", recipient);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringContaining("plain is not encrypted, which was decided when it was made"),
  ]);
  const clear = await run("export", "enc", "--out", "clear.onnx", "--identity", key);
  expect([clear.code, clear.stderr]).toEqual([
    0,
    expect.stringContaining("Note: clear.onnx is not encrypted, and enc is; --encrypt-to encrypts it."),
  ]);
  const sealed = await run(
    "export",
    "enc",
    "--out",
    "m.onnx.age",
    "--identity",
    key,
    "--encrypt-to",
    fixture("recipients.txt"),
  );
  expect([sealed.code, sealed.stderr]).toEqual([0, ""]);
  expect((await run("inspect", "m.onnx.age", "--identity", key)).stdout).toContain("Parameters");
  const promised = await run("export", "enc", "--out", "n.onnx.age", "--identity", key);
  expect([promised.code, promised.stderr]).toEqual([
    2,
    expect.stringContaining("nothing says to whom it is encrypted; pass --encrypt-to"),
  ]);
}, 60_000);

test("a table that is encrypted trains a run that a passphrase opens", async () => {
  expect((await run("encrypt", "t.csv", "--encrypt-to", recipient)).code).toBe(0);
  process.env["SARDONYX_PASSPHRASE"] = "staple battery";
  try {
    const args = ["train", "--data", "t.csv.age", "--target", "kind", "--epochs", "2", "--out", "by-word"];
    const { code, stderr } = await run(...args, "--encrypt-to", "passphrase", "--identity", key);
    expect([code, stderr]).toEqual([0, ""]);
    expect(clearFiles("by-word")).toEqual([]);
    expect((await run("predict", "by-word", '[{"a":1,"b":2}]')).stdout).toMatch(/marked/);
    process.env["SARDONYX_PASSPHRASE"] = "wrong";
    const wrong = await run("predict", "by-word", '[{"a":1,"b":2}]');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining("the passphrase is not that of by-word/identity.age; try again"),
    ]);
    expect(wrong.stderr).not.toContain("wrong");
  } finally {
    delete process.env["SARDONYX_PASSPHRASE"];
  }
}, 60_000);

test("copies are encrypted and decrypted whole, and take nothing's place", async () => {
  const again = await run("encrypt", "t.csv", "--encrypt-to", recipient);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("t.csv.age is there already")]);
  const back = await run("decrypt", "enc", "--out", "back", "--identity", key);
  expect([back.code, back.stdout]).toEqual([0, expect.stringMatching(/^Decrypted: back \(\d+ files, /)]);
  expect(readdirSync(join(folder, "back"))).not.toContain(".age-recipients");
  const none = await run("decrypt", "t.csv", "--out", "u.csv");
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringContaining("t.csv is not encrypted, and there is nothing to decrypt"),
  ]);
  const merged = await run("merge", "enc", "enc", "--out", "soup", "--identity", key);
  expect(merged.code).toBe(0);
  expect(clearFiles("soup")).toEqual([]);
  if (spawnSync("age", ["--version"]).status !== 0) return;
  const log = execFileSync("age", ["-d", "-i", key, join(folder, "enc/log.jsonl")], { encoding: "utf8" });
  expect(log).toMatch(/^\{"type":"/);
}, 60_000);

test("a key is made, for its owner alone, and never in another's place", async () => {
  const { code, stdout } = await run("keygen", "own.txt");
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Public key: age1\w{58}\n/)]);
  expect(statSync(join(folder, "own.txt")).mode & 0o077).toBe(0);
  const [, made = ""] = /(age1\w+)/.exec(stdout) ?? [];
  expect((await run("encrypt", "t.csv", "--out", "v.csv.age", "--encrypt-to", made)).code).toBe(0);
  expect((await run("decrypt", "v.csv.age", "--identity", "own.txt")).code).toBe(0);
  expect(readFileSync(join(folder, "v.csv"))).toEqual(readFileSync(join(folder, "t.csv")));
  const again = await run("keygen", "own.txt");
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("own.txt is there already")]);
}, 60_000);

test("a passphrase is asked for where there is a terminal, and not shown", async () => {
  const script = spawnSync("script", ["--version"]);
  if (script.status !== 0 || process.platform !== "linux") return;
  const command = `${process.execPath} ${join(process.cwd(), "bin/sardonyx.mjs")} predict by-word '[{"a":1,"b":2}]'`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: folder });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const isAsked = shown.includes("Passphrase");
    shown += text;
    if (!isAsked && shown.includes("Passphrase")) child.stdin.write("staplf\u007fe battery\r");
  });
  await new Promise((ended) => child.on("close", ended));
  expect(shown).toContain("Passphrase of by-word/identity.age: ");
  expect(shown).toMatch(/marked/);
  expect(shown).not.toContain("stap");
}, 60_000);
