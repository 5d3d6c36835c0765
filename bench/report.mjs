// Owns what the benchmark says: the machine it ran on and one Markdown table a work.
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

const yardstick = "sardonyx";

/** What a reader needs to know of the machine, taken before the first contender starts. */
export function describeMachine({ threads }) {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    threads,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0],
  };
}

export function machineLines(machine) {
  const memory = (machine.memoryBytes / 2 ** 30).toFixed(0);
  const lines = [
    `Machine: ${machine.processor}, ${machine.cores} cores, ${memory} GiB, ${machine.platform}, Node ${machine.node}. ` +
      `Threads: ${machine.threads} for each contender.`,
  ];
  if (machine.loadBefore > machine.cores / 4) {
    lines.push(
      `Other programs kept ${machine.loadBefore.toFixed(1)} processors busy in the minute before, so expect noise.`,
    );
  }
  return lines;
}

/** Three significant digits, never in scientific notation. */
export function digits(value) {
  if (value >= 100) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

function row(result, yardstickMilliseconds) {
  if (result.milliseconds === undefined) return `| ${result.contender} | – | – | – |`;
  const ratio = yardstickMilliseconds === undefined ? "–" : `${digits(result.milliseconds / yardstickMilliseconds)}×`;
  const memory = `${(result.peakBytes / 2 ** 20).toFixed(0)} MiB`;
  return `| ${result.contender} | ${digits(result.milliseconds)} | ${ratio} | ${memory} |`;
}

/** What the products of a step would take alone at the rate of one large product. */
function productsRow({ milliseconds, multiplyAdds }, yardstickMilliseconds) {
  const ratio = `${digits(milliseconds / yardstickMilliseconds)}×`;
  return `| (its ${digits(multiplyAdds / 1e9)} G multiply-adds alone) | ${digits(milliseconds)} | ${ratio} | – |`;
}

/** The table of one work, followed by a line for each contender's version, note or reason for not running. */
export function workTable(work, summary, results) {
  const reference = results.find((result) => result.contender === yardstick)?.milliseconds;
  const lines = [
    `## ${work}`,
    "",
    summary,
    "",
    "| Contender | Milliseconds | Ratio to Sardonyx | Peak memory |",
    "| --- | ---: | ---: | ---: |",
    ...results.map((result) => row(result, reference)),
    ...results.flatMap(({ products }) => (products ? [productsRow(products, reference)] : [])),
    "",
  ];
  for (const result of results) {
    const remark = result.skipped ?? [result.version, result.note].filter(Boolean).join(". ");
    lines.push(`- ${result.contender}: ${remark.replace(/[.]?$/, ".")}`);
  }
  return `${lines.join("\n")}\n`;
}
