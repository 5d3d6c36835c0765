/** Pretrained models in Hugging Face's layout, tuned on files as a person would: classes, answers, adapters, mistakes. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, Random, type Tensor, tensor } from "../src/index.ts";
import { Interrupted, loadModel, openEmbedder, openRun, type RunResult, runRecipe } from "../src/node.ts";
import { writeModel } from "./pretrained-folders.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-finetune-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const random = new Random(keyOf(1));
const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
const things = ["film", "meal", "phone", "hotel", "book"];
const words = { good: ["lovely", "great", "superb"], bad: ["awful", "broken", "dull"] };
const reviews = Array.from({ length: 160 }, (_, i) => {
  const label = i % 2 === 0 ? "good" : "bad";
  return { text: `the ${pick(things)} was ${pick(words[label])}`, label };
});
const chats = Array.from({ length: 80 }, (_, i) => ({
  messages: [
    { role: "user", content: `say ${i % 4}` },
    { role: "assistant", content: `it is ${i % 4}` },
  ],
}));

const text = [...reviews.map((own) => own.text), ...chats.flatMap((own) => own.messages.map((m) => m.content))].join(
  "\n",
);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: "inherit" });
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64 };
  writeModel(at("bert"), text, {
    model_type: "bert",
    architectures: ["BertForMaskedLM"],
    hidden_size: 16,
    intermediate_size: 32,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    ...layers,
  });
  writeModel(at("llama"), text, {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: 32,
    intermediate_size: 48,
    num_key_value_heads: 1,
    ...layers,
  });
  writeFileSync(at("reviews.csv"), ["text,label", ...reviews.map(({ text, label }) => `${text},${label}`)].join("\n"));
  writeFileSync(at("chats.jsonl"), chats.map((own) => JSON.stringify(own)).join("\n"));
}, 120_000);

const sardonyx = (...args: string[]) =>
  spawnSync(process.execPath, [join(process.cwd(), "bin/sardonyx.mjs"), ...args], { cwd: folder, encoding: "utf8" });

describe("classes of texts", () => {
  const settings = { epochs: 12, learningRate: 0.02, options: { base: "", data: "", lora: 4 } };
  const withPaths = (own: object = {}) => ({
    ...settings,
    options: { ...settings.options, base: at("bert"), data: at("reviews.csv"), ...own },
  });
  let trained: RunResult;
  beforeAll(async () => {
    trained = await runRecipe("finetune", withPaths(), { out: at("adapted"), threads: 1 });
  }, 120_000);

  test("the report shows what it has wrong, and which words speak for that", { timeout: 120_000 }, async () => {
    const untaught = { ...withPaths(), epochs: 1, learningRate: 1e-9 };
    await runRecipe("finetune", untaught, { out: at("untaught"), threads: 1 });
    const report = JSON.parse(readFileSync(join(at("untaught"), "report.json"), "utf8"));
    expect(report.calibration.samples).toBe(report.evaluation.samples);
    const [worst] = report.mistakes;
    expect(worst.cells[0].value).toMatch(/^the \w+ was \w+$/);
    expect(worst.explained.words.map((own: { text: string }) => own.text).join("")).toBe(worst.cells[0].value);
    expect(worst.explained.words.some(({ value = 0 }) => value !== 0)).toBe(true);
  });

  test("are learned by adapters and a head alone, and texts are asked", async () => {
    expect(trained.evaluation.results["accuracy"]).toBeGreaterThan(0.9);
    const run = await openRun(trained.folder);
    const answer = await run.ask("the hotel was superb");
    const scores = "output" in answer ? answer.output.toNumbers() : [];
    expect(run.deployment.classes?.[scores.indexOf(Math.max(...scores))]).toBe("good");
    await expect(run.ask(" ")).rejects.toThrow("the text is empty");
    await run.release();
  });

  test("texts are embedded by the features below the scores", async () => {
    const embedder = await openEmbedder(trained.folder);
    expect(embedder).toMatchObject({
      reads: "texts",
      source: expect.stringMatching(/^the features of .*, of length 1$/),
    });
    const texts = ["the hotel was superb", "the book was lovely", "the book was awful"];
    const { vectors } = await embedder.embed(texts);
    const [a = [], b = [], c = []] = [0, 1, 2].map((row) => vectors.toNumbers().slice(16 * row, 16 * (row + 1)));
    const cosine = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
    expect(vectors.shape).toEqual([3, 16]);
    expect(cosine(a, a)).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c));
    await embedder.release();
  });

  test("the adapter lies beside, in PEFT's layout", () => {
    const config = JSON.parse(readFileSync(at("adapted/adapter/adapter_config.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect([config["peft_type"], config["r"], config["lora_alpha"], config["modules_to_save"]]).toEqual([
      "LORA",
      4,
      8,
      ["head"],
    ]);
    expect(existsSync(at("adapted/adapter/adapter_model.safetensors"))).toBe(true);
  });

  test("what dry runs count is what is trained, to the unit", async () => {
    const { stdout, stderr } = sardonyx(
      "finetune",
      "bert",
      "--data",
      "reviews.csv",
      "--lora",
      "4",
      "--dry-run",
      "--json",
    );
    expect(stderr).toBe("");
    const record = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; trainable?: number; parameters?: number })
      .find(({ type }) => type === "dry-run");
    const run = await openRun(trained.folder);
    const task = await run.task();
    const counted = [...task.model.parameters().values()].filter(({ isBuffer }) => !isBuffer);
    const size = (own: typeof counted) => own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(record).toMatchObject({
      trainable: size(counted.filter((own) => own.trainable)),
      parameters: size(counted),
    });
    await run.release();
  }, 60_000);

  test("memory is bounded before weights are loaded, and batches are computed in parts that fit", () => {
    const finetune = (...args: string[]) => sardonyx("finetune", "bert", "--data", "reviews.csv", ...args, "--json");
    const refused = finetune("--memory", "100KB");
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/the budget of memory is 97.7 KiB, and a step takes at least/);
    const dry = finetune("--dry-run").stdout.trim().split("\n");
    const { trainingBytes } = dry.map((line) => JSON.parse(line)).find(({ type }) => type === "dry-run");
    const bound = `${Math.round(trainingBytes)}`;
    const args = ["--batch-size", "auto", "--memory", bound, "--epochs", "1", "--limit", "32", "--out", "bounded"];
    const { status, stderr } = finetune(...args);
    expect([status, stderr]).toEqual([0, ""]);
    const { settings } = JSON.parse(readFileSync(at("bounded/run.json"), "utf8"));
    expect(settings).toMatchObject({ memory: bound, batchSize: 8, parts: expect.any(Number) });
  }, 120_000);

  test("merged, the exported model gives the same scores", async () => {
    const { status, stderr } = sardonyx("export", "adapted", "--merge", "--out", "merged.onnx");
    expect([status, stderr]).toEqual([0, ""]);
    const [merged, run] = [await loadModel(at("merged.onnx")), await openRun(trained.folder)];
    expect([...merged.parameters().keys()].filter((path) => path.includes("lora"))).toEqual([]);
    const answer = await run.ask("the film was dull");
    const { predict } = await import("../src/index.ts");
    const { reader } = run.deployment;
    const ids = reader?.tokenizer.encodeWithSpecial("the film was dull") ?? [];
    const fill = (value: number) => new Array<number>((reader?.length ?? 0) - ids.length).fill(value);
    const x = tensor([[...ids, ...fill(reader?.padding ?? 0)]], { dtype: "int32" });
    const mask = tensor([[...ids.map(() => 1), ...fill(0)]], { dtype: "int32" });
    const scores = ((await predict(merged, { x, mask })) as Tensor).toNumbers();
    const own = "output" in answer ? answer.output.toNumbers() : [];
    for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(own[i] ?? 0, 4);
    await run.release();
  }, 60_000);

  test("a run that was interrupted goes on to the same bits", async () => {
    const stop = new AbortController();
    const observer = {
      callbacks: () => [
        {
          name: "stop",
          onBatch: ({ trainer }: { trainer: { batches: number } }) => trainer.batches === 21 && stop.abort(),
        },
      ],
    };
    const begun = runRecipe("finetune", withPaths(), {
      out: at("parted"),
      threads: 1,
      signal: stop.signal,
      observer: observer as never,
    });
    await expect(begun).rejects.toThrow(Interrupted);
    await runRecipe("finetune", {}, { out: at("parted"), threads: 1, resume: true });
    const weights = async (name: string) =>
      [...(await loadModel(at(name))).parameters().values()].map(({ value }) => value?.toNumbers());
    expect(await weights("parted")).toEqual(await weights("adapted"));
  }, 120_000);

  test("by a new head on frozen features, which are computed once", async () => {
    const own = withPaths({ lora: 0, freeze: "base" });
    const { notes } = await runRecipe("finetune", { ...own, epochs: 4 }, { out: at("head"), threads: 1 });
    expect(notes.join()).toMatch(
      /the frozen layers before the trained ones, \d+ % .* computed once for each of 128 samples/,
    );
  }, 60_000);
});

describe("answers of an assistant", () => {
  const options = { base: "", data: "", template: "chatml", length: 64 };
  const tuned = (name: string, epochs: number, own: object) =>
    runRecipe(
      "finetune",
      { epochs, learningRate: 0.01, options: { ...options, base: at("llama"), data: at("chats.jsonl"), ...own } },
      { out: at(name), threads: 1 },
    );

  test("are learned from rows of several conversations, and written in the template", async () => {
    const { folder: out } = await tuned("chat", 40, { packed: true });
    const run = await openRun(out);
    const answers: string[] = [];
    for (const number of [0, 1, 2, 3]) {
      let text = "";
      for await (const piece of run.generate(`say ${number}`, { temperature: 0, tokens: 12 })) text += piece.text;
      answers.push(text);
    }
    expect(answers).toEqual(["it is 0", "it is 1", "it is 2", "it is 3"]);
    await run.release();
  }, 120_000);

  test("are learned beside weights in 4 bits, and merged out of them", async () => {
    const { history, folder: out } = await tuned("packed", 10, { qlora: 8 });
    expect(history.at(-1)?.loss).toBeLessThan(0.8 * (history[0]?.loss ?? 0));
    const run = await openRun(out);
    const bits = [...run.deployment.model.parameters()].flatMap(([path, { packed }]) =>
      packed ? [[path.replace(/\.\d\./, ".N."), packed.bits]] : [],
    );
    expect(new Set(bits.map(([, own]) => own))).toEqual(new Set([4]));
    expect(bits.map(([path]) => path)).toContain("model.layers.N.mlp.up_proj.weight");
    const { bytes } = await run.mergedOnnx();
    expect(bytes.length).toBeGreaterThan(10_000);
    await run.release();
  }, 120_000);
});

describe("the learning rate, where none is given", () => {
  test.each([
    ["of a new head alone", ["bert", "--data", "reviews.csv", "--freeze", "base"], 1e-3],
    [
      "of a model without a new head",
      ["llama", "--data", "chats.jsonl", "--template", "chatml", "--freeze", "*embed*"],
      5e-5,
    ],
  ])(
    "%s",
    (name, args, rate) => {
      const { status, stderr } = sardonyx("finetune", ...args, "--epochs", "1", "--limit", "16", "--out", name);
      expect(status, stderr).toBe(0);
      expect(JSON.parse(readFileSync(at(join(name, "run.json")), "utf8")).settings.learningRate).toBe(rate);
    },
    60_000,
  );
});

describe("what is refused, with the mend", () => {
  const refusal = (...args: string[]) => {
    const { status, stderr } = sardonyx("finetune", ...args);
    expect([status, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
    return stderr;
  };
  test.each([
    [["bert"], /name the data to learn from: --data/],
    [["bert", "--data", "nothing.csv"], /there is no file or folder nothing.csv with the data/],
    [["nothing", "--data", "reviews.csv"], /there is no file or folder nothing/],
    [
      ["bert", "--data", "reviews.csv", "--lora", "2", "--targets", "nope"],
      /the target "nope" matches no layer; pass targets among/,
    ],
    [["bert", "--data", "reviews.csv", "--lora", "2", "--qlora", "2"], /pass one of them/],
    [["bert", "--data", "reviews.csv", "--lora", "2", "--freeze", "base"], /freeze and lora contradict each other/],
    [["bert", "--data", "reviews.csv", "--unfreeze-last", "9"], /pass a whole number from 0 to 2/],
    [["bert", "--data", "reviews.csv", "--length", "65"], /texts of 65 tokens are too long: the model reads 64/],
    [["bert", "--data", "reviews.csv", "--at", "bert.encoder.layer.7"], /did you mean "bert.encoder.layer/],
    [["llama", "--data", "chats.jsonl"], /chat_template is missing, .* chatml/],
  ] as const)("%j", (args, message) => expect(refusal(...args)).toMatch(message), 30_000);

  test("leaves no folder behind", () => expect(existsSync(at("runs"))).toBe(false));
});
