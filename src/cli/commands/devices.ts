/** `sardonyx devices`: where graphs can be computed here, how fast, and which of them `auto` takes. */
import { OptionError } from "../../core/errors.ts";
import { chooseDevice } from "../../jit/auto-device.ts";
import { type DeviceRates, measureDevice } from "../../jit/measure-device.ts";
import { type Device, devices } from "../../runtime/session.ts";
import { defineCommand } from "../command.ts";
import { showTable } from "../show-table.ts";

/** Rates of a device, or why it is not there. */
async function ratesOf(device: Device): Promise<DeviceRates | string> {
  try {
    return await measureDevice(device);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
}

const billions = (number: number): string => String(Number((number / 1e9).toPrecision(3)));

export const command = defineCommand({
  arguments: [],
  options: {},
  examples: [
    ["sardonyx devices", "what there is, how fast it multiplies matrices, and what auto takes"],
    ["sardonyx train lenet-mnist --device webgpu", "training on a graphics card"],
    ["sardonyx train lenet-mnist --device cuda", "training on a card of NVIDIA's, by CUDA"],
  ],
  async run({ output }) {
    // Before an engine chooses a driver.
    const chosen = await chooseDevice();
    const rows: string[][] = [];
    const absent: string[] = [];
    for (const device of devices) {
      if (output.terminal) output.warn(`measuring ${device} …`, "soft");
      const isAuto = device === chosen.device;
      const rates = await ratesOf(device);
      if (typeof rates === "string") {
        output.record("device", { device, available: false, auto: isAuto, reason: rates });
        absent.push(rates);
        continue;
      }
      output.record("device", { device, available: true, auto: isAuto, ...rates });
      const { flopsPerSecond, bytesPerSecond } = rates;
      const shown = [`${billions(flopsPerSecond)} GFLOP/s`, `${billions(bytesPerSecond)} GB/s`];
      rows.push([device, ...shown, isAuto ? "auto" : ""]);
    }
    showTable(
      [
        { head: "Device" },
        { head: "Products of matrices", align: "right" },
        { head: "Memory", align: "right" },
        { head: "" },
      ],
      rows,
      output,
    );
    output.record("auto", { ...chosen });
    output.prose(
      `\nauto is ${chosen.device}${chosen.reason === undefined ? ": no graphics card was found" : `: ${chosen.reason}`}.`,
    );
    for (const reason of absent) output.prose(`\n${reason}`);
  },
});
