/** `sardonyx federate` as people run it: processes on loopback that are killed and started again, and mistakes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { gaussianEpsilon } from "../src/privacy/accounting/gaussian.ts";

const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-federate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What both sides are told. */
const recipe = [
  "federated-mnist",
  "--limit",
  "700",
  "--share",
  "1",
  "--local-epochs",
  "2",
  "--classes-per-client",
  "4",
  "--threads",
  "1",
];

interface Started {
  readonly process: ChildProcess;
  /** JSON records so far. */
  readonly records: Record<string, unknown>[];
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const own of running) own.kill("SIGKILL");
});

function start(...args: readonly string[]): Started {
  const own = spawn(process.execPath, [program, "federate", ...args, "--json"], { cwd: folder });
  running.add(own);
  const records: Record<string, unknown>[] = [];
  let [text, errors] = ["", ""];
  own.stdout.on("data", (data) => {
    text += data;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) records.push(JSON.parse(line) as Record<string, unknown>);
  });
  own.stderr.on("data", (data) => {
    errors += data;
  });
  const ended = new Promise<{ code: number | null; errors: string }>((resolve) =>
    own.on("close", (code) => {
      running.delete(own);
      resolve({ code, errors });
    }),
  );
  return { process: own, records, ended };
}

/** Waits for a record. */
async function record(of: Started, type: string, is: (found: Record<string, unknown>) => boolean = () => true) {
  for (;;) {
    const found = of.records.find((own) => own["type"] === type && is(own));
    if (found) return found;
    if (of.process.exitCode !== null) expect.fail(`it ended before a record ${type}: ${(await of.ended).errors}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const federate = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, "federate", ...args], { cwd: folder, encoding: "utf8" });
const modelOf = (out: string) => readFileSync(join(folder, out, "model.safetensors")).toString("hex");

const rounds = 4;
/** The bits that a simulation reaches. */
let simulated: string | undefined;
function simulation(): string {
  if (simulated === undefined) {
    const { status, stderr, stdout } = federate(
      "simulate",
      ...recipe,
      "--clients",
      "3",
      "--rounds",
      `${rounds}`,
      "--out",
      "simulated",
    );
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.match(/^Round \d+ .* validation accuracy/gm)).toHaveLength(rounds);
    simulated = modelOf("simulated");
  }
  return simulated;
}

const serve = (out: string, ...more: readonly string[]) =>
  start("serve", ...recipe, "--clients", "3", "--rounds", `${rounds}`, "--out", out, "--token-file", "token", ...more);
const client = (url: string, part: number, out: string) =>
  start("join", ...recipe, url, "--part", `${part}/3`, "--token-file", "token", "--memory", `${out}/client-${part}`);

test("three processes learn the bits of the simulation", { timeout: 120_000 }, async () => {
  const coordinator = serve("plain", "--port", "0");
  const { url } = (await record(coordinator, "serving")) as { url: string };
  const clients = [1, 2, 3].map((part) => client(url, part, "plain"));
  expect(await coordinator.ended).toEqual({ code: 0, errors: "" });
  for (const own of clients) {
    expect(await own.ended).toEqual({ code: 0, errors: "" });
    expect(own.records.filter(({ type }) => type === "accepted")).toHaveLength(rounds);
    expect(own.records.at(-1)).toMatchObject({ type: "finished", rounds, reason: "all rounds are done" });
  }
  expect(await record(coordinator, "finished")).toMatchObject({ rounds, results: { accuracy: expect.any(Number) } });
  expect(modelOf("plain")).toBe(simulation());
});

test("by the median the simulation learns something else than by the mean", { timeout: 60_000 }, () => {
  const { status, stderr } = federate(
    ...["simulate", ...recipe, "--clients", "3", "--rounds", String(rounds)],
    ...["--aggregation", "median", "--out", "by-median"],
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(modelOf("by-median")).not.toBe(simulation());
});

test("so they do when a client is killed in a round, and the coordinator after it", { timeout: 240_000 }, async () => {
  let coordinator = serve("killed", "--port", "0");
  const { url } = (await record(coordinator, "serving")) as { url: string };
  const { port } = new URL(url);
  const others = [1, 2].map((part) => client(url, part, "killed"));
  const killed = client(url, 3, "killed");
  await record(coordinator, "round", ({ round }) => round === 1);
  await record(killed, "training");
  killed.process.kill("SIGKILL");
  await record(coordinator, "left");
  const back = client(url, 3, "killed");
  await record(coordinator, "round", ({ round }) => round === 2);
  coordinator.process.kill("SIGKILL");
  await coordinator.ended;
  for (const own of others) await record(own, "lost");
  coordinator = serve("killed", "--port", port);
  expect(await coordinator.ended).toEqual({ code: 0, errors: "" });
  for (const own of [...others, back]) expect((await own.ended).code).toBe(0);
  expect(modelOf("killed")).toBe(simulation());
});

test("and by secureMean, where it sees the sum alone, and a client is killed in a round", {
  timeout: 240_000,
}, async () => {
  const secure = ["--aggregation", "secureMean"];
  const { status, stderr } = federate(
    ...["simulate", ...recipe, "--clients", "3", "--rounds", String(rounds), ...secure, "--out", "secure-simulated"],
  );
  expect([status, stderr]).toEqual([0, ""]);
  const coordinator = serve("secure", "--port", "0", ...secure);
  const { url } = (await record(coordinator, "serving")) as { url: string };
  const joined = (part: number) =>
    start(
      "join",
      ...recipe,
      ...secure,
      url,
      "--part",
      `${part}/3`,
      "--token-file",
      "token",
      "--memory",
      `secure/${part}`,
    );
  const clients = [1, 2].map(joined);
  const killed = joined(3);
  await record(coordinator, "round", ({ round }) => round === 1);
  killed.process.kill("SIGKILL");
  await record(coordinator, "left");
  const back = joined(3);
  expect((await coordinator.ended).code).toBe(0);
  for (const own of [...clients, back]) expect((await own.ended).code).toBe(0);
  expect(modelOf("secure")).toBe(modelOf("secure-simulated"));
  // What clients insist on, a coordinator without is refused by.
  const open = serve("open", "--port", "0");
  const address = ((await record(open, "serving")) as { url: string }).url;
  const wary = start("join", ...recipe, ...secure, address, "--part", "1/3", "--token-file", "token");
  expect(await wary.ended).toMatchObject({
    code: 2,
    errors: expect.stringContaining("aggregation is secureMean at the client and missing at the"),
  });
  open.process.kill("SIGKILL");
});

test("noise is told before and after, and what each client spent is in a file", { timeout: 60_000 }, () => {
  const { status, stdout } = federate(
    ...["simulate", ...recipe, "--clients", "3", "--rounds", "2", "--out", "noisy"],
    ...["--noise", "2", "--clip", "0.5", "--noise-by", "clients", "--aggregation", "secureMean", "--delta", "1e-4"],
  );
  expect(status).toBe(0);
  // Two rounds of noise 2: a Gaussian mechanism of √2 / 2.
  expect(stdout).toContain("a client that takes part in all 2 rounds spends an epsilon");
  const { delta, clients } = JSON.parse(readFileSync(join(folder, "noisy/privacy.json"), "utf8"));
  expect(delta).toBe(1e-4);
  expect(Object.keys(clients)).toEqual(["0", "1", "2"]);
  for (const spent of Object.values<{ rounds: number; epsilon: number }>(clients)) {
    expect(spent.rounds).toBe(2);
    expect(spent.epsilon).toBeCloseTo(gaussianEpsilon(Math.SQRT2 / 2, 1e-4), 10);
  }
  const alone = federate("simulate", ...recipe, "--noise", "1");
  expect([alone.status, alone.stderr]).toEqual([2, expect.stringContaining("pass both, such as --noise 1 --clip")]);
});

test("a coordinator that is asked to end says so, keeps its state and goes on", { timeout: 240_000 }, async () => {
  let coordinator = serve("asked", "--port", "0");
  const { url } = (await record(coordinator, "serving")) as { url: string };
  const clients = [1, 2, 3].map((part) => client(url, part, "asked"));
  await record(coordinator, "round", ({ round }) => round === 1);
  coordinator.process.kill("SIGTERM");
  expect(await coordinator.ended).toMatchObject({
    code: 143,
    errors: expect.stringContaining("the same command goes on"),
  });
  expect(existsSync(join(folder, "asked/federation.safetensors"))).toBe(true);
  coordinator = serve("asked", "--port", new URL(url).port);
  expect((await coordinator.ended).code).toBe(0);
  for (const own of clients) expect((await own.ended).code).toBe(0);
  expect(modelOf("asked")).toBe(simulation());
});

test("clients with data of their own learn a recipe that splits none", { timeout: 120_000 }, async () => {
  const iris = ["iris", "--threads", "1", "--token-file", "token"];
  const coordinator = start("serve", ...iris, "--clients", "2", "--rounds", "6", "--out", "iris", "--port", "0");
  const { url } = (await record(coordinator, "serving")) as { url: string };
  const clients = ["north", "south"].map((name) =>
    start("join", ...iris, url, "--name", name, "--memory", `iris/${name}`),
  );
  const other = start("join", ...iris, url, "--name", "west", "--seed", "1");
  expect(await other.ended).toMatchObject({
    code: 2,
    errors: expect.stringContaining("seed is 1 at the client and 0 at the coordinator; give both the same"),
  });
  expect((await coordinator.ended).code).toBe(0);
  for (const own of clients) expect((await own.ended).code).toBe(0);
  const { results, rounds: done } = (await record(coordinator, "finished")) as {
    results: Record<string, number>;
    rounds: number;
  };
  expect(done).toBe(6);
  // A third is chance.
  expect(results["accuracy"]).toBeGreaterThan(0.6);
});

test("over TLS, with a certificate that the client was given", { timeout: 120_000 }, async () => {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = spawnSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
      "-days",
      "2",
      ...subject,
    ],
    { cwd: folder, encoding: "utf8" },
  );
  expect([made.status, made.error]).toEqual([0, undefined]);
  const coordinator = start(
    ...["serve", ...recipe, "--clients", "1", "--rounds", "1", "--out", "tls", "--token-file", "token"],
    ...["--port", "0", "--cert", "cert.pem", "--key", "key.pem"],
  );
  const { url } = (await record(coordinator, "serving")) as { url: string };
  expect(url).toMatch(/^wss:/);
  const untrusting = start("join", ...recipe, url, "--part", "1/1", "--token-file", "token", "--patience", "1");
  expect(await untrusting.ended).toMatchObject({ code: 2, errors: expect.stringContaining("self-signed certificate") });
  const trusting = start("join", ...recipe, url, "--part", "1/1", "--token-file", "token", "--ca", "cert.pem");
  expect((await trusting.ended).code).toBe(0);
  expect((await coordinator.ended).code).toBe(0);
});

describe("mistakes are told with what to do", () => {
  test.each<[readonly string[], string]>([
    [["coordinate", "federated-mnist"], 'federate does not know "coordinate"; pass serve, join or simulate'],
    [["serve", "federated-mnist", "--part", "1/3"], "federate serve reads no --part; leave it out"],
    [["join", "federated-mnist", "--part", "1/3"], "join needs the coordinator's address"],
    [["simulate", "federated-mnist", "ws://127.0.0.1:1"], "federate simulate takes no address"],
    [
      ["join", ...recipe, "http://127.0.0.1", "--part", "1/3", "--token-file", "none"],
      "is no address of a coordinator",
    ],
    [
      ["join", ...recipe, "ws://127.0.0.1:1", "--part", "1/3"],
      "name the file that has it: --token-file federation.token",
    ],
    [["join", ...recipe, "ws://127.0.0.1:1", "--part", "1/3", "--token-file", "missing"], "there is no file"],
    [["join", "iris", "ws://127.0.0.1:1", "--token-file", "long"], "pass --name NAME, or --part 1/3"],
    [
      ["join", "iris", "ws://127.0.0.1:1", "--token-file", "long", "--part", "1/3"],
      "iris does not split its data among clients",
    ],
    [
      ["join", ...recipe, "ws://127.0.0.1:1", "--token-file", "long", "--name", "a"],
      "say which part is this one's: --part 1/64",
    ],
    [["join", "federated-mnist", "ws://127.0.0.1:1", "--part", "4/3"], '--part is "4/3"; pass the client\'s number'],
    [["serve", ...recipe, "--clients", "3", "--token-file", "short"], "has a token of 5 characters"],
    [
      ["serve", ...recipe, "--clients", "3", "--token-file", "long", "--cert", "long"],
      "pass both: --cert FILE --key FILE",
    ],
    [["serve", "iris", "--token-file", "long"], "how many clients a round waits for; pass --clients N"],
    [
      ["serve", ...recipe, "--clients", "2", "--updates", "3", "--token-file", "long"],
      "a round needs 3 updates and begins with 2 clients",
    ],
    [
      ["simulate", ...recipe, "--clients", "3", "--aggregation", "multiKrum", "--liars", "1"],
      "multiKrum needs 5 updates, and a round draws 3 clients",
    ],
    [
      ["simulate", ...recipe, "--clients", "3", "--aggregation", "trimmedMean"],
      "trimmedMean needs to know how many of 3 clients",
    ],
    [["simulate", ...recipe, "--liars", "1"], "pass --aggregation trimmedMean or multiKrum"],
    [
      ["serve", "iris", "--aggregation", "median", "--token-file", "long"],
      "--aggregation needs to know how many clients a round has; pass --clients N",
    ],
    [["simulate", "iris"], "iris does not split its data among clients"],
  ])("%j", (args, words) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "short"), "short\n");
    writeFileSync(join(folder, "long"), "0123456789abcdef\n");
    const { status, stderr } = federate(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
