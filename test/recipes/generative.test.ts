/** Recipes that make digits, shortened: what each is to learn shows in less. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { sardonyx, train } from "./run.ts";

/** Width and height of a run's drawing. */
const sizeOf = (run: string, name: string) => {
  const { width, height } = decode(readFileSync(join(run, name)));
  return [width, height];
};

describe("digits of noise", () => {
  test("gan-mnist: its samples come nearer to digits than an untrained generator's", () => {
    const first = train("gan-mnist", "--limit", "2000", "--epochs", "1").results;
    const { results, run } = train("gan-mnist", "--limit", "20000", "--epochs", "4");
    expect(results["frechet"]).toBeLessThan(0.7 * (first["frechet"] ?? 0));
    expect(sizeOf(run, "samples.png")).toEqual([10 * 29 + 1, 10 * 29 + 1]);
    const noise = JSON.stringify(Array.from({ length: 100 }, (_, i) => Math.sin(i)));
    const { stdout } = sardonyx("predict", run, noise, "--json");
    const pixels = JSON.parse(stdout).output as number[];
    expect(pixels).toHaveLength(784);
    expect(pixels.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true);
  });

  test("dcgan-mnist: both networks learn, and the generator is what is exported", () => {
    const { results, run } = train("dcgan-mnist", "--limit", "1000", "--epochs", "2");
    expect(results["discernment"]).toBeGreaterThan(0.5);
    expect(existsSync(join(run, "model.onnx"))).toBe(true);
    expect(sizeOf(run, "samples.png")).toEqual([291, 291]);
  });

  test("vae-mnist: the bound on the likelihood rises", () => {
    const { results, run } = train("vae-mnist", "--limit", "10000", "--epochs", "2");
    // Kingma and Welling's networks begin near -550 nats and end near -105.
    expect(results["elbo"]).toBeGreaterThan(-170);
    expect(results["elbo"]).toBeLessThan(-80);
    expect(sizeOf(run, "reconstructions.png")).toEqual([291, 59]);
  });
});
