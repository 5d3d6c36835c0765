/** Lets a worker train a GPT on a text, shows what it would write as it learns, and lets it write. */
import { trainInWorker } from "sardonyx/web";
import { drawCurves } from "../shared/curves.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, siteFile } from "../shared/page.ts";
import { texts } from "./texts.ts";
import type { Trained, TrainWanted, WriteWanted, Written } from "./worker.ts";

const speaker = speak(texts);
const { say, words, onChange } = speaker;
const buttonOf = (selector: string) => element<HTMLButtonElement>(selector);
const [train, stop, anew, go] = [buttonOf("#train"), buttonOf("#stop"), buttonOf("#anew"), buttonOf("#go")];
const [text, written] = [element<HTMLTextAreaElement>("#text"), element("#written")];
const [prompt, temperature] = [element<HTMLInputElement>("#prompt"), element<HTMLInputElement>("#temperature")];
const state = element("#state");
const worker = new Worker(new URL("./gpt-worker.js", import.meta.url), { type: "module" });

/** Epochs that a click trains. */
const round = 10;
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

/** Trains for a round more, or anew where the text is another. */
async function trainOn(isNew: boolean): Promise<void> {
  if (isNew) {
    [batches, held, reached] = [[], [], 0];
    element("#samples").replaceChildren();
    say(element("#result"), "nothing");
  }
  epochs = round * (Math.floor(reached / round) + 1);
  setBusy(true);
  say(state, "loading");
  draw();
  try {
    const wanted: TrainWanted = { kind: "train", text: text.value, epochs, isNew };
    const training = trainInWorker<Trained>(worker, wanted, {
      onBatch({ epoch, batch, batchesPerEpoch = 1, loss }) {
        const bits = loss / Math.LN2;
        batches.push([epoch + batch / batchesPerEpoch, bits]);
        const values = { epoch: epoch + 1, epochs, batch, batches: batchesPerEpoch, bits: bits.toFixed(2) };
        say(state, "underWay", values);
        draw();
      },
      onEpoch({ epoch, results }) {
        held.push([epoch, (results["validation_loss"] ?? Number.NaN) / Math.LN2]);
        draw();
      },
    });
    stop.onclick = () => training.stop();
    stop.disabled = false;
    trained = text.value;
    const { epochs: done, test, nGram } = await training.result;
    // Of an epoch that was stopped in its middle there is a network too.
    reached = Math.max(done, 1);
    say(element("#result"), "result", { epochs: done, test: test.toFixed(2), nGram: nGram.toFixed(2) });
    say(state, done < epochs ? "stopped" : "done");
    say(train, "goOn");
    anew.hidden = false;
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
await attempt(speaker, async () => {
  text.value = new TextDecoder().decode(await siteFile("moby-dick.txt"));
  train.disabled = false;
});
