/**
 * Measures how fast a large CSV is profiled: writes one of numbers and categories into a temporary folder, profiles it, and prints MB/s.
 * node --import tsx scripts/measure-profile.mjs [MEGABYTES] [--quoted]
 */
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { profileData } from "../src/tasks/kinds/profile-data.node.ts";

const [megabytes = 300] = process.argv.slice(2).map(Number).filter(Number.isFinite);
const isQuoted = process.argv.includes("--quoted");
const folder = mkdtempSync(join(tmpdir(), "sardonyx-measure-"));
const path = join(folder, "large.csv");

/** Numbers without regularity, the same in each run. */
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const cities = Array.from({ length: 200 }, (_, i) => `city ${i}`);
const colours = ["red", "green", "blue", "yellow"];
const mark = isQuoted ? '"' : "";

function row(i) {
  const price = (1000 * random()).toFixed(2);
  const place = cities[Math.floor(200 * random() ** 2)];
  const age = random() < 0.02 ? "" : Math.floor(90 * random());
  return `${i},${price},${(random() - 0.5).toFixed(6)},${age},${mark}${place}${mark},${colours[Math.floor(4 * random())]},${random() < 0.3 ? "yes" : "no"}\n`;
}

try {
  const out = createWriteStream(path);
  out.write("id,price,score,age,city,colour,sold\n");
  let [bytes, rows] = [0, 0];
  while (bytes < megabytes * 1e6) {
    let block = "";
    while (block.length < 1 << 20) block += row(rows++);
    bytes += block.length;
    if (!out.write(block)) await new Promise((resolve) => out.once("drain", resolve));
  }
  await new Promise((resolve) => out.end(resolve));
  const size = statSync(path).size / 1e6;
  const before = process.cpuUsage();
  const start = performance.now();
  const profile = await profileData(path, { target: "sold" });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${profile.table?.rows.toLocaleString("en-US")} rows, ${size.toFixed(0)} MB: ${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processors), ${(size / seconds).toFixed(0)} MB/s, at most ${memory.toFixed(0)} MiB of memory`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
