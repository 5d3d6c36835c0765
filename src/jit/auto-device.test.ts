/** What `auto` takes: nothing is tried without a card, a card has to be faster, software is none. */
import { afterEach, expect, test } from "vitest";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { OptionError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { fit, fromTensors, sgd, Trainer } from "../index.ts";
import { dense, meanSquaredError } from "../nn/index.ts";
import { mul } from "../ops/index.ts";
import type { Surroundings } from "../runtime/cards.node.ts";
import type { Device } from "../runtime/session.ts";
import { chooseHere, type Trial, tryDevice } from "./auto-device.node.ts";
import { chooseDevice, resolveDevice } from "./auto-device.ts";
import { jit } from "./jit.ts";

const variable = "VK_LOADER_DRIVERS_DISABLE";
const before = process.env[variable];
afterEach(() => {
  if (before === undefined) delete process.env[variable];
  else process.env[variable] = before;
});

/** A machine on Linux with a card of NVIDIA's, or without one. */
const machine = (hasCard: boolean): Surroundings => ({
  platform: "linux",
  arch: "x64",
  hasCuda: () => true,
  exists: () => hasCard,
  names: () => [],
  text: () => "",
});

/** What trying devices comes to, and which were tried. */
function trials(outcomes: Readonly<Partial<Record<Device, Trial>>>) {
  const tried: Device[] = [];
  const tries = async (device: Device) => {
    tried.push(device);
    return outcomes[device] ?? { obstacle: "it is not there" };
  };
  return { tried, tries };
}

test("without a card nothing is tried, and nothing is said", async () => {
  const { tried, tries } = trials({});
  expect(await chooseHere(machine(false), tries)).toEqual({ device: "cpu" });
  expect(tried).toEqual([]);
  expect(process.env[variable]).toBe(before);
});

test("a card that is faster is taken, with the engine kept from drivers of software", async () => {
  const { tried, tries } = trials({ webgpu: { there: 4e12, here: 1e11 } });
  expect(await chooseHere(machine(true), tries)).toEqual({
    device: "webgpu",
    reason: "the graphics card multiplies 40 times as fast as the processor",
  });
  expect(tried).toEqual(["webgpu"]);
  expect(process.env[variable]).toContain("*lvp*,*swiftshader*");
});

test("where WebGPU found a slow card, CUDA may find a faster one", async () => {
  const { tried, tries } = trials({ webgpu: { there: 1e10, here: 1e11 }, cuda: { there: 1.234e13, here: 1e11 } });
  expect(await chooseHere(machine(true), tries)).toEqual({
    device: "cuda",
    reason: "the graphics card multiplies 120 times as fast as the processor",
  });
  expect(tried).toEqual(["webgpu", "cuda"]);
});

test("a card that is hardly faster is left, and that is no obstacle", async () => {
  const { tries } = trials({ webgpu: { there: 1.5e11, here: 1e11 } });
  expect(await chooseHere(machine(true), tries)).toEqual({
    device: "cpu",
    reason: "the graphics card multiplies 1.5 times as fast as the processor, and is taken from 2 times on",
  });
});

test("CUDA computes where WebGPU cannot", async () => {
  const { tried, tries } = trials({ cuda: { there: 2e13, here: 1e11 } });
  expect(await chooseHere(machine(true), tries)).toMatchObject({ device: "cuda" });
  expect(tried).toEqual(["webgpu", "cuda"]);
});

test("a card that nothing can use is told", async () => {
  const { tries } = trials({ webgpu: { obstacle: "no Vulkan" }, cuda: { obstacle: "no cuDNN" } });
  expect(await chooseHere(machine(true), tries)).toEqual({
    device: "cpu",
    reason: "there is a graphics card, but WebGPU cannot compute on it: no Vulkan",
    isObstructed: true,
  });
});

test("a device is tried in another process, which measures it beside the processor", async () => {
  const trial = await tryDevice("cpu");
  expect(trial).toMatchObject({ there: expect.any(Number), here: expect.any(Number) });
}, 60_000);

test.skipIf(!hasSoftwareGpu)(
  "a program that acts as a card is no card",
  async () => {
    // The driver that other tests name, and compute on.
    expect(process.env["VK_ICD_FILENAMES"]).toContain("swiftshader");
    expect(await tryDevice("webgpu")).toEqual({ obstacle: expect.stringContaining("found no graphics card") });
  },
  60_000,
);

test("a driver that hangs is given up", async () => {
  expect(await tryDevice("cpu", 10)).toEqual({ obstacle: expect.stringMatching(/SIGKILL after 0.01 s/) });
});

test("jit and fit take it; a Trainer says what it needs", async () => {
  const { device } = await chooseDevice();
  expect(await resolveDevice("auto")).toBe(device);
  expect(await resolveDevice(undefined)).toBeUndefined();
  expect((await jit((x: Value) => mul(x, 2), { device: "auto" })(tensor([3]))).toArray()).toEqual([6]);
  const data = fromTensors({ x: tensor([[1], [2]]), y: tensor([[2], [4]]) }).batch(2);
  const options = { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.1 }) };
  const training = { compile: { device: "auto" } } as const;
  const { history } = await fit(dense(1), data, { ...options, epochs: 2, training });
  expect(history.length).toBe(2);
  expect(() => new Trainer(dense(1), { ...options, training })).toThrow(OptionError);
});
