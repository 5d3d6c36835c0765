/** Sounds of your own: how they are found and read, which are left out, what is changed while they are trained on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { soundPreparation } from "../../data/sound/sound-format.ts";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { loadSounds, type SoundRequest } from "./load-sounds.node.ts";
import { bandFeatures, soundViews } from "./sound-views.ts";
import { writeTone } from "./testing/write-tone.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-sounds-"));
afterAll(() => rmSync(folder, { recursive: true }));

const request = { target: "", labels: [], task: "auto", seconds: 0, seed: 0, limit: undefined } as const;
const load = (path: string, more: Partial<SoundRequest> = {}) => loadSounds({ ...request, path, ...more });

describe("sounds by folder", () => {
  const path = join(folder, "tones");
  for (let i = 0; i < 20; i++) {
    writeTone(join(path, "rise", `${i}.wav`), { rises: true, seed: i });
    // Some are longer and of another rate.
    writeTone(join(path, "fall", `${i}.wav`), {
      rises: false,
      seed: 100 + i,
      ...(i > 17 && { rate: 16_000, seconds: 2 }),
    });
  }
  writeFileSync(join(path, "rise", "broken.wav"), "no sound");

  test("are brought to one rate and length, and what is broken is left out", async () => {
    const { sound, shape, target, parts, notes } = await load(path);
    // The last tenth begins with the twentieth of 40 sounds: one of the long ones.
    expect(sound).toEqual({ rate: 8000, samples: 4000, bands: 40 });
    expect(shape).toEqual([48, 40]);
    expect(target).toEqual({ name: "class", kind: "classes", classes: ["fall", "rise"] });
    expect((parts.train.length ?? 0) + (parts.validation.length ?? 0) + (parts.test.length ?? 0)).toBe(40);
    for await (const { x } of parts.test.epoch(0)) {
      expect(x.shape).toEqual([48, 40]);
      const mean = x.toNumbers().reduce((a, b) => a + b, 0) / (48 * 40);
      expect(mean).toBeCloseTo(0, 4);
    }
    expect(notes.join("\n")).toMatch(/left out: 1 sound that cannot be read, such as .*broken\.wav/);
    expect(await recipeForData(path)).toEqual({ recipe: "sounds", because: "41 sounds in 2 folders" });
  });

  test("of a length that is asked for", async () => {
    const { sound, notes } = await load(path, { seconds: 1 });
    expect(sound.samples).toBe(8000);
    expect(notes.join()).toMatch(/clips of 1 s at 8000 Hz: .*\(as asked\)/);
  });
});

test.each([
  ["no sounds", (path: string) => mkdirSync(join(path, "a"), { recursive: true }), /holds no sounds \(\.wav\)/],
  [
    "broken sounds alone",
    (path: string) => {
      mkdirSync(join(path, "a"), { recursive: true });
      for (let i = 0; i < 12; i++) writeFileSync(join(path, "a", `${i}.wav`), "");
    },
    /none of 12 sounds that were looked at can be read: .*\.wav/,
  ],
  [
    "one class",
    (path: string) => {
      for (let i = 0; i < 12; i++) writeTone(join(path, "a", `${i}.wav`), { rises: true, seed: i });
    },
    /all samples are of one class, "a"/,
  ],
] as const)("%s are refused", async (name, make, said) => {
  const path = join(folder, name.replaceAll(" ", "-"));
  make(path);
  await expect(load(path)).rejects.toThrow(said);
});

test("bandFeatures are the mean and deviation of each band over time", () => {
  const features = tensor([
    [1, 4],
    [3, 4],
  ]);
  expect(Array.from(bandFeatures({ rate: 8000, samples: 400, bands: 2 })(features))).toEqual([2, 4, 1, 0]);
  // Of samples, they are those of the log-mel features.
  const clip = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i / 3));
  const sound = { rate: 8000, samples: 2000, bands: 40 };
  const mel = soundPreparation(sound)(clip);
  const own = bandFeatures({ rate: 8000, samples: 2000 })(new Tensor("float32", [2000], clip));
  expect(own).toEqual(bandFeatures(sound)(new Tensor("float32", [mel.length / 40, 40], mel)));
});

test("sounds are read as a base takes them: samples of its rate, in its shape", async () => {
  const path = join(folder, "for-base");
  for (let i = 0; i < 8; i++)
    for (const rises of [true, false]) writeTone(join(path, rises ? "rise" : "fall", `${i}.wav`), { rises, seed: i });
  const taken = { sound: { rate: 4000, samples: 1000 }, shape: [1, 1000] };
  const { sound, shape, parts, notes } = await load(path, { taken });
  expect([sound, shape]).toEqual([taken.sound, [1, 1000]]);
  for await (const { x } of parts.train.epoch(0)) expect([x.dtype, x.shape]).toEqual(["float32", [1, 1000]]);
  expect(notes.join("\n")).toMatch(/clips of 0\.25 s at 4000 Hz, as the base takes them/);
  expect(notes.join("\n")).not.toMatch(/log-mel/);
});

test("views are moved in time, and one has parts at 0", async () => {
  const x = new Tensor(
    "float32",
    [4, 20, 10],
    Float32Array.from({ length: 800 }, (_, i) => 1 + (Math.floor(i / 10) % 20)),
  );
  const y = tensor([0, 1, 0, 1], { dtype: "int32" });
  const masked: number[] = [];
  for await (const batch of soundViews(fromTensors({ x, y }).batch(4), keyOf(1)).epoch(0)) {
    const [plain, changed] = [batch["x"]?.toNumbers() ?? [], batch["changed"]?.toNumbers() ?? []];
    // Frames 1 to 20, by two earlier or later, the ends repeated.
    for (const value of plain) expect(value >= 1 && value <= 20).toBe(true);
    for (const [i, value] of changed.entries()) {
      if (value === 0) masked.push(i);
      else expect(value).toBe(plain[i]);
    }
  }
  expect(masked.length).toBeGreaterThan(0);
  expect(masked.length).toBeLessThan(400);
});
