// Owns what the browser's benchmark says: the browser it ran in and one Markdown table a work.
import { digits } from "../report.mjs";
import { devices } from "./contenders.mjs";

/** The browser and what it computes on, in one line. */
export function browserLine({ version, adapter, isSoftware, renderer, isIsolated }) {
  const software = isSoftware || /swiftshader/i.test(adapter ?? "") ? " (software: the processor's own threads)" : "";
  const card = adapter ? `WebGPU adapter: ${adapter}${software}` : "no WebGPU";
  const shared = isIsolated ? "isolated, so that threads share memory" : "not isolated: one thread";
  return `Chromium ${version}, headless; ${card}; WebGL renderer: ${renderer ?? "none"}; pages ${shared}.`;
}

const wordsOf = { processor: "processor", card: "graphics card" };

function row(result, device, reference) {
  const head = `| ${result.contender} | ${wordsOf[device]} |`;
  if (result.milliseconds === undefined) return `${head} – | – | – |`;
  const ratio = reference === undefined ? "–" : `${digits(result.milliseconds / reference)}×`;
  const { first, last, steps } = result.losses;
  return `${head} ${digits(result.milliseconds)} | ${ratio} | ${first.toFixed(2)} to ${last.toFixed(2)} in ${steps} |`;
}

/** The table of one work, followed by a line for each contender's version, note or reason for not running. */
export function browserTable(work, summary, results, contenders) {
  const deviceOf = (name) => contenders.find((contender) => contender.name === name).device;
  const reference = (device) => results.find(({ contender }) => contender === devices[device].yardstick)?.milliseconds;
  const lines = [
    `### ${work} in a browser`,
    "",
    summary,
    "",
    "| Contender | Device | Milliseconds | Ratio to Sardonyx there | Loss, over the steps |",
    "| --- | --- | ---: | ---: | --- |",
    ...results.map((result) => row(result, deviceOf(result.contender), reference(deviceOf(result.contender)))),
    "",
  ];
  for (const { contender, skipped, version, note } of results) {
    const remark = [version, skipped ?? note].filter(Boolean).join(". ");
    lines.push(`- ${contender}: ${remark.replace(/[.]?$/, ".")}`);
  }
  return `${lines.join("\n")}\n`;
}
