/**
 * Speaks ten words with espeak-ng (https://github.com/espeak-ng/espeak-ng; Debian: apt-get install espeak-ng) in many voices,
 * into folders laid out as Speech Commands: node scripts/synthesize-keywords.mjs FOLDER
 * Whole voices are kept for the validation and the test. With --fixture, a hundred short clips of 8 kHz and 8 bits for
 * the tests (needs `npm run build` before).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const accents = [
  "en-gb",
  "en-us",
  "en-gb-scotland",
  "en-gb-x-rp",
  "en-gb-x-gbclan",
  "en-gb-x-gbcwmd",
  "en-029",
  "en-us-nyc",
];
/** Voices as espeak-ng's variants; whispers, robots and croaks are left out. */
const variants = {
  train: [
    ..."m1 m2 m3 m4 m6 m8 f1 f2 f4 f5 klatt klatt3 klatt4 klatt6 adam Alex Andy Annie anika belinda benjamin boris".split(
      " ",
    ),
    ..."caleb david Denis ed edward Gene Henrique Hugo iven Jacky john Lee linda Marco Mario max Michael miguel".split(
      " ",
    ),
  ],
  validation: ["m5", "klatt5", "Andrea", "norbert"],
  test: ["m7", "f3", "klatt2", "Alicia", "Diogo", "steph", "rob", "zac"],
};

const whole = {
  words: ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"],
  /** Ways in which each voice says a word, by part. */
  takes: { train: 3, validation: 3, test: 4 },
};
const fixture = { words: ["yes", "no", "left", "stop"], takes: { train: 1, validation: 1, test: 1 } };

/** A number from 0 to 1 that belongs to a text. */
const chance = (text) => createHash("sha1").update(text).digest().readUInt32BE() / 2 ** 32;

/** Everything that is to be spoken: the same each time. */
function* speeches({ words, takes }, voices) {
  for (const [part, names] of Object.entries(voices))
    for (const voice of names)
      for (let take = 0; take < takes[part]; take++)
        for (const word of words) {
          const key = `${word} ${voice} ${take}`;
          const accent = accents[Math.floor(chance(`${key} accent`) * accents.length)];
          const speed = Math.round(120 + 90 * chance(`${key} speed`));
          const pitch = Math.round(25 + 50 * chance(`${key} pitch`));
          yield { part, word, file: `${voice.toLowerCase()}_nohash_${take}.wav`, accent, voice, speed, pitch };
        }
}

const args = process.argv.slice(2);
const isFixture = args.includes("--fixture");
const [out] = args.filter((arg) => !arg.startsWith("--"));
if (!out) throw new Error("name the folder to write to");

/** Without the silence around the word, at 8 kHz and 8 bits. */
async function small(bytes) {
  const { encodeWav, mixDown, readWav, resampler } = await import("../dist/src/index.js");
  const sound = readWav(bytes, "speech");
  const samples = resampler(sound.rate, 8000)(mixDown(sound));
  const loud = (sample) => Math.abs(sample) > 0.02;
  const [first, last] = [samples.findIndex(loud), samples.findLastIndex(loud)];
  return encodeWav({ rate: 8000, channels: [samples.slice(Math.max(0, first - 80), last + 80)] }, 8);
}

const voices = isFixture
  ? {
      train: variants.train.filter((_, i) => i % 2 === 0).slice(0, 18),
      validation: variants.validation.slice(0, 2),
      test: variants.test.slice(0, 5),
    }
  : variants;
const wanted = [...speeches(isFixture ? fixture : whole, voices)];
for (const word of new Set(wanted.map(({ word }) => word))) mkdirSync(join(out, word), { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "sardonyx-speech-"));
const waiting = [...wanted];
const work = async (_, at) => {
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { word, file, accent, voice, speed, pitch } = next;
    const spoken = join(scratch, `${at}.wav`);
    await run("espeak-ng", ["-v", `${accent}+${voice}`, "-s", speed, "-p", pitch, "-w", spoken, word].map(String));
    const bytes = new Uint8Array(readFileSync(spoken));
    writeFileSync(join(out, word, file), isFixture ? await small(bytes) : bytes);
  }
};
await Promise.all(Array.from({ length: 4 }, work));
rmSync(scratch, { recursive: true });
for (const [part, list] of [
  ["validation", "validation_list.txt"],
  ["test", "testing_list.txt"],
])
  writeFileSync(
    join(out, list),
    wanted
      .filter((speech) => speech.part === part)
      .map(({ word, file }) => `${word}/${file}\n`)
      .join(""),
  );
console.log(
  `${wanted.length} clips of ${voices.train.length + voices.validation.length + voices.test.length} voices in ${out}`,
);
