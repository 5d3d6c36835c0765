/** `--memory` and `--checkpoint` of `inspect` and `estimate`: what a step takes with results computed again. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const run = (...args: string[]) =>
  spawnSync(process.execPath, ["bin/sardonyx.mjs", ...args], { encoding: "utf8", maxBuffer: 2 ** 28 });

test("within a bound of memory a step takes more work, and a way that does not fit is shown as it is", () => {
  const wholeOf = (...args: string[]) => {
    const { stdout } = run("estimate", "vit_b_16", "--hardware", "t4", ...args, "--json");
    const records = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return records.find(({ type }) => type === "estimate").ways[0] as { flops: number; bytes: number; fits: boolean };
  };
  const usual = wholeOf();
  const bound = Math.round(0.95 * usual.bytes);
  const within = wholeOf("--memory", `${bound}`);
  expect(within.bytes).toBeLessThanOrEqual(bound);
  expect(within.flops).toBeGreaterThan(usual.flops);
  expect(wholeOf("--memory", "200MB")).toMatchObject({ flops: usual.flops, bytes: usual.bytes, fits: false });
});

test.each([
  ["two ways to save memory", ["--memory", "4GB", "--checkpoint", "h.*"], /pass one of the two/],
  ["too little memory", ["--memory", "1GB"], /a step takes at least [\d.]+ GiB however much is computed again/],
  ["no amount of memory", ["--memory", "much"], /--memory is "much"; pass bytes, such as 2e9, "2GB" or "1.5GiB"/],
  ["layers that there are not", ["--checkpoint", "blocks.*"], /no module of the model has such a path/],
])("%s is refused", (_, args, message) => {
  const { status, stderr } = run("inspect", "gpt2", ...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});
