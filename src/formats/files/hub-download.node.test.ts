/** Models of a hub on this machine that does what hubs do at their worst, into a cache that Hugging Face's tools would know. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FileError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { integers } from "../../models/testing/fill.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { startLoopback } from "../../storage/testing/loopback.ts";
import { modelFromConfig } from "../huggingface.ts";
import { gitBlob, sha256, startHub, type TestHub } from "../testing/hub.ts";
import { cachedModel } from "./hub-cache.node.ts";
import { type DownloadModelOptions, downloadModel, placeLink } from "./hub-download.node.ts";
import { requireSafePath, wantedFiles } from "./hub-files.ts";
import { loadModel } from "./load-model.node.ts";

const commit = "a".repeat(40);
const bytes = (text: string) => Buffer.from(text);

/** A tiny GPT-2 with its weights. */
const config = { model_type: "gpt2", architectures: ["GPT2LMHeadModel"], vocab_size: 20, n_positions: 16, n_embd: 8 };
const gpt2 = { ...config, n_layer: 1, n_head: 2 };
const model = modelFromConfig(gpt2).build();
model.initialize(keyOf(1), { x: integers("x", [1, 4], 20) });
const tensors = Object.fromEntries([...model.parameters()].map(([path, { value }]) => [path, value as Tensor]));
const names = Object.keys(tensors).sort();
const part = (from: number, to?: number) =>
  encodeSafetensors(Object.fromEntries(names.slice(from, to).map((name) => [name, tensors[name] as Tensor])));
const whole = part(0);
const small = {
  "config.json": bytes(JSON.stringify(gpt2)),
  "tokenizer.json": bytes("{}"),
  "README.md": bytes("# Tiny"),
};

let server: TestHub;
let cache: string;
beforeAll(async () => {
  server = await startHub();
});
afterAll(() => server.close());
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "sardonyx-hub-"));
  vi.stubEnv("HF_ENDPOINT", server.hub.address);
  vi.stubEnv("HF_HOME", join(cache, "home"));
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", "hf_secret");
  for (const name of ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN_PATH"]) vi.stubEnv(name, "");
  for (const name of Object.keys(server.repositories)) delete server.repositories[name];
  server.repositories["owner/tiny@main"] = { commit, files: { ...small, "model.safetensors": whole } };
  server.before = () => false;
  server.sending = () => ({});
  server.hub.asked.length = server.storage.asked.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const folder = () => join(cache, "models--owner--tiny");
const blobs = () => readdirSync(join(folder(), "blobs")).sort();
const download = (name = "owner/tiny", options: DownloadModelOptions = {}) =>
  downloadModel(name, { stallSeconds: 2, attempts: 2, ...options });
const refused = async (doing: Promise<unknown>): Promise<string> => {
  const error = await doing.then(
    () => undefined,
    (own: unknown) => own,
  );
  expect(error).toBeInstanceOf(FileError);
  expect((error as Error).message).not.toContain("hf_secret");
  return (error as Error).message;
};
const answer = (path: RegExp, status: number, headers = {}, times = Number.POSITIVE_INFINITY) => {
  let count = 0;
  server.before = (asked, _, response) => {
    if (!path.test(asked) || count++ >= times) return false;
    response.writeHead(status, headers).end();
    return true;
  };
};

test("a model lies in the cache as Hugging Face's tools lay it, and loads", async () => {
  const progress: string[] = [];
  const snapshot = await download("owner/tiny", {
    onProgress: ({ name, received, total }) => received === total && progress.push(`${name} ${total}`),
  });
  expect(snapshot).toBe(join(folder(), "snapshots", commit));
  expect(readdirSync(snapshot).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  expect(readlinkSync(join(snapshot, "config.json"))).toBe(`../../blobs/${gitBlob(small["config.json"])}`);
  expect(readlinkSync(join(snapshot, "model.safetensors"))).toBe(`../../blobs/${sha256(whole)}`);
  expect(readFileSync(join(folder(), "refs/main"), "utf8")).toBe(commit);
  expect(blobs()).toEqual([gitBlob(small["config.json"]), gitBlob(bytes("{}")), sha256(whole)].sort());
  expect(progress).toEqual([
    `config.json ${small["config.json"].length}`,
    "tokenizer.json 2",
    `model.safetensors ${whole.length}`,
  ]);
  expect(cachedModel("owner/tiny")).toBe(snapshot);
  const loaded = await loadModel("owner/tiny");
  const own = Object.fromEntries([...loaded.parameters()].map(([path, { value }]) => [path, value]));
  expect(own[names[0] as string]).toEqual(tensors[names[0] as string]);
  // Nothing but the list is asked for again.
  server.hub.asked.length = 0;
  expect(await download("hf:owner/tiny@main")).toBe(snapshot);
  expect(server.hub.asked).toHaveLength(1);
});

test("the token goes to the hub, and not to where large files lie", async () => {
  await download();
  expect(new Set(server.hub.asked.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer hf_secret"]));
  expect(server.storage.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

test("without HF_TOKEN the token is that of the tools' folder, if there is one", async () => {
  vi.stubEnv("HF_TOKEN", "");
  await download();
  expect(server.hub.asked[0]?.headers.authorization).toBe(undefined);
  mkdirSync(join(cache, "home"));
  writeFileSync(join(cache, "home/token"), "hf_of_file\n");
  await download();
  expect(server.hub.asked.at(-1)?.headers.authorization).toBe("Bearer hf_of_file");
  vi.stubEnv("HF_TOKEN", "hf_secret\u00e9");
  expect(await refused(download())).toContain("has spaces or special characters");
});

test("shards come by their index, and load from their links", async () => {
  const half = names.length >> 1;
  const shards = { "model-00001-of-00002.safetensors": part(0, half), "model-00002-of-00002.safetensors": part(half) };
  const map = names.map((name, i) => [name, Object.keys(shards)[i < half ? 0 : 1]]);
  const index = bytes(JSON.stringify({ weight_map: Object.fromEntries(map) }));
  const files = { ...small, "model.safetensors.index.json": index, ...shards, "pytorch_model.bin": bytes("pickle") };
  server.repositories["owner/tiny@main"] = { commit, files };
  const snapshot = await download();
  expect(readdirSync(snapshot)).toHaveLength(5);
  expect([...(await loadModel(snapshot)).parameters()]).toHaveLength(names.length);
  const { "model-00002-of-00002.safetensors": _, ...without } = files;
  server.repositories["owner/tiny@main"] = { commit: "b".repeat(40), files: without };
  expect(await refused(download())).toContain("has no model-00002-of-00002.safetensors, which its model.safetensors");
  // What is not whole does not take the place of what was.
  expect(cachedModel("owner/tiny")).toBe(snapshot);
});

test("revisions: a branch, a branch with slashes, a commit", async () => {
  const files = { ...small, "model.safetensors": whole };
  server.repositories["owner/tiny@refs/pr/1"] = { commit: "c".repeat(40), files };
  server.repositories[`owner/tiny@${commit}`] = { commit, files };
  expect(await download("owner/tiny@refs/pr/1")).toBe(join(folder(), "snapshots", "c".repeat(40)));
  expect(readFileSync(join(folder(), "refs/refs/pr/1"), "utf8")).toBe("c".repeat(40));
  await download(`owner/tiny@${commit}`);
  expect(readdirSync(join(folder(), "refs"))).toEqual(["refs"]);
  expect(cachedModel("owner/tiny@refs/pr/1")).toContain("cccc");
});

describe("connections", () => {
  test("a cut one goes on where it ended, now and in a later call", async () => {
    let cuts = 0;
    server.sending = (name) => ({
      etag: '"s"',
      cutAfter: name.endsWith("safetensors") && cuts++ < 1 ? 400 : undefined,
    });
    await download();
    expect(server.storage.asked.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=400-"]);
    expect(readFileSync(join(folder(), "blobs", sha256(whole))).equals(whole)).toBe(true);
    rmSync(folder(), { recursive: true });
    server.storage.asked.length = cuts = 0;
    expect(await refused(download("owner/tiny", { attempts: 1 }))).toMatch(
      /^owner\/tiny: .* gave up \(.*\); what has arrived is kept; go on with: sardonyx download owner\/tiny$/,
    );
    expect(blobs()).toContain(`${sha256(whole)}.incomplete`);
    expect(existsSync(join(folder(), "snapshots"))).toBe(false);
    await download();
    expect(server.storage.asked.at(-1)?.headers.range).toBe("bytes=400-");
  });

  test("a storage without ranges", async () => {
    let cuts = 0;
    server.sending = () => ({ ignoresRanges: true, cutAfter: cuts++ < 1 ? 100 : undefined });
    await download();
    expect(readFileSync(join(folder(), "blobs", sha256(whole))).equals(whole)).toBe(true);
  });

  test("a file that is another one than was listed, or damaged, is not taken", async () => {
    server.sending = (name, content) =>
      name === "config.json" ? { headers: { etag: `"${"1".repeat(40)}"` }, content } : {};
    expect(await refused(download())).toContain("is another file (1111");
    server.sending = (name, content) =>
      name === "tokenizer.json" ? { content: bytes("[]"), headers: {} } : { content };
    expect(await refused(download())).toMatch(/tokenizer\.json arrived damaged: its gitBlob is/);
    server.sending = (name, content) =>
      name === "model.safetensors" ? { content: content.map((byte) => byte ^ 1) } : { content };
    expect(await refused(download())).toMatch(/model\.safetensors arrived damaged: its sha256 is/);
    expect(blobs()).toEqual([gitBlob(small["config.json"]), gitBlob(bytes("{}"))].sort());
    expect(existsSync(join(folder(), "snapshots"))).toBe(false);
  });

  test.each([429, 500])("status %i is asked again", async (status) => {
    answer(/revision/, status, { "retry-after": "0" }, 1);
    await download();
    answer(/^\/[0-9a-f]{64}/, status, { "retry-after": "0" }, 1);
    rmSync(folder(), { recursive: true });
    await download();
    answer(/revision/, status, { "retry-after": "0" });
    expect(await refused(download())).toContain(`gave up (HTTP status ${status})`);
  });

  test("two at once fetch each file once", async () => {
    await Promise.all([download(), download()]);
    expect(server.storage.asked).toHaveLength(1);
    expect(blobs()).toHaveLength(3);
  });
});

describe("refusals say what is the matter and what to do", () => {
  test.each([
    [401, {}, "there is no such model, or it is private or gated; check the name, accept its licence at"],
    [401, { "x-error-code": "GatedRepo" }, "owner/tiny is gated: accept its licence at"],
    [403, { "x-error-code": "GatedRepo" }, "check that HF_TOKEN belongs to the account that did"],
    [404, { "x-error-code": "RepoNotFound" }, "there is no model owner/tiny at"],
    [404, { "x-error-code": "RevisionNotFound" }, "owner/tiny has no revision main"],
    [418, {}, "does not give owner/tiny (HTTP status 418); check HF_ENDPOINT"],
  ])("status %i %o", async (status, headers, message) => {
    answer(/revision/, status, headers);
    expect(await refused(download())).toContain(message);
    expect(server.hub.asked).toHaveLength(1);
  });

  test("a gated model without a token", async () => {
    vi.stubEnv("HF_TOKEN", "");
    answer(/resolve/, 403, { "x-error-code": "GatedRepo" });
    expect(await refused(download())).toContain(
      `is gated: accept its licence at ${server.hub.address}/owner/tiny, and set HF_TOKEN to a token of your account`,
    );
  });

  test("a hub that gives no codes: the model or the revision", async () => {
    expect(await refused(download("owner/none"))).toContain("there is no model owner/none at");
    expect(await refused(download("owner/tiny@v2"))).toContain("owner/tiny has no revision v2");
  });

  test("no network, offline, no hub", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await refused(download())).toMatch(/HF_HUB_OFFLINE forbids .* run: sardonyx download owner\/tiny$/);
    expect(server.hub.asked).toEqual([]);
    vi.stubEnv("HF_HUB_OFFLINE", "0");
    const snapshot = await download();
    server.hub.asked.length = 0;
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await download()).toBe(snapshot);
    expect(server.hub.asked).toEqual([]);
    vi.stubEnv("HF_HUB_OFFLINE", "");
    const gone = await startLoopback(() => undefined);
    gone.close();
    vi.stubEnv("HF_ENDPOINT", gone.address);
    expect(await refused(download("owner/tiny@main"))).toMatch(
      /cannot be reached .* run: sardonyx download owner\/tiny@main$/,
    );
    vi.stubEnv("HF_ENDPOINT", "huggingface.co");
    expect(await refused(download())).toContain('HF_ENDPOINT is "huggingface.co"; set it to an address');
  });

  test.each(["tiny", "a/b/c", "owner/..", "owner/a--b", ".owner/a", "owner/tiny@..", "owner/tiny@a//b", ""])(
    "%s is no name",
    async (name) => {
      await expect(download(name)).rejects.toThrow(OptionError);
      expect(server.hub.asked).toEqual([]);
    },
  );

  test.each(["no JSON", "{}", '{"sha": "../../evil", "siblings": []}'])("a list that is none: %s", async (text) => {
    server.before = (_, __, response) => response.end(text) !== undefined;
    expect(await refused(download())).toContain("in another form than Hugging Face's hub");
  });

  test("a list without checksums, and redirects in a circle", async () => {
    const siblings = [{ rfilename: "config.json" }];
    server.before = (_, __, response) => response.end(JSON.stringify({ sha: commit, siblings })) !== undefined;
    expect(await refused(download())).toContain("lists config.json of owner/tiny without its size and checksum");
    answer(/./, 302, { location: "/again" });
    expect(await refused(download())).toContain("redirects more than 8 times");
  });
});

describe("files", () => {
  const hostile = ["../evil", "a/../../evil", "/etc/evil", "a\\evil", "C:evil", "a//b", "a/.", "a\nb", "a\u0000", ""];
  test.each(hostile)("the path %j is refused", async (path) => {
    expect(() => requireSafePath("it", path)).toThrow("may lead out of its folder");
    server.repositories["owner/tiny@main"] = { commit, files: { ...small, "model.safetensors": whole, [path]: whole } };
    expect(await refused(download())).toContain("may lead out of its folder; nothing was downloaded");
    expect(existsSync(folder())).toBe(false);
  });

  test("so is one that an index names", async () => {
    const index = bytes(JSON.stringify({ weight_map: { w: "../../../evil.safetensors" } }));
    server.repositories["owner/tiny@main"] = { commit, files: { ...small, "model.safetensors.index.json": index } };
    expect(await refused(download())).toContain('names the file "../../../evil.safetensors", which may lead out');
  });

  test("pickles alone are refused, before anything is fetched", async () => {
    server.repositories["owner/tiny@main"] = { commit, files: { ...small, "pytorch_model.bin": whole } };
    expect(await refused(download())).toMatch(
      /only as pytorch_model\.bin, Python pickles, which are code that is never run here; take .* or save the weights as safetensors/,
    );
    expect(existsSync(folder())).toBe(false);
  });

  test("other files come when they are asked for, in their folders", async () => {
    const files = {
      ...small,
      "model.safetensors": whole,
      "onnx/model.onnx": bytes("1"),
      "onnx/model_q4.onnx": bytes("2"),
    };
    server.repositories["owner/tiny@main"] = { commit, files };
    const snapshot = await download("owner/tiny", { files: ["*/model.onnx"] });
    expect(readdirSync(snapshot).sort()).toEqual(["config.json", "onnx", "tokenizer.json"]);
    expect(readlinkSync(join(snapshot, "onnx/model.onnx"))).toBe(`../../../blobs/${sha256(bytes("1"))}`);
    await expect(download("owner/tiny", { files: ["*.gguf"] })).rejects.toThrow('no file of owner/tiny is "*.gguf"');
  });

  test.each([
    [
      ["config.json", "a.gguf", "b.gguf"],
      'r has no model.safetensors, and a.gguf, b.gguf; choose of these: --files "a.gguf"',
    ],
    [["README.md"], "r holds no model: looked for model.safetensors and model.safetensors.index.json; found README.md"],
  ])("%j is no model of safetensors", (files, message) => {
    expect(() => wantedFiles("r", files)).toThrow(message);
  });

  test("of one file and shards the one is taken, and of an adapter what it is of", () => {
    const files = [
      "config.json",
      "model.safetensors",
      "model.safetensors.index.json",
      "tf_model.h5",
      "vocab.txt",
      "x.py",
    ];
    expect(wantedFiles("r", files).files).toEqual(["config.json", "vocab.txt", "model.safetensors"]);
    const adapter = ["adapter_config.json", "adapter_model.safetensors"];
    expect(wantedFiles("r", [...adapter, "README.md", "training_args.bin"]).files).toEqual(adapter);
    expect(wantedFiles("r", ["a.b", "axb"], ["a.b"]).files).toEqual(["a.b"]);
  });
});

test("where links cannot be made, files are copied", async () => {
  const blob = join(cache, "blob");
  writeFileSync(blob, "content");
  const path = join(cache, "snapshot", "file");
  const refuse = async () => {
    throw Object.assign(new Error("no"), { code: "EPERM" });
  };
  await placeLink(blob, path, refuse);
  expect([lstatSync(path).isSymbolicLink(), readFileSync(path, "utf8")]).toEqual([false, "content"]);
  await placeLink(blob, path, refuse);
  expect(readdirSync(join(cache, "snapshot"))).toEqual(["file"]);
});
