/** `sardonyx download` as a person and a program meet it, from a hub on this machine. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHub, type TestHub } from "../src/formats/testing/hub.ts";

const cache = mkdtempSync(join(tmpdir(), "sardonyx-download-"));
const commit = "a".repeat(40);
const snapshot = join(cache, "models--owner--tiny", "snapshots", commit);
const config = Buffer.from('{"model_type": "gpt2"}');
let server: TestHub;
beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" });
  server = await startHub();
  const files = { "config.json": config, "model.safetensors": Buffer.alloc(2_000_000), "q8.gguf": Buffer.from("GGUF") };
  server.repositories["owner/tiny@main"] = { commit, files };
}, 120_000);
afterAll(() => {
  server.close();
  rmSync(cache, { recursive: true });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Result> => {
  const own = {
    HF_ENDPOINT: server.hub.address,
    HF_HOME: cache,
    HF_HUB_CACHE: cache,
    HF_TOKEN: "",
    HF_HUB_OFFLINE: "",
  };
  const child = spawn(process.execPath, ["bin/sardonyx.mjs", "download", ...args], {
    env: { ...process.env, ...own, ...environment },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
};

test("the files are named as they come, and the folder at the end", async () => {
  expect(await run(["owner/tiny"])).toEqual({
    code: 0,
    stdout: `Downloading config.json, 0.0 MB\nDownloading model.safetensors, 2.0 MB\n${snapshot}\n`,
    stderr: "",
  });
  expect(readdirSync(snapshot).sort()).toEqual(["config.json", "model.safetensors"]);
});

test("JSON lines, and files that are chosen", async () => {
  const { stdout } = await run(["owner/tiny", "--files", "*.gguf,config.json", "--json"]);
  const records = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(records).toEqual([
    { type: "download", name: "q8.gguf", bytes: 4 },
    { type: "downloaded", model: "owner/tiny", path: snapshot },
  ]);
});

test("mistakes end in one sentence", async () => {
  const missing = await run(["owner/none"]);
  expect([missing.code, missing.stdout]).toEqual([2, ""]);
  expect(missing.stderr).toBe(
    `sardonyx: owner/none: there is no model owner/none at ${server.hub.address}; check the name [FILE]\n`,
  );
  expect((await run(["tiny"])).stderr).toContain('"tiny" is no name of a model; pass owner/name');
  expect((await run(["owner/none"], { HF_HUB_OFFLINE: "1" })).stderr).toContain("HF_HUB_OFFLINE forbids to fetch it");
  expect((await run(["--help"])).stdout).toMatch(/Usage: sardonyx download[\s\S]*--files <PATTERNS>[\s\S]*--json/);
});

test("a process that is killed leaves what it had, and the next one goes on", { timeout: 30_000 }, async () => {
  const content = Buffer.alloc(3_000_000, 7);
  server.repositories["owner/large@main"] = { commit, files: { "config.json": config, "model.safetensors": content } };
  // The first answer stops after a part; the process is killed while it waits.
  let first = true;
  server.sending = (name) => {
    const isCut = first && name === "model.safetensors";
    if (isCut) first = false;
    return { holdAfter: isCut ? 1_000_000 : undefined };
  };
  const env = {
    ...process.env,
    HF_ENDPOINT: server.hub.address,
    HF_HOME: cache,
    HF_HUB_CACHE: cache,
    HF_HUB_OFFLINE: "",
  };
  const child = spawn(process.execPath, ["bin/sardonyx.mjs", "download", "owner/large"], { env });
  const blobs = join(cache, "models--owner--large", "blobs");
  const ended = new Promise((resolve) => child.on("close", resolve));
  await expect.poll(() => partialSize(blobs), { timeout: 20_000 }).toBe(1_000_000);
  child.kill("SIGKILL");
  await ended;
  server.storage.asked.length = 0;
  expect((await run(["owner/large"])).code).toBe(0);
  expect(server.storage.asked.map(({ headers }) => headers.range)).toEqual(["bytes=1000000-"]);
  expect(readdirSync(blobs).filter((name) => name.includes("."))).toEqual([]);
});

test("two processes at once fetch each file once", { timeout: 60_000 }, async () => {
  const content = Buffer.alloc(5_000_000, 9);
  server.repositories["owner/shared@main"] = { commit, files: { "config.json": config, "model.safetensors": content } };
  server.sending = () => ({});
  server.storage.asked.length = 0;
  const both = await Promise.all([run(["owner/shared"]), run(["owner/shared"])]);
  expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(server.storage.asked).toHaveLength(1);
  const blobs = join(cache, "models--owner--shared", "blobs");
  expect(readdirSync(blobs).filter((name) => name.includes("."))).toEqual([]);
});

/** Bytes of the partial file in a folder. */
function partialSize(folder: string): number {
  try {
    const name = readdirSync(folder).find((own) => own.endsWith(".incomplete"));
    return name === undefined ? 0 : statSync(join(folder, name)).size;
  } catch {
    return 0;
  }
}
