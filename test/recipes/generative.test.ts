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
  test("gan-mnist: its samples become as dark as digits", () => {
    const { results, run } = train("gan-mnist", "--limit", "4000", "--epochs", "3", "--learning-rate", "0.001");
    expect(results["discriminatorAccuracy"]).toBeGreaterThan(0.5);
    expect(results["frechet"]).toBeGreaterThan(0);
    const { width, height, data } = decode(readFileSync(join(run, "samples.png")));
    expect([width, height]).toEqual([10 * 29 + 1, 10 * 29 + 1]);
    // 33 of 255 on average in the digits; tanh begins in the middle, at 127.
    expect(Array.from(data, Number).reduce((sum, pixel) => sum + pixel, 0) / data.length).toBeLessThan(80);
    const noise = JSON.stringify(Array.from({ length: 100 }, (_, i) => Math.sin(i)));
    const { stdout } = sardonyx("predict", run, noise, "--json");
    const pixels = JSON.parse(stdout).output as number[];
    expect(pixels).toHaveLength(784);
    expect(pixels.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true);
  });

  test("dcgan-mnist: the discriminator learns, and the generator is what is exported", () => {
    const { results, run } = train("dcgan-mnist", "--limit", "1500", "--epochs", "2", "--learning-rate", "0.001");
    expect(results["discriminatorAccuracy"]).toBeGreaterThan(0.6);
    expect(existsSync(join(run, "model.onnx"))).toBe(true);
    expect(sizeOf(run, "samples.png")).toEqual([291, 291]);
  });

  test("vae-mnist: the bound on the likelihood rises", () => {
    const { results, run } = train("vae-mnist", "--limit", "6000", "--epochs", "3");
    // Kingma and Welling's networks begin near -550 nats and end near -105.
    expect(results["elbo"]).toBeGreaterThan(-200);
    expect(results["elbo"]).toBeLessThan(-80);
    expect(sizeOf(run, "reconstructions.png")).toEqual([291, 59]);
  });
});
