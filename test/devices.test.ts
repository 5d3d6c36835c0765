/** Devices on the command line: what there is, what auto takes, what a run keeps of it, and what is said where one is missing. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deviceChoices, devices } from "../src/index.ts";
import { likelyDevices, withoutSoftware } from "../src/runtime/cards.node.ts";
import { cudaHere } from "../src/runtime/cuda-place.node.ts";
import { commandLine, recordOf } from "./command-line.ts";
import { hasSoftwareGpu } from "./software-gpu.ts";

const { folder, run } = commandLine();

/** Whether this machine has no card; where it has one, what auto takes is the card's matter. */
const hasNoCard = likelyDevices().length === 0;

/** The device that the record of a run has. */
const deviceOf = (name: string): string =>
  (JSON.parse(readFileSync(join(folder, name, "run.json"), "utf8")) as { settings: { device: string } }).settings
    .device;

test("devices lists every one, with its rates or what is missing, and which auto takes", async () => {
  // The card of software that other tests compute on would take minutes.
  const own = process.env["VK_LOADER_DRIVERS_DISABLE"];
  Object.assign(process.env, withoutSoftware(process.env));
  const { code, records } = await run("devices", "--json");
  if (own === undefined) delete process.env["VK_LOADER_DRIVERS_DISABLE"];
  expect(code).toBe(0);
  const listed = records.filter(({ type }) => type === "device");
  expect(listed.map(({ device }) => device)).toEqual(devices);
  for (const { available, flopsPerSecond, bytesPerSecond, reason } of listed)
    if (available) expect([flopsPerSecond, bytesPerSecond]).toEqual([expect.any(Number), expect.any(Number)]);
    else expect(reason).toEqual(expect.stringMatching(/^device "\w+" .*(?:install|run:|pass)/));
  const chosen = recordOf({ records } as never, "auto")?.["device"];
  expect(listed.filter(({ auto }) => auto).map(({ device }) => device)).toEqual([chosen]);
  expect(listed.find(({ auto }) => auto)?.["available"]).toBe(true);
}, 120_000);

describe.skipIf(!hasNoCard)("without a card", () => {
  test.each([["by default", []] as const, ["with --device auto", ["--device", "auto"]] as const])(
    "a run %s computes on the processor, and says no more than with --device cpu",
    async (title, given) => {
      const name = title.replaceAll(" ", "");
      const shown = async (out: string, ...options: readonly string[]) => {
        const { code, stdout, stderr } = await run("train", "iris", "--epochs", "1", ...options, "--out", out);
        expect(code, stderr).toBe(0);
        return (stdout + stderr).replaceAll(out, "OUT").replace(/\d+(?:\.\d+)? m?s\b|[\d,]+ samples\/s/g, "");
      };
      const words = await shown(name, ...given);
      expect(words).toContain("cpu with");
      expect(words).not.toContain("graphics");
      expect(words.split("\n").length).toBe((await shown(`${name}cpu`, "--device", "cpu")).split("\n").length);
      expect(deviceOf(name)).toBe("cpu");
    },
    60_000,
  );
});

test("a run that goes on keeps its device, and takes another that is named, auto too", async () => {
  const iris = ["train", "iris", "--out", "onward", "--json"];
  const begun = await run(...iris, "--epochs", "1", "--device", "wasm");
  expect(begun.code, begun.stderr).toBe(0);
  expect((await run(...iris, "--resume", "--epochs", "2")).code).toBe(0);
  expect(deviceOf("onward")).toBe("wasm");
  expect((await run(...iris, "--resume", "--epochs", "3", "--device", "auto")).code).toBe(0);
  expect(deviceOf("onward")).not.toBe("auto");
  if (hasNoCard) expect(deviceOf("onward")).toBe("cpu");
  for (const device of deviceChoices.filter((choice) => choice === "auto" || choice === "wasm"))
    expect((await run("eval", "onward", "--device", device, "--json")).code).toBe(0);
}, 120_000);

test.skipIf(cudaHere().isInstalled)(
  "cuda without its provider says what to run, before anything is written",
  async () => {
    const { code, stderr } = await run("train", "iris", "--device", "cuda", "--out", "none");
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /^sardonyx: device "cuda" .*(?:npm rebuild onnxruntime-node|is for Linux on x64).*\[OPTION\]/s,
    );
    expect(existsSync(join(folder, "none"))).toBe(false);
  },
);

test("a profile is of the processor", async () => {
  const { code, stderr } = await run("train", "iris", "--profile", "--device", "webgpu");
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/a profile needs the device cpu/);
});

test.skipIf(!hasSoftwareGpu)(
  "on a card a run says once what the processor computes",
  async () => {
    const { code, records, stderr } = await run(
      "train",
      "iris",
      "--epochs",
      "1",
      "--device",
      "webgpu",
      "--out",
      "card",
      "--json",
    );
    expect(code, stderr).toBe(0);
    const notes = records.filter(({ note }) => String(note).includes("computed by the processor"));
    expect(notes.length).toBe(1);
    expect(notes[0]?.["note"]).toMatch(/^\d+ of \d+ nodes of a step are computed by the processor: \w+ \d+/);
    expect(deviceOf("card")).toBe("webgpu");
  },
  120_000,
);
