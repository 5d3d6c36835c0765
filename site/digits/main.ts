/** Lets a worker train LeNet on the digits, draws how it learns, and shows what it reads in a drawing. */
import {
  browserStore,
  type Device,
  type EpochResult,
  modelFromOnnx,
  predictor,
  Tensor,
  trainInWorker,
} from "sardonyx/web";
import { type Curve, drawCurves } from "../shared/curves.ts";
import { devicesOf } from "../shared/device.ts";
import { addBatch, byEpoch, meanLosses, offer } from "../shared/earlier.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, percent, siteFile } from "../shared/page.ts";
import { softmax } from "../shared/softmax.ts";
import { centred } from "./centred.ts";
import { digitsOf, nearestMean } from "./data.ts";
import { padOf } from "./pad.ts";
import { texts } from "./texts.ts";
import type { Snapshot, Trained, Wanted } from "./worker.ts";

const speaker = speak(texts);
const { say, words, onChange } = speaker;
const devices = devicesOf(speaker);
const [train, stop, anew] = ["#train", "#stop", "#anew"].map((id) => element<HTMLButtonElement>(id)) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
];
const [state, result, answer] = [element("#state"), element("#result"), element("#answer")];
/** Epochs that a click trains. */
const round = 4;
const storeName = "site-digits";
const store = browserStore(storeName);
const worker = new Worker(new URL("./digits-worker.js", import.meta.url), { type: "module" });
const digits = siteFile("digits.bin").then((file) => ({ file, ...digitsOf(file) }));
// What goes wrong is told where it is awaited.
digits.catch(() => {});

let history: readonly EpochResult[] = [];
let batches: (readonly [number, number])[] = [];
let baseline = Number.NaN;
let epochs = round;

function draw(): void {
  const axis = { across: words("epoch"), domain: [0, Math.max(epochs, history.length)] } as const;
  const losses: Curve[] = [
    { name: words("batches"), points: batches },
    { name: words("test"), points: byEpoch(history, "validation_loss") },
  ];
  drawCurves(element("#loss"), losses, { ...axis, title: words("lossTitle") });
  const rights: Curve[] = [
    { name: words("training"), points: byEpoch(history, "accuracy") },
    { name: words("test"), points: byEpoch(history, "validation_accuracy") },
  ];
  const compared = { name: words("baseline"), dashed: true, points: axis.domain.map((x) => [x, baseline] as const) };
  const all = Number.isNaN(baseline) ? rights : [...rights, compared];
  drawCurves(element("#accuracy"), all, { ...axis, title: words("accuracyTitle"), range: [0.5, 1] });
}

const readerOf = (model: Uint8Array, device: Device) =>
  predictor(modelFromOnnx(model), { snapshot: true, compile: { device, threads: 1 } });
let reader: ReturnType<typeof readerOf> | undefined;

const bars = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement("li");
  const [name, share] = [document.createElement("span"), document.createElement("span")];
  const bar = document.createElement("i");
  name.textContent = `${digit}`;
  row.append(name, bar, share);
  element("#bars").append(row);
  return { row, bar, share };
});

/** Shows probabilities [10] as bars; none clears them. */
function showShares(shares: readonly number[]): void {
  const best = shares.indexOf(Math.max(...shares));
  for (const [digit, { row, bar, share }] of bars.entries()) {
    const own = shares[digit];
    bar.style.width = `${100 * (own ?? 0)}%`;
    share.textContent = own === undefined ? "" : percent(own);
    row.classList.toggle("best", own !== undefined && digit === best);
  }
  if (shares.length > 0) say(answer, "answer", { digit: best, probability: percent(shares[best] ?? 0) });
  else say(answer, reader ? "drawNow" : "noNetwork");
}

/** Strokes come faster than predictions: while one is under way, the last stroke of all waits. */
let [isReading, isWaiting] = [false, false];

async function recognize(): Promise<void> {
  if (isReading) {
    isWaiting = true;
    return;
  }
  isReading = true;
  try {
    do {
      isWaiting = false;
      const seen = centred(pad.drawing());
      showSeen(seen);
      const read = reader;
      if (!seen || !read) {
        showShares([]);
        continue;
      }
      const image = new Tensor(
        "float32",
        [1, 1, 28, 28],
        Float32Array.from(seen, (ink) => ink / 255),
      );
      showShares(softmax(((await read(image)) as Tensor).toNumbers()));
    } while (isWaiting);
  } finally {
    isReading = false;
  }
}

function showSeen(seen: Uint8Array | undefined): void {
  const image = new ImageData(28, 28);
  for (let i = 0; i < 28 * 28; i++) image.data.set([seen?.[i] ?? 0, seen?.[i] ?? 0, seen?.[i] ?? 0, 255], 4 * i);
  element<HTMLCanvasElement>("#seen").getContext("2d")?.putImageData(image, 0, 0);
}

const pad = padOf(element<HTMLCanvasElement>("#pad"), () => void attempt(speaker, recognize));

/** Takes a network of the worker for what is drawn. */
async function take(model: Uint8Array, device: Device): Promise<void> {
  const old = reader;
  reader = readerOf(model, device);
  await recognize();
  await old?.release();
}

/** Trains up to an epoch, or stops before it; what an earlier visit reached is taken up. */
async function trainTo(end: number): Promise<void> {
  epochs = end;
  train.disabled = true;
  anew.hidden = true;
  say(state, "loading");
  try {
    const { file, train: learned, test } = await digits;
    if (Number.isNaN(baseline)) baseline = nearestMean(learned, test);
    draw();
    await devices.compute(async (device) => {
      const wanted: Wanted = { epochs: end, file, store: storeName, device, isRestored: false };
      const show = ({ data }: MessageEvent<Snapshot>) => {
        if (data.kind === "snapshot") void attempt(speaker, () => take(data.model, device));
      };
      worker.addEventListener("message", show);
      const training = trainInWorker<Trained>(worker, wanted, {
        onBatch({ epoch, batch, batchesPerEpoch = 1, loss }) {
          addBatch(batches, epoch + batch / batchesPerEpoch, loss);
          const values = { epoch: epoch + 1, epochs: end, batch, batches: batchesPerEpoch, loss: loss.toFixed(3) };
          say(state, "underWay", values);
          draw();
        },
        onEpoch({ epoch, results }) {
          history = [...history.slice(0, epoch - 1), results];
          sayEpoch();
          draw();
        },
      });
      stop.onclick = () => training.stop();
      stop.disabled = false;
      try {
        const trained = await training.result;
        history = trained.history;
        draw();
        await take(trained.model, device);
      } finally {
        worker.removeEventListener("message", show);
      }
    });
    say(state, history.length < end ? "stopped" : "done");
  } catch (error) {
    say(state, "notYet");
    throw error;
  } finally {
    stop.disabled = true;
    await offerNow();
  }
}

const sayEpoch = () => {
  if (history.length === 0) return say(result, "nothing");
  const right = percent(history.at(-1)?.["validation_accuracy"] ?? 0);
  say(result, "epochDone", { epoch: history.length, accuracy: right, baseline: percent(baseline) });
};

const offerNow = async () => offer(speaker, { train, anew }, (await store.load()) !== undefined);

/** The end of the round that is under way, or of the next one where a round is done. */
const nextEnd = () => round * (Math.floor(history.length / round) + 1);

train.addEventListener("click", () => attempt(speaker, () => trainTo(nextEnd())));
anew.addEventListener("click", () =>
  attempt(speaker, async () => {
    await store.remove();
    [history, batches, epochs] = [[], [], round];
    reader = undefined;
    say(state, "notYet");
    sayEpoch();
    showShares([]);
    draw();
    await offerNow();
  }),
);
element("#clear").addEventListener("click", () => {
  pad.clear();
  showSeen(undefined);
  showShares([]);
});
element("#example").addEventListener("click", () =>
  attempt(speaker, async () => {
    const { test } = await digits;
    const at = Math.floor(Math.random() * test.y.data.length);
    pad.show(test.x.data.subarray(at * 784, (at + 1) * 784), 28);
    await recognize();
  }),
);
onChange(draw);
draw();
showShares([]);

// What an earlier visit reached is there again: its curves, and its network after the epochs that are done.
await attempt(speaker, async () => {
  const saved = await store.load();
  if (!saved) return;
  train.disabled = true;
  say(state, "loading");
  history = saved.history;
  batches = meanLosses(history);
  epochs = nextEnd();
  const { file, train: learned, test } = await digits;
  baseline = nearestMean(learned, test);
  draw();
  if (history.length > 0) {
    await devices.compute(async (device) => {
      const wanted: Wanted = { epochs: history.length, file, store: storeName, device, isRestored: true };
      await take((await trainInWorker<Trained>(worker, wanted).result).model, device);
    });
  }
  await offerNow();
  sayEpoch();
  if (history.length > 0) say(state, "reached", { epochs: history.length });
  else say(state, "stopped");
});
