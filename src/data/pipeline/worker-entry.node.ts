/** The worker's side of `inWorker`: makes the dataset that its module describes, and sends elements ahead of their use. */
import { parentPort, workerData } from "node:worker_threads";
import { DataError, InternalError, OptionError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { copyOf, Tensor } from "../../core/tensor.ts";
import { Dataset } from "./dataset.ts";
import { type FromWorker, packError, type SentTensor, type ToWorker, type WorkerSetup } from "./worker-messages.ts";

if (parentPort === null) throw new InternalError("worker-entry runs in a worker thread only");
const port = parentPort;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** The dataset of the module's default export. */
async function makeDataset({ module, options }: WorkerSetup): Promise<Dataset<unknown>> {
  const { default: make } = (await import(module)) as { readonly default?: unknown };
  if (typeof make !== "function")
    throw new OptionError(`inWorker(): ${module} has no default export, expected a function (options) => Dataset`);
  const dataset: unknown = await make(options);
  if (!(dataset instanceof Dataset))
    throw new OptionError(
      `inWorker(): the default export of ${module} returned no Dataset; return one, made by fromTensors or the like`,
    );
  return dataset;
}

/** A batch ready to travel. Arrays that only this element holds are handed over; others, such as a cache's, are copied. */
function packElement(element: unknown, fresh: boolean): [Record<string, SentTensor>, ArrayBuffer[]] {
  const transfer = new Set<ArrayBuffer>();
  const tensors = Object.entries(element as Record<string, unknown>).map(([name, t]): [string, SentTensor] => {
    if (!(t instanceof Tensor))
      throw new DataError(`inWorker(): "${name}" of an element is no tensor; map the elements to tensors`);
    if (t.data.length !== size(t.shape))
      throw new DataError(
        `inWorker(): the array of "${name}" was handed over with an earlier batch; map() must make new arrays`,
      );
    const whole = fresh && t.data.byteLength === t.data.buffer.byteLength;
    const data = whole ? t.data : copyOf(t).data;
    transfer.add(data.buffer as ArrayBuffer);
    return [name, { dtype: t.dtype, shape: t.shape, data }];
  });
  return [Object.fromEntries(tensors), [...transfer]];
}

let credit = 0;
let creditArrived = () => {};

async function sendEpoch(dataset: Dataset<unknown>, order: Extract<ToWorker, { kind: "epoch" }>): Promise<void> {
  credit = order.credit;
  const { skip, stride } = order;
  for await (const element of dataset.epoch(order.epoch, { skip, stride })) {
    const [tensors, transfer] = packElement(element, dataset.source.fresh ?? false);
    send({ kind: "element", tensors }, transfer);
    credit--;
    while (credit <= 0) await new Promise<void>((resolve) => (creditArrived = resolve));
  }
  send({ kind: "end" });
}

const fail = (error: unknown) => send({ kind: "error", error: packError(error) });

try {
  const dataset = await makeDataset(workerData as WorkerSetup);
  port.on("message", (message: ToWorker) => {
    if (message.kind === "epoch") sendEpoch(dataset, message).catch(fail);
    else {
      credit++;
      creditArrived();
    }
  });
  send({ kind: "ready", length: dataset.length });
} catch (error) {
  fail(error);
}
