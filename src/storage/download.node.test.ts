/** Downloads against a real server on this machine: good, wrong, cut off, missing, stalled, unreachable. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { FileError } from "../core/errors.ts";
import { checksumOfFile } from "./checksum.node.ts";
import { type DownloadProgress, defaultCacheDir, obtain, type RemoteFile } from "./download.node.ts";

const content = new Uint8Array(300_000).map((_, i) => (i * 31) % 251);
const sha256 = createHash("sha256").update(content).digest("hex");
const md5 = createHash("md5").update(content).digest("hex");

let server: Server;
let address: string;
let requests: string[];
let cacheDir: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    if (path === "/missing") response.writeHead(404).end("no such file");
    else if (path === "/damaged") response.end(content.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)));
    else if (path === "/short") response.end(content.subarray(0, 1000));
    else if (path === "/long") response.end(Buffer.concat([content, content]));
    else if (path === "/stalled") response.writeHead(200).write(content.subarray(0, 1000));
    else if (path === "/cut") {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000), () => response.destroy());
    } else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  requests = [];
  cacheDir = await mkdtemp(join(tmpdir(), "sardonyx-cache-"));
});
afterEach(() => rm(cacheDir, { recursive: true }));

const remote = (...paths: string[]): RemoteFile => ({
  name: "set/file.bin",
  urls: paths.map((path) => (path.startsWith("http") ? path : address + path)),
  bytes: content.length,
  sha256,
});

it("downloads once, reports its progress, and then uses the cache", async () => {
  const progress: DownloadProgress[] = [];
  const options = { cacheDir, onProgress: (p: DownloadProgress) => progress.push(p) };
  const path = await obtain(remote("/good"), options);
  expect(path).toBe(join(cacheDir, "set/file.bin"));
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(progress.at(-1)).toEqual({ name: "set/file.bin", received: content.length, total: content.length });
  expect(progress.map(({ received }) => received)).toEqual(
    progress.map(({ received }) => received).sort((a, b) => a - b),
  );
  expect(await obtain(remote("/good"), options)).toBe(path);
  expect(requests).toEqual(["/good"]);
  expect(await checksumOfFile(path, "md5")).toBe(md5);
});

it.each([
  ["/missing", /HTTP status 404/],
  ["/damaged", /its sha256 is [0-9a-f]{64}, expected/],
  ["/short", /it has 1000 bytes, expected 300000/],
  ["/long", /more than the expected 300000 bytes/],
  ["/cut", /terminated|closed|UND_ERR_SOCKET|aborted/],
  ["/stalled", /nothing arrived for 0.2 s/],
])("refuses %s, leaves nothing behind, and turns to the next source", async (path, reason) => {
  const options = { cacheDir, stallSeconds: 0.2 };
  await expect(obtain(remote(path), options)).rejects.toThrow(FileError);
  await expect(obtain(remote(path), options)).rejects.toThrow(reason);
  expect(await readdir(join(cacheDir, "set"))).toEqual([]);
  await obtain(remote(path, "/good"), options);
  expect(await readdir(join(cacheDir, "set"))).toEqual(["file.bin"]);
});

it("checks MD5 where a source publishes only that", async () => {
  const { sha256: _, ...rest } = remote("/good");
  await obtain({ ...rest, md5 }, { cacheDir });
  const wrong = { ...rest, name: "other.bin", md5: "0".repeat(32) };
  await expect(obtain(wrong, { cacheDir })).rejects.toThrow(`its md5 is ${md5}, expected ${"0".repeat(32)}`);
});

it("downloads anew what is damaged in the cache", async () => {
  const path = await obtain(remote("/good"), { cacheDir });
  await writeFile(path, "damaged");
  await obtain(remote("/good"), { cacheDir });
  expect((await readFile(path)).equals(content)).toBe(true);
});

it("says offline which file can be put where by hand", async () => {
  // Port 9 (discard) is not served here: the connection is refused, as without a network.
  const failure = obtain(remote("http://127.0.0.1:9/file.bin"), { cacheDir });
  await expect(failure).rejects.toThrow(
    new RegExp(
      `set/file.bin: not in the cache .*127.0.0.1:9.*put the file \\(300000 bytes, sha256 ${sha256}\\) at ${cacheDir}`,
    ),
  );
});

it("keeps its cache where SARDONYX_CACHE says", () => {
  const before = process.env["SARDONYX_CACHE"];
  process.env["SARDONYX_CACHE"] = "/elsewhere";
  expect(defaultCacheDir()).toBe("/elsewhere");
  delete process.env["SARDONYX_CACHE"];
  expect(defaultCacheDir()).toMatch(/\.cache.sardonyx$/);
  if (before !== undefined) process.env["SARDONYX_CACHE"] = before;
});
