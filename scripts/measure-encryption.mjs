/**
 * What encryption costs: node scripts/measure-encryption.mjs [RECIPE] [ROUNDS]. Trains the recipe plain and encrypted in turns, with a checkpoint each second, and
 * compares the medians of their seconds, and of those of a processor that they took, which other programs disturb less; then bytes encrypted and opened in a
 * second. Needs Linux and `npm run build`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { readBytes, writeFileAtomic } from "../dist/src/storage/atomic.node.js";

const [recipe = "lenet-mnist", rounds = "5"] = process.argv.slice(2);
const settings = {
  "lenet-mnist": ["--limit", "10000", "--epochs", "3"],
  "gpt-char": ["--limit", "4000", "--epochs", "1"],
};
const folder = mkdtempSync(join(tmpdir(), "sardonyx-encryption-"));
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const identityFile = join(folder, "identity.txt");
writeFileSync(identityFile, `${identity}\n`, { mode: 0o600 });
process.env.SARDONYX_IDENTITY = identityFile;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Seconds of a processor that programs took which this one waited for (proc(5), cutime and cstime, in hundredths). */
function programSeconds() {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

const times = { plain: [], encrypted: [] };
const work = { plain: [], encrypted: [] };
for (let round = 0; round < Number(rounds); round++)
  for (const kind of round % 2 === 0 ? ["plain", "encrypted"] : ["encrypted", "plain"]) {
    const out = join(folder, `${kind}-${round}`);
    const args = ["train", recipe, ...(settings[recipe] ?? []), "--checkpoint-seconds", "1", "--out", out, "--json"];
    const [began, before] = [performance.now(), programSeconds()];
    const { status, stderr } = spawnSync(
      process.execPath,
      ["bin/sardonyx.mjs", ...args, ...(kind === "encrypted" ? ["--encrypt-to", recipient] : [])],
      { encoding: "utf8", maxBuffer: 1 << 28 },
    );
    if (status !== 0) throw new Error(stderr);
    times[kind].push((performance.now() - began) / 1000);
    work[kind].push(programSeconds() - before);
    rmSync(out, { recursive: true });
  }
const shown = (values) => values.map((value) => value.toFixed(2)).join(" ");
for (const [what, own] of Object.entries({ seconds: times, "seconds of a processor": work })) {
  const [plain, encrypted] = [median(own.plain), median(own.encrypted)];
  console.log(`${recipe}, ${what}: plain ${shown(own.plain)}; encrypted ${shown(own.encrypted)}`);
  console.log(
    `  medians ${plain.toFixed(2)} and ${encrypted.toFixed(2)}: ${(100 * (encrypted / plain - 1)).toFixed(1)} % more`,
  );
}

const bytes = new Uint8Array(256e6).fill(7);
const path = join(folder, "large");
for (const to of [[], [recipient]]) {
  const rates = { write: [], read: [] };
  for (let i = 0; i < 5; i++) {
    let began = performance.now();
    await writeFileAtomic(path, bytes, to);
    rates.write.push(bytes.length / 1e3 / (performance.now() - began));
    began = performance.now();
    await readBytes(path, "measure");
    rates.read.push(bytes.length / 1e3 / (performance.now() - began));
  }
  const rate = (values) => `${median(values).toFixed(0)} MB/s`;
  console.log(
    `256 MB ${to.length === 0 ? "plain" : "encrypted"}: written at ${rate(rates.write)}, read at ${rate(rates.read)}`,
  );
}
rmSync(folder, { recursive: true });
