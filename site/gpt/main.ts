/** Lets a worker train a GPT on a text, shows what it would write as it learns, and lets it write. */
import { browserStore, browserValue, trainInWorker } from "sardonyx/web";
import { drawCurves } from "../shared/curves.ts";
import { devicesOf } from "../shared/device.ts";
import { addBatch, byEpoch, meanLosses, offer } from "../shared/earlier.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, siteFile } from "../shared/page.ts";
import { texts } from "./texts.ts";
import type { Trained, TrainWanted, WriteWanted, Written } from "./worker.ts";

const speaker = speak(texts);
const { say, words, onChange } = speaker;
const devices = devicesOf(speaker);
const buttonOf = (selector: string) => element<HTMLButtonElement>(selector);
const [train, stop, anew, go] = [buttonOf("#train"), buttonOf("#stop"), buttonOf("#anew"), buttonOf("#go")];
const [text, written] = [element<HTMLTextAreaElement>("#text"), element("#written")];
const [prompt, temperature] = [element<HTMLInputElement>("#prompt"), element<HTMLInputElement>("#temperature")];
const state = element("#state");
const worker = new Worker(new URL("./gpt-worker.js", import.meta.url), { type: "module" });

const storeName = "site-gpt";
const store = browserStore(storeName);
/** The text of the checkpoint. */
const storedText = browserValue<string>("site-gpt-text");

/** Epochs that a click trains. */
const round = 10;
/** The fewest characters that give batches of all parts. */
const shortest = 3000;
/** Samples that are shown. */
const mostSamples = 5;
let epochs = round;
/** The text that was trained on, and for how many epochs. */
let [trained, reached] = ["", 0];
let batches: (readonly [number, number])[] = [];
let held: (readonly [number, number])[] = [];

function draw(): void {
  const curves = [
    { name: words("batches"), points: batches },
    { name: words("validation"), points: held },
  ];
  drawCurves(element("#loss"), curves, { title: words("lossTitle"), across: words("epoch"), domain: [0, epochs] });
}

worker.addEventListener("message", ({ data }: MessageEvent<Written>) => {
  if (data.kind === "more") written.textContent += data.text;
  if (data.kind !== "sample") return;
  const sample = Object.assign(document.createElement("li"), { textContent: data.text });
  const samples = element("#samples");
  samples.prepend(sample);
  samples.children[mostSamples]?.remove();
});

function setBusy(isBusy: boolean): void {
  for (const button of [train, anew]) button.disabled = isBusy;
  go.disabled = isBusy || reached === 0;
  text.readOnly = isBusy;
}

const inBits = (points: readonly (readonly [number, number])[]) =>
  points.map(([at, loss]) => [at, loss / Math.LN2] as const);

/** Trains up to the epochs of now, or takes up the network of an earlier visit, and says what it comes to. */
async function run(isRestored: boolean): Promise<void> {
  await devices.compute(async (device) => {
    const wanted: TrainWanted = { kind: "train", text: trained, epochs, store: storeName, device, isRestored };
    const training = trainInWorker<Trained>(worker, wanted, {
      onBatch({ epoch, batch, batchesPerEpoch = 1, loss }) {
        const bits = loss / Math.LN2;
        addBatch(batches, epoch + batch / batchesPerEpoch, bits);
        const values = { epoch: epoch + 1, epochs, batch, batches: batchesPerEpoch, bits: bits.toFixed(2) };
        say(state, "underWay", values);
        draw();
      },
      onEpoch({ epoch, results }) {
        addBatch(held, epoch, (results["validation_loss"] ?? Number.NaN) / Math.LN2);
        draw();
      },
    });
    stop.onclick = () => training.stop();
    stop.disabled = isRestored;
    const { epochs: done, test, nGram } = await training.result;
    // Of an epoch that was stopped in its middle there is a network too.
    reached = Math.max(done, 1);
    say(element("#result"), "result", { epochs: done, test: test.toFixed(2), nGram: nGram.toFixed(2) });
    if (isRestored) say(state, "reached", { epochs: done });
    else say(state, done < epochs ? "stopped" : "done");
  });
}

/** Trains for a round more, or anew where the text is another. */
async function trainOn(isNew: boolean): Promise<void> {
  const { length } = text.value;
  // Before anything of an earlier text is lost.
  if (length < shortest) throw new Error(words("tooShort", { length, shortest }));
  setBusy(true);
  say(state, "loading");
  try {
    if (isNew) {
      [batches, held, reached] = [[], [], 0];
      element("#samples").replaceChildren();
      say(element("#result"), "nothing");
      // In this order: a page that is closed in between leaves no checkpoint of another text.
      await store.remove();
      await storedText.save(text.value);
    }
    epochs = round * (Math.floor(reached / round) + 1);
    draw();
    trained = text.value;
    await run(false);
    offer(speaker, { train, anew }, true);
  } catch (error) {
    trained = "";
    say(state, "notYet");
    throw error;
  } finally {
    stop.disabled = true;
    setBusy(false);
  }
}

train.addEventListener("click", () => attempt(speaker, () => trainOn(text.value !== trained)));
anew.addEventListener("click", () => attempt(speaker, () => trainOn(true)));
text.addEventListener("input", () => say(train, text.value === trained ? "goOn" : "train"));
temperature.addEventListener("input", () => {
  element("#degree").textContent = Number(temperature.value).toFixed(1);
});
go.addEventListener("click", () =>
  attempt(speaker, async () => {
    setBusy(true);
    written.textContent = prompt.value;
    try {
      const own = { prompt: prompt.value, temperature: Number(temperature.value), length: 400 };
      const wanted: WriteWanted = { kind: "write", ...own };
      await trainInWorker<undefined>(worker, wanted).result;
    } finally {
      setBusy(false);
    }
  }),
);
onChange(draw);
draw();

/** What an earlier visit reached is there again: its text, its curves, and its network after the epochs that are done. */
async function restore(): Promise<boolean> {
  const [saved, own] = [await store.load(), await storedText.load()];
  if (!saved || own === undefined) return false;
  const { history } = saved;
  [text.value, trained] = [own, own];
  reached = history.length;
  batches = inBits(meanLosses(history));
  held = inBits(byEpoch(history, "validation_loss"));
  epochs = round * Math.max(1, Math.ceil(reached / round));
  draw();
  if (reached === 0) {
    say(state, "stopped");
    return true;
  }
  setBusy(true);
  say(state, "loading");
  try {
    const shown = epochs;
    epochs = reached;
    await run(true);
    epochs = shown;
  } finally {
    setBusy(false);
  }
  return true;
}

await attempt(speaker, async () => {
  const book = new TextDecoder().decode(await siteFile("moby-dick.txt"));
  let isThere = false;
  try {
    isThere = await restore();
  } finally {
    if (!isThere) {
      text.value ||= book;
      [trained, reached] = ["", 0];
    }
    offer(speaker, { train, anew }, isThere);
  }
});
