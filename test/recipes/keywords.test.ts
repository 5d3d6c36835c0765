/** Spoken words, on a hundred synthesized clips: voices of the test are none of the training. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeWav, readWav, resampler } from "../../src/index.ts";
import { epochsOf, fixtures, sardonyx, train } from "./run.ts";

const data = join(fixtures, "keywords");
const onFixture = ["--data", data, "--words", "all", "--batch-size", "8"];

describe("keywords", () => {
  test("convolutions recognize four words, and the word of a file", () => {
    const { results, run } = train("keywords", ...onFixture, "--epochs", "8");
    expect(results["accuracy"]).toBeGreaterThan(0.6);
    expect(existsSync(join(run, "spectrograms.png"))).toBe(true);

    const clip = join(data, "stop/m7_nohash_0.wav");
    const folder = mkdtempSync(join(tmpdir(), "sardonyx-words-"));
    const [stereo, cut, none] = ["stereo.wav", "cut.wav", "none.wav"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const sound = readWav(readFileSync(clip), clip);
    const loud = resampler(sound.rate, 44_100)(sound.channels[0] ?? new Float32Array());
    writeFileSync(stereo, encodeWav({ rate: 44_100, channels: [loud, loud] }));
    writeFileSync(cut, readFileSync(clip).subarray(0, 2000));
    copyFileSync(join(data, "testing_list.txt"), none);

    const { stdout } = sardonyx("predict", run, clip, stereo, "--json");
    const [first, second] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first.class).toBe("stop");
    expect(first.note).toMatch(/^resampled from 8000 Hz, 0\.\d\d s filled up with silence$/);
    // The same sound: no more than the rounding of the features apart.
    expect(second.note).toMatch(/^mixed from 2 channels, resampled from 44100 Hz/);
    expect(second.class).toBe("stop");
    for (const [path, problem] of [
      [cut, /cut.wav: its "data" needs \d+ bytes, the file has \d+ left; it is cut off/],
      [none, /does not begin as a WAV file/],
      [join(folder, "x.wav"), /there is no file/],
    ] as const) {
      const { stderr, status } = sardonyx("predict", run, path);
      expect(stderr).toMatch(problem);
      expect(status).toBe(2);
    }
  });

  test("a recurrent network recognizes them", () => {
    const { results } = train("keywords", ...onFixture, "--model", "recurrent", "--epochs", "9");
    expect(results["accuracy"]).toBeGreaterThan(0.6);
  });

  test("CTC: the loss of the letters falls", () => {
    const { run } = train("keywords", ...onFixture, "--model", "ctc", "--epochs", "6");
    const losses = epochsOf(run).map(({ loss }) => loss ?? Number.NaN);
    expect(losses.at(-1)).toBeLessThan(0.2 * (losses[0] ?? 0));
    const { stdout } = sardonyx("predict", run, join(data, "yes/m7_nohash_0.wav"));
    expect(stdout).toMatch(/: [a-z]+ \(\d+\.\d %.*\) {3}\(resampled from 8000 Hz/);
  });

  test("a word that is not there is reported", () => {
    const { stderr, status } = sardonyx("train", "keywords", "--data", data, "--words", "yes,perhaps");
    expect([stderr, status]).toEqual([expect.stringContaining("has no folder for the word perhaps"), 2]);
  });
});
