/** `sardonyx serve` as people run it: a run answers over HTTP, files are sent and never named, a signal ends it, mistakes are sentences. */

import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { commandLine, recordOf } from "./command-line.ts";

const { folder, run, start } = commandLine();
const started = new Set<ReturnType<typeof start>>();
afterEach(() => {
  for (const own of started) own.kill("SIGKILL");
  started.clear();
});

beforeAll(async () => {
  expect((await run("train", "iris", "--epochs", "20", "--out", "runs/iris")).code).toBe(0);
  expect((await run("train", "lenet-mnist", "--epochs", "1", "--limit", "64", "--out", "runs/digits")).code).toBe(0);
}, 60_000);

/** Starts the server, and waits until it serves. */
async function serving(...args: readonly string[]) {
  let own: ReturnType<typeof start> | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    own = start(["serve", ...args, "--port", "0", "--json"], (line) => {
      if (line.includes('"type":"serving"')) resolve((JSON.parse(line) as { url: string }).url);
    });
    started.add(own);
    void own.ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { url, own: own as ReturnType<typeof start> };
}

test("a run answers as predict does, in words of its classes, and SIGTERM ends the server with status 0", async () => {
  const { url, own } = await serving("runs/iris");
  const reply = await fetch(`${url}/predict`, { method: "POST", body: "[[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]" });
  const { predictions } = (await reply.json()) as { predictions: Record<string, unknown>[] };
  const asked = await run("predict", "runs/iris", "[[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]", "--json");
  const expected = asked.records.filter(({ type }) => type === "prediction");
  expect(predictions.map((found) => found["class"])).toEqual(expected.map((found) => found["class"]));
  expect(predictions[0]?.["class"]).toBe("setosa");
  own.kill("SIGTERM");
  const result = await own.ended;
  expect([result.code, result.stderr]).toEqual([0, "\nFinishing the requests under way; again to stop at once.\n"]);
  expect(recordOf(result, "request")).toMatchObject({ route: "/predict", model: "iris", status: 200, rows: 2 });
});

test("an image is sent as a file, under a name of the model's own", async () => {
  const { url } = await serving("numbers=runs/digits");
  const data = Uint8Array.from({ length: 28 * 28 }, (_, i) => (i % 28 > 12 && i % 28 < 16 ? 255 : 0));
  const png = encode({ width: 28, height: 28, data, channels: 1 });
  const ask = (body: Uint8Array | string, type: string) =>
    fetch(`${url}/predict/numbers`, { method: "POST", body: body as BodyInit, headers: { "content-type": type } });
  const answered = await ask(png, "image/png");
  expect(await answered.json()).toMatchObject({
    model: "numbers",
    predictions: [{ class: expect.stringMatching(/^\d$/) }],
  });
  const broken = await ask(png.slice(0, 60), "image/png");
  expect([broken.status, ((await broken.json()) as { error: string }).error]).toEqual([
    400,
    expect.stringMatching(/^the body: /),
  ]);
  const named = await ask(join(folder, "runs/digits/run.json"), "application/json");
  expect(named.status).toBe(400);
});

describe("mistakes are told in a sentence, with status 2", () => {
  test.each([
    [["runs/none"], "there is no run, file or folder runs/none; check the path"],
    [["runs/iris", "--host", "0.0.0.0"], "ask for a token by --token-file FILE, or say that you mean it: --open"],
    [["runs/iris", "iris=runs/digits"], 'two models are called "iris"; give one another name: OTHER=PATH'],
    [["runs/iris", "--cert", "cert.pem"], "pass both: --cert FILE --key FILE"],
    [["runs/iris", "--max-body", "many"], '--max-body is "many"; pass bytes'],
  ])("%j", async (args, message) => {
    const { code, stderr } = await run("serve", ...args, "--port", "0");
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test("a port in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await run("serve", "runs/iris", "--port", String(port));
    taken.close();
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE); choose another port`);
    expect(code).toBe(2);
  });
});

test("a token is made where there is none, and is asked for", async () => {
  const { url } = await serving("runs/iris", "--token-file", "tokens");
  const token = readFileSync(join(folder, "tokens"), "utf8").trim();
  expect(statSync(join(folder, "tokens")).mode & 0o777).toBe(0o600);
  expect((await fetch(`${url}/v2`)).status).toBe(401);
  expect((await fetch(`${url}/v2`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
});
