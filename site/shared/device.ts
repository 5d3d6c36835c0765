/** What a page computes on: the browser's graphics card or WebAssembly, by itself or as the reader chooses, and what becomes of a card that fails. */
import { type Device, OptionError, pageDevice, RuntimeError } from "sardonyx/web";
import { remember, remembered } from "./choices.ts";
import type { commonTexts, Speaker } from "./language.ts";
import { element } from "./page.ts";

/** What the page computes on. */
export interface PageDevices {
  /**
   * Computes something on the device of now; none other can be chosen meanwhile. Where the graphics card fails, that is said, and `act` is called
   * once more, on WebAssembly, with `isAgain`.
   */
  compute<T>(act: (device: Device, isAgain: boolean) => Promise<T>): Promise<T>;
}

/** How a page chooses by itself. */
export interface DeviceOptions {
  /** The page's networks are so small that WebAssembly is faster; default false. */
  readonly isSmall?: boolean;
}

/** Whether the card failed, rather than what it was to compute. */
const isOfCard = (error: unknown): error is Error =>
  error instanceof RuntimeError || (error instanceof OptionError && error.message.includes('device "webgpu"'));

/** Starts the choice of a page, `#device`, which says in `#on` what computes. */
export function devicesOf(
  { say }: Speaker<keyof typeof commonTexts>,
  { isSmall = false }: DeviceOptions = {},
): PageDevices {
  const [select, on] = [element<HTMLSelectElement>("#device"), element("#on")];
  const stored = remembered("device");
  if (stored === "webgpu" || stored === "wasm") select.value = stored;
  // A card; one of software; none.
  const found = Promise.all([pageDevice(), pageDevice({ software: true })]);
  let failure: string | undefined;

  async function choose(): Promise<Device> {
    const [real, any] = await found;
    const isByHand = select.value === "webgpu";
    const name = real === "webgpu" ? "card" : any === "webgpu" ? "softwareCard" : "noCard";
    const take = (key: keyof typeof commonTexts, device: Device) => {
      say(on, key);
      return device;
    };
    if (failure !== undefined && select.value !== "wasm") {
      say(on, "cardFailed", { message: failure });
      return "wasm";
    }
    if (select.value === "wasm") return take("onWasm", "wasm");
    if (name === "noCard") return take("onWasmNoCard", "wasm");
    if (isByHand) return take(name === "card" ? "onCard" : "onSoftwareCard", "webgpu");
    if (isSmall) return take("onWasmSmall", "wasm");
    return name === "card" ? take("onCard", "webgpu") : take("onWasmSoftware", "wasm");
  }
  select.addEventListener("change", () => {
    remember("device", select.value);
    void choose();
  });
  void choose();

  return {
    async compute(act) {
      const device = await choose();
      select.disabled = true;
      try {
        return await act(device, false);
      } catch (error) {
        if (device !== "webgpu" || !isOfCard(error)) throw error;
        failure = error.message;
        return await act(await choose(), true);
      } finally {
        select.disabled = false;
      }
    },
  };
}
