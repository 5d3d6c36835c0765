/**
 * Runs recipes whole and writes what they reach into docs/recipes.md and its Chinese twin: node scripts/measure-recipes.mjs [NAME or "NAME --option" …]
 * Results are kept in docs/recipes.json, so that one recipe can be measured anew; without names the table alone is written. There
 * `data` says what a run was trained on where that is not what its recipe says, and `unmeasured` why a recipe has no results.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const file = join(root, "docs/recipes.json");
/** The pages and the heads of their tables. */
const pages = {
  "docs/recipes.md": "| Recipe | What | Data | Parameters | Settings | Test result | Time |",
  "docs/recipes.zh-CN.md": "| 配方 | 内容 | 数据 | 参数 | 设置 | 测试结果 | 时间 |",
};
const measured = JSON.parse(readFileSync(file, "utf8"));

/** The JSON records of a run. */
function recordsOf(args) {
  const out = mkdtempSync(join(tmpdir(), "sardonyx-measure-"));
  const child = spawn(
    process.execPath,
    [join(root, "bin/sardonyx.mjs"), "train", ...args, "--json", "--out", join(out, "run")],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`${args.join(" ")} ended with ${code}`));
      const records = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      resolve((type) => records.find((record) => record.type === type) ?? {});
    });
  });
}

for (const command of process.argv.slice(2)) {
  const record = await recordsOf(command.split(" "));
  const { recipe, settings } = record("start");
  const { parameters } = record("layers");
  const { results, samples, baselines } = record("evaluation");
  const { data } = measured[command] ?? {};
  measured[command] = {
    recipe,
    ...(data !== undefined && { data }),
    ...{ settings, parameters, samples, results },
    ...(baselines && { baselines: baselines.map(({ name, metric, test }) => ({ name, metric, test })) }),
    seconds: record("end").seconds,
  };
  writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
  console.log(`${command}: ${JSON.stringify(results)}, ${record("end").seconds.toFixed(0)} s`);
}

const percent = (value) => `${(100 * value).toFixed(2)} %`;
const figure = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
const isShare = (name) => /accuracy|precision|recall|f1|map|solved|arrived/i.test(name);
/** Every result but the loss, which is told where there is nothing else, or where it is what is spoken of: nats a token. */
const shown = (results) =>
  Object.entries(results)
    // Losses of what is chosen of candidates stand in the run's own log.
    .filter(([name]) => name !== "confusionMatrix" && !name.startsWith("loss."))
    .filter(([name]) => name !== "loss" || Object.keys(results).length === 1 || "perplexity" in results)
    .map(([name, value]) => `${name} ${isShare(name) ? percent(value) : figure(value)}`)
    .join(", ");
/** What simple ways reach on the same test. */
const beside = (baselines = []) =>
  baselines
    .filter(({ test }) => Number.isFinite(test))
    .map(({ name, metric, test }) => `; ${name}: ${metric} ${isShare(metric) ? percent(test) : figure(test)}`)
    .join("");
const time = (seconds) =>
  seconds < 60
    ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
    : `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`;

const rows = [];
for (const [command, { recipe, data, unmeasured, ...run }] of Object.entries(measured)) {
  const { default: own } = await import(join(root, `dist/recipes/${recipe}.js`));
  const { settings = own.defaults, parameters, results, baselines, seconds } = run;
  const { epochs, batchSize, learningRate, optimizer, seed } = settings;
  const set = `${epochs} epochs, batch ${batchSize}, ${optimizer} ${learningRate}, seed ${seed}`;
  const reached = unmeasured
    ? `- | ${set} | not measured: ${unmeasured} | - |`
    : `${parameters.toLocaleString("en-US")} | ${set} | ${shown(results)}${beside(baselines)} | ${time(seconds)} |`;
  rows.push(`| \`${command}\` | ${own.summary} | ${data ?? own.data ?? ""} | ${reached}`);
}
rows.sort();
for (const [name, head] of Object.entries(pages)) {
  const page = join(root, name);
  const table = [head, "| --- | --- | --- | ---: | --- | --- | ---: |", ...rows].join("\n");
  const [before, rest] = readFileSync(page, "utf8").split("<!-- measured -->\n");
  const [, after] = rest.split("<!-- /measured -->");
  writeFileSync(page, `${before}<!-- measured -->\n${table}\n<!-- /measured -->${after}`);
}
