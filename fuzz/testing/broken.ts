/** A reader that does everything that readers must not do, to test what is found of it. */
import { FileError, InternalError } from "../../src/core/errors.ts";
import { type Input, readAll, type Target } from "../target.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const kept: Uint8Array[] = [];

/** What is done at each input. */
const deeds: Readonly<Record<string, () => unknown>> = {
  read: () => undefined,
  refused: () => {
    throw new FileError("file: it is cut off; get it again");
  },
  crash: () => readAll(() => JSON.parse("{")),
  defect: () => {
    throw new InternalError("a rule is missing");
  },
  message: () => {
    const error = new FileError("file: it is cut off");
    error.message += "!".repeat(2000);
    throw error;
  },
  stray: () => void Promise.reject(new Error("nobody waits for this")),
  memory: () => {
    for (let i = 0; i < 2; i++) kept.push(new Uint8Array(1e8).fill(i));
  },
  hang: () => {
    for (;;) if (kept.length > 1e9) return;
  },
  death: () => process.kill(process.pid, "SIGKILL"),
};

/** Its inputs are the names of what it does. */
export const targets: readonly Target[] = [
  {
    name: "broken",
    reads: "names of defects",
    seeds: () => Object.keys(deeds).map((name) => ({ deed: utf8(name) })),
    mutations: [],
    read: (input: Input) => deeds[input.text("deed")]?.(),
  },
];
