/** Merging from file to file: types kept, shards, folders, what is refused, and that nothing is left half-written. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { float16Bits, float32ToBfloat16 } from "../../core/half.ts";
import { decodeSafetensors, encodeSafetensorsHeader, readSafetensorsHeader } from "../../storage/safetensors.ts";
import { average, type MergeMethod, taskArithmetic, ties } from "./index.ts";
import { mergeFiles } from "./merge-files.node.ts";

const root = mkdtempSync(join(tmpdir(), "merge-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = root;
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
});
const at = (...parts: readonly string[]) => join(folder, ...parts);

type Kind = "F32" | "F16" | "BF16" | "I64" | "F64" | "U8" | "F8_E4M3";
type Given = Readonly<Record<string, readonly [Kind, readonly number[], (readonly number[])?]>>;

const bytesOf = (type: Kind, values: readonly number[]): Uint8Array => {
  const arrays = {
    F32: () => Float32Array.from(values),
    F64: () => Float64Array.from(values),
    F16: () => Uint16Array.from(values, float16Bits),
    BF16: () => float32ToBfloat16(Float32Array.from(values)),
    I64: () => BigInt64Array.from(values, BigInt),
    U8: () => Uint8Array.from(values),
    F8_E4M3: () => Uint8Array.from(values),
  };
  return new Uint8Array(arrays[type]().buffer);
};

/** The bytes of a file of tensors. */
function encoded(tensors: Given, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const own = Object.entries(tensors).map(([name, [type, values, shape = [values.length]]]) => ({
    name,
    type,
    shape,
    values,
  }));
  const { bytes, order } = encodeSafetensorsHeader(own, metadata);
  return Buffer.concat([bytes, ...order.map(({ type, values }) => bytesOf(type, values))]);
}
const save = (name: string, tensors: Given, metadata?: Readonly<Record<string, string>>) => {
  writeFileSync(at(name), encoded(tensors, metadata));
  return at(name);
};
const read = (...parts: readonly string[]) => {
  const bytes = new Uint8Array(readFileSync(at(...parts)));
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { entries } = readSafetensorsHeader(memorySource(bytes));
  return {
    metadata,
    types: Object.fromEntries(entries.map(({ name, type }) => [name, type])),
    numbers: Object.fromEntries(Object.entries(tensors).map(([name, own]) => [name, own.toNumbers()])),
  };
};

/** A Hugging Face folder in two shards. */
function sharded(name: string, a: number, b: number): string {
  mkdirSync(at(name));
  save(join(name, "model-00001-of-00002.safetensors"), { a: ["BF16", [a, a]] }, { format: "pt" });
  save(join(name, "model-00002-of-00002.safetensors"), { b: ["F32", [b, b, b], [1, 3]] }, { format: "pt" });
  const weight_map = { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" };
  writeFileSync(at(name, "model.safetensors.index.json"), JSON.stringify({ metadata: { total_size: 16 }, weight_map }));
  writeFileSync(at(name, "config.json"), JSON.stringify({ model_type: "bert", torch_dtype: "bfloat16", from: name }));
  writeFileSync(at(name, "tokenizer.json"), `{"of":"${name}"}`);
  writeFileSync(at(name, "pytorch_model.bin"), "old");
  return at(name);
}

// Worked by hand.
test("each tensor stays in its type, rounded once, and what is no float must be equal", async () => {
  const tensors = (x: number, n: number): Given => ({
    f: ["F32", [x, 0]],
    h: ["F16", [x]],
    b: ["BF16", [x]],
    n: ["I64", [n]],
    m: ["I64", [7]],
  });
  const models = [
    save("1.safetensors", tensors(1, 3), { format: "pt" }),
    save("2.safetensors", tensors(1 + 2 ** -7, 4)),
  ];
  const notes: string[] = [];
  const made = await mergeFiles(models, { method: average(), out: at("out"), report: (note) => notes.push(note) });
  const found = read("out", "model.safetensors");
  expect(found.types).toEqual({ f: "F32", h: "F16", b: "BF16", n: "I64", m: "I64" });
  // 1 + 2^-8 lies between two bfloat16, and goes to the even one.
  expect(found.numbers).toEqual({ f: [1 + 2 ** -8, 0], h: [1 + 2 ** -8], b: [1], n: [3], m: [7] });
  expect(found.metadata).toEqual({ format: "pt" });
  expect(notes).toEqual(["n (int64) differs between the models, and is taken from the first"]);
  expect(made).toMatchObject({ files: ["model.safetensors"], copied: [], notes });
  expect(
    made.tensors
      .filter(({ products }) => products)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["b", "f", "h"]);
  expect(JSON.parse(readFileSync(at("out", "merge.json"), "utf8"))).toMatchObject({
    method: "average",
    settings: { normalize: true },
  });
  expect(readdirSync(folder).sort()).toEqual(["1.safetensors", "2.safetensors", "out"]);
});

test("folders of shards come out in shards, with the first one's config and tokenizer", async () => {
  const made = await mergeFiles([sharded("x", 1, 10), sharded("y", 3, 20)], { method: average(), out: at("out") });
  expect(made.copied).toEqual(["config.json", "tokenizer.json"]);
  expect(readdirSync(at("out")).sort()).toEqual([
    "config.json",
    "merge.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
  ]);
  expect(read("out", "model-00001-of-00002.safetensors").numbers).toEqual({ a: [2, 2] });
  expect(read("out", "model-00002-of-00002.safetensors").numbers).toEqual({ b: [15, 15, 15] });
  const index = JSON.parse(readFileSync(at("out", "model.safetensors.index.json"), "utf8"));
  expect(index).toEqual(JSON.parse(readFileSync(at("x", "model.safetensors.index.json"), "utf8")));
  expect(readFileSync(at("out", "config.json"))).toEqual(readFileSync(at("x", "config.json")));
});

test("models may lie in files differently, and be written in another type", async () => {
  const whole = save("whole.safetensors", { a: ["BF16", [5, 5]], b: ["F32", [0, 0, 0], [1, 3]] });
  await mergeFiles([sharded("x", 1, 1000), whole], { method: average(), out: at("out"), dtype: "float16" });
  const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"].map((name) =>
    read("out", name),
  );
  expect([a?.types, b?.types]).toEqual([{ a: "F16" }, { b: "F16" }]);
  expect([a?.numbers, b?.numbers]).toEqual([{ a: [3, 3] }, { b: [500, 500, 500] }]);
  expect(JSON.parse(readFileSync(at("out", "config.json"), "utf8"))).toMatchObject({
    torch_dtype: "float16",
    from: "x",
  });
  const index = JSON.parse(readFileSync(at("out", "model.safetensors.index.json"), "utf8"));
  expect(index.metadata.total_size).toBe(10);
  // The result is a model to merge again.
  await mergeFiles([at("out"), at("out")], { method: average(), out: at("again") });
  expect(read("again", "model-00001-of-00002.safetensors").numbers).toEqual({ a: [3, 3] });
});

test("differences from a base, whose cosine is what the products are of", async () => {
  const of = (name: string, ...values: readonly number[]) => save(name, { w: ["F32", values] });
  const [first, second, base] = [of("1", 3, 1), of("2", 1, 5), of("base", 1, 1)];
  const made = await mergeFiles([first, second], {
    method: taskArithmetic({ weights: [1, 0.5] }),
    base,
    out: at("out"),
  });
  expect(read("out", "model.safetensors").numbers).toEqual({ w: [3, 3] });
  expect(made.tensors[0]?.products).toEqual([
    [4, 0],
    [0, 16],
  ]);
});

test("tensors are read one after another: no more than those of one name at a time", async () => {
  const tensors = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`t${i}`, ["F32", [i]] as const]));
  const order: string[] = [];
  const method: MergeMethod = {
    ...average(),
    combine(tensor) {
      order.push(tensor.path);
      expect(tensor.values.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([
        [1, 4],
        [1, 4],
      ]);
      return average().combine(tensor);
    },
  };
  await mergeFiles([save("1", tensors), save("2", tensors)], { method, out: at("out") });
  expect(order).toEqual(Object.keys(tensors));
});

describe("nothing is half-written", () => {
  const tensors: Given = { a: ["F32", [1]], b: ["F32", [2]] };
  const failing = (error: () => void): MergeMethod => ({
    ...average(),
    combine(tensor) {
      if (tensor.path === "b") error();
      return average().combine(tensor);
    },
  });

  test.each([
    [
      "an error",
      () => {
        throw new Error("broken");
      },
      undefined,
    ],
    ["a signal", undefined, "stopped"],
  ])("after %s between two tensors", async (_, raise, reason) => {
    const controller = new AbortController();
    const models = [save("1", tensors), save("2", tensors)];
    const method = raise
      ? failing(raise)
      : {
          ...average(),
          combine: (tensor: Parameters<MergeMethod["combine"]>[0]) => {
            controller.abort(new Error("stopped"));
            return average().combine(tensor);
          },
        };
    const merging = mergeFiles(models, { method, out: at("out"), signal: controller.signal });
    await expect(merging).rejects.toThrow(reason ?? "broken");
    expect(readdirSync(folder).sort()).toEqual(["1", "2"]);
  });

  test("an empty folder is taken, and stays empty after an error", async () => {
    mkdirSync(at("out"));
    const models = [save("1", tensors), save("2", tensors)];
    await expect(
      mergeFiles(models, {
        method: failing(() => {
          throw new Error("broken");
        }),
        out: at("out"),
      }),
    ).rejects.toThrow("broken");
    expect(readdirSync(at("out"))).toEqual([]);
    await mergeFiles(models, { method: average(), out: at("out") });
    expect(readdirSync(at("out")).sort()).toEqual(["merge.json", "model.safetensors"]);
  });

  test("a folder with something in it is kept", async () => {
    mkdirSync(at("out"));
    writeFileSync(at("out", "mine"), "kept");
    const models = [save("1", tensors), save("2", tensors)];
    await expect(mergeFiles(models, { method: average(), out: at("out") })).rejects.toThrow("is not an empty folder");
    await expect(mergeFiles(models, { method: average(), out: at("1") })).rejects.toThrow("is not an empty folder");
    await expect(mergeFiles(models, { method: average(), out: at("1", "below") })).rejects.toThrow(
      "a file stands where a folder should be",
    );
    expect(readdirSync(at("out"))).toEqual(["mine"]);
  });
});

describe("what is refused", () => {
  const one = (tensors: Given, name = "1.safetensors") => save(name, tensors);
  const merge = (...models: readonly string[]) => mergeFiles(models, { method: average(), out: at("out") });
  const f = (...values: readonly number[]): Given => ({ w: ["F32", values] });

  test.each<readonly [string, () => Promise<unknown>, string]>([
    ["a path that is none", () => merge(at("none"), at("none")), "there is no file or folder"],
    ["a folder without weights", () => merge(folder, folder), "it holds no weights to merge"],
    [
      "an empty file",
      () => {
        writeFileSync(at("empty"), "");
        return merge(at("empty"), at("empty"));
      },
      "it is no safetensors file",
    ],
    [
      "a pickle",
      () => {
        writeFileSync(at("p"), Uint8Array.of(0x80, 2));
        return merge(at("p"), at("p"));
      },
      "it is a Python pickle",
    ],
    [
      "a zip archive",
      () => {
        writeFileSync(at("z"), "PK\u0003\u0004…");
        return merge(at("z"), at("z"));
      },
      "a zip archive, as PyTorch writes",
    ],
    [
      "JSON that is no index",
      () => {
        writeFileSync(at("j"), '{"a":1}');
        return merge(at("j"), at("j"));
      },
      "without weight_map",
    ],
    [
      "a file that is cut off",
      () => {
        writeFileSync(at("cut"), encoded(f(1, 2)).subarray(0, -2));
        return merge(at("cut"), at("cut"));
      },
      "cut off or damaged",
    ],
    [
      "a shard that is missing",
      () => {
        writeFileSync(at("i.json"), '{"weight_map":{"a":"gone.safetensors"}}');
        return merge(at("i.json"), at("i.json"));
      },
      "gone.safetensors cannot be read: there is no such file",
    ],
    [
      "a shard outside the folder",
      () => {
        writeFileSync(at("i.json"), '{"weight_map":{"a":"../x.safetensors"}}');
        return merge(at("i.json"), at("i.json"));
      },
      "lies outside the folder",
    ],
    [
      "a run without a checkpoint",
      () => {
        writeFileSync(at("run.json"), "{}");
        return merge(folder, folder);
      },
      "a run without checkpoint.safetensors",
    ],
    ["another name", () => merge(one(f(1)), one({ v: ["F32", [1]] }, "2.safetensors")), "2.safetensors lacks w"],
    [
      "another shape",
      () => merge(one(f(1)), one(f(1, 2), "2.safetensors")),
      "models to merge of different shapes: w is [1] in ",
    ],
    [
      "another type",
      () => merge(one(f(1)), one({ w: ["F16", [1]] }, "2.safetensors")),
      "models to merge of different types: w is F32 in ",
    ],
    ["float64", () => merge(one({ w: ["F64", [1]] }), one({ w: ["F64", [1]] }, "2")), 'the tensor "w" is F64'],
    [
      "float8",
      () => merge(one({ w: ["F8_E4M3", [1]] }), one({ w: ["F8_E4M3", [1]] }, "2")),
      'the tensor "w" is F8_E4M3',
    ],
    [
      "weights in 4 bits",
      () => {
        const packed: Given = { "w.absmax": ["F32", [1]], w: ["U8", [1, 2], [2, 1]] };
        return merge(one(packed), one(packed, "2"));
      },
      "packed in few bits",
    ],
    [
      "weights in 4 bits of ours",
      () => {
        const packed: Given = { "w#4.elements": ["U8", [1]], "w#4.scales": ["F32", [1]] };
        return merge(one(packed), one(packed, "2"));
      },
      "packed in few bits",
    ],
    [
      "infinity",
      () => merge(one(f(1)), one(f(Number.POSITIVE_INFINITY), "2")),
      'the merged tensor "w" holds Infinity, which F32 does not; look at',
    ],
    [
      "what float16 does not hold",
      () => mergeFiles([one(f(70_000)), one(f(70_000), "2")], { method: average(), dtype: "float16", out: at("out") }),
      "holds 70000, which F16 does not; write float32",
    ],
    [
      "no base",
      () => mergeFiles([one(f(1)), one(f(1), "2")], { method: ties(), out: at("out") }),
      "ties adds differences from a base",
    ],
    [
      "a base of another shape",
      () => mergeFiles([one(f(1)), one(f(1), "2")], { method: ties(), base: one(f(1, 2), "3"), out: at("out") }),
      "different shapes",
    ],
    ["no models", () => merge(), "there are 0 models"],
    [
      "an option that there is not",
      () => mergeFiles([], { method: average(), out: "x", density: 1 } as never),
      "unknown option of mergeFiles",
    ],
  ])("%s", async (_, act, message) => {
    await expect((async () => act())()).rejects.toThrow(message);
    expect(existsSync(at("out"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a config that is a link out of the folder", async () => {
    const [x, y] = [sharded("x", 1, 1), sharded("y", 1, 1)];
    writeFileSync(at("secret"), "mine");
    symlinkSync(at("secret"), at("x", "vocab.txt"));
    await expect(merge(x, y)).rejects.toThrow("leads outside the folder");
    expect(existsSync(at("out"))).toBe(false);
  });
});
