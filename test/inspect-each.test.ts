/** `sardonyx inspect --each`: many what-ifs of one model say what each alone says, and mistakes are told one by one. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { inspectionSchema } from "../src/analyze/report/schema.ts";
import { flagOf } from "../src/core/printable.ts";
import { program } from "./command-line.ts";

type WhatIf = Readonly<Record<string, string | number>>;

const run = (args: readonly string[], input = "") =>
  spawnSync(process.execPath, [program, "inspect", ...args], { encoding: "utf8", input, maxBuffer: 2 ** 28 });
const each = (target: string, lines: readonly string[], ...args: string[]) =>
  run([target, "--each", ...args], lines.map((line) => `${line}\n`).join(""));
const recordsIn = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("many what-ifs of one model", () => {
  test.each<[string, readonly WhatIf[]]>([
    [
      "lenet5",
      [{ batch: 8 }, { freezeBlocks: 2, optimizer: "sgd" }, { quantize: 8 }, { batch: 8, precision: "float16" }],
    ],
    [
      "gpt2",
      [
        { sequence: 32, lora: 8 },
        { sequence: 32, lora: 8, quantize: 4 },
        { sequence: 64, hardware: "a100" },
      ],
    ],
  ])("of %s say what each alone says", { timeout: 120_000 }, (target, settings) => {
    const lines = settings.map((own) => JSON.stringify(own));
    const { stdout, stderr } = each(target, lines, "--json");
    expect(stderr).toBe("");
    const found = recordsIn(stdout);
    for (const [i, own] of settings.entries()) {
      const words = Object.entries(own).map(([name, value]) => `${flagOf(name)}=${value}`);
      const alone = inspectionSchema.strict().parse(JSON.parse(run([target, ...words, "--format=json"]).stdout));
      expect(found[i]).toEqual({ type: "inspection", ...alone });
    }
  });

  test("a mistake in one is told, and the next is answered", { timeout: 60_000 }, () => {
    const lines = ['{"batch": 0}', "{", "7", '{"bach": 1}', '{"batch": [1]}', '{"all": 3}', "", '{"format": "csv"}'];
    const { stdout, status } = each("lenet5", lines, "--json");
    expect(recordsIn(stdout).map(({ message, text }) => message ?? text)).toEqual([
      expect.stringContaining("pass a whole number from 1"),
      expect.stringContaining("is no JSON"),
      expect.stringContaining("is no object"),
      expect.stringContaining('did you mean "batch"?'),
      "batch is [1]; send a string or a number",
      "all is 3; send true or false",
      expect.stringContaining("name,kind,type"),
    ]);
    expect(status).toBe(0);
    const shown = each("lenet5", ['{"batch": 0}', '{"freezeBlocks": 1}']);
    expect(shown.stderr).toContain("--batch");
    expect(shown.stdout).toContain("61,706");
  });

  test.each<[readonly string[], string]>([
    [["resnet18", "--freeze-blocks", "9"], "resnet18 has 8, pass a whole number from 0 to that"],
    [["resnet18", "--each", "--out", "a.txt"], "leave one of the two out"],
    [["resnet18", "--hardware", "h1000"], 'unknown hardware "h1000"; did you mean "h100"?'],
  ])("%s is refused", (args, words) => {
    const { stderr, status } = run(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
