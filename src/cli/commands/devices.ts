/** `sardonyx devices`: where graphs can be computed here, and how fast. */
import { OptionError } from "../../core/errors.ts";
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
    ["sardonyx devices", "what there is, and how fast it multiplies matrices"],
    ["sardonyx train lenet-mnist --device webgpu", "training on a graphics card"],
  ],
  async run({ output }) {
    const rows: string[][] = [];
    const absent: string[] = [];
    for (const device of devices) {
      if (output.terminal) output.warn(`measuring ${device} …`, "soft");
      const rates = await ratesOf(device);
      if (typeof rates === "string") {
        output.record("device", { device, available: false, reason: rates });
        absent.push(rates);
        continue;
      }
      output.record("device", { device, available: true, ...rates });
      rows.push([device, `${billions(rates.flopsPerSecond)} GFLOP/s`, `${billions(rates.bytesPerSecond)} GB/s`]);
    }
    showTable(
      [{ head: "Device" }, { head: "Products of matrices", align: "right" }, { head: "Memory", align: "right" }],
      rows,
      output,
    );
    for (const reason of absent) output.prose(`\n${reason}`);
  },
});
