/** Execution on a graphics card in a browser, by the WebGPU build of onnxruntime-web. */
import * as ort from "onnxruntime-web/webgpu";
import { OptionError, RuntimeError } from "../core/errors.ts";
import { createSession, webGpuProvider } from "./ort.ts";
import type { Backend, Session } from "./session.ts";

/** The loss of a card, once it took place; the engine takes no other one in this page. */
let loss: RuntimeError | undefined;

/** Throws OptionError where the browser gives no graphics card, RuntimeError where it was lost. */
async function requireCard(): Promise<void> {
  if (loss) throw loss;
  const { gpu } = globalThis.navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  if (!gpu)
    throw new OptionError(
      'device "webgpu" needs a browser with WebGPU, on a page that is served by https or from this machine; compute on "wasm" here',
    );
  if (!(await gpu.requestAdapter()))
    throw new OptionError(
      'device "webgpu" found no graphics card that this browser lets pages use; update its driver, or compute on "wasm"',
    );
}

/** What is read of a device of WebGPU. */
interface Card {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
}

/** What waits for the card. The engine itself may wait for ever for one that is lost. */
const waiting = new Set<(loss: RuntimeError) => void>();
const watched = new WeakSet<Card>();
/** Milliseconds between what the engine says of a lost card and what the browser says. */
const delay = 100;

/** Looks out for the loss of the card that the engine computes on: another one once it has released all its sessions. */
async function watch(): Promise<void> {
  const card = (await ort.env.webgpu.device) as Card;
  if (watched.has(card)) return;
  watched.add(card);
  void card.lost.then(({ reason, message }) => {
    // The engine gives up a card that has no session any more.
    if (reason === "destroyed") return;
    loss = new RuntimeError(
      `the graphics card was lost in this page${message && ` (${message.replace(/[.]$/, "")})`}; load the page again, or go on with device "wasm" from a checkpoint`,
    );
    for (const refuse of waiting) refuse(loss);
  });
}

/** What the card computes, or its loss. */
function unlessLost<T>(computing: () => Promise<T>): Promise<T> {
  if (loss) return Promise.reject(loss);
  let refuse: (loss: RuntimeError) => void = () => undefined;
  return new Promise<T>((resolve, reject) => {
    refuse = reject;
    waiting.add(refuse);
    // A loss that is the cause refuses within the delay.
    computing().then(resolve, (error: unknown) => setTimeout(() => reject(error), delay));
  }).finally(() => waiting.delete(refuse));
}

export const backend: Backend = {
  device: "webgpu",
  // Browsers do not say how much a card has.
  memory: Number.POSITIVE_INFINITY,
  blocks: false,
  halfSums: "float16",
  async compile(model, _, as = {}) {
    await requireCard();
    const options = {
      executionProviders: [webGpuProvider(as)],
      graphOptimizationLevel: "all",
      logSeverityLevel: as.quiet ? 4 : 3,
    } as const;
    const session = await unlessLost(() => createSession(ort, model, options, { ...as, isDevice: true }));
    await watch();
    return {
      run: (inputs, outputs) => unlessLost(() => session.run(inputs, outputs)),
      // The engine would wait for a card that is lost.
      release: () => (loss ? Promise.resolve() : session.release()),
    } satisfies Session;
  },
};
