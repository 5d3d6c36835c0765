/** Lets a worker train networks of some depth on two spirals, and lays over one another what became of them. */
import { trainInWorker } from "sardonyx/web";
import { drawCurves } from "../shared/curves.ts";
import { devicesOf } from "../shared/device.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, percent } from "../shared/page.ts";
import { nearestNeighbour, reach, spirals } from "./spirals.ts";
import { texts } from "./texts.ts";
import type { Look, Wanted } from "./worker.ts";

const speaker = speak(texts);
const { say, words, onChange } = speaker;
const devices = devicesOf(speaker, { isSmall: true });
const buttonOf = (selector: string) => element<HTMLButtonElement>(selector);
const [train, stop, clear] = [buttonOf("#train"), buttonOf("#stop"), buttonOf("#clear")];
const [depth, activation] = [element<HTMLInputElement>("#depth"), element<HTMLSelectElement>("#activation")];
const [width, gain] = [element<HTMLSelectElement>("#width"), element<HTMLSelectElement>("#gain")];
const [residual, normalized] = [element<HTMLInputElement>("#residual"), element<HTMLInputElement>("#normalized")];
const state = element("#state");
const worker = new Worker(new URL("./depth-worker.js", import.meta.url), { type: "module" });

const epochs = 30;
/** Units of a layer of which nothing is said. */
const usualWidth = 16;
/** Networks whose curves are kept; there are as many colours. */
const mostRuns = 5;
/** The training points, which are drawn, and the baseline of the held-out ones. */
const points = spirals(800, 1);
const baseline = nearestNeighbour(points, spirals(400, 2));

/** A network that was trained, or is. */
interface Run {
  readonly wanted: Omit<Wanted, "device">;
  /** Epochs, and the share of held-out points that are right. */
  readonly right: (readonly [number, number])[];
  /** Norms by layer, of the last epoch. */
  norms: readonly number[];
}
let runs: Run[] = [];

function nameOf({ depth: layers, width: units, gain: factor, activation: own, ...more }: Run["wanted"]): string {
  const name = words(layers === 1 ? "oneLayer" : "layers", { depth: layers, activation: own });
  return [
    name,
    ...(units === usualWidth ? [] : [words("withUnits", { width: units })]),
    ...(factor === 1 ? [] : [words("withGain", { gain: factor })]),
    ...(more.isResidual ? [words("withShortcuts")] : []),
    ...(more.isNormalized ? [words("withNorm")] : []),
  ].join(", ");
}

function draw(): void {
  const compared = { name: words("baseline"), dashed: true, points: [0, epochs].map((x) => [x, baseline] as const) };
  const curves = runs.map(({ wanted, right }) => ({ name: nameOf(wanted), points: right }));
  const axis = { across: words("epoch"), domain: [0, epochs], range: [0.4, 1] } as const;
  drawCurves(element("#accuracy"), [...curves, compared], { ...axis, title: words("accuracyTitle") });
  const norms = runs.map((run) => ({
    name: nameOf(run.wanted),
    points: run.norms.map((norm, i) => [i + 1, norm] as const),
  }));
  const most = Math.max(2, ...runs.map((run) => run.norms.length));
  const options = { title: words("normsTitle"), across: words("layer"), domain: [1, most], log: true } as const;
  drawCurves(element("#norms"), norms, options);
}

/** Colours of both spirals, told apart also by those who see red and green alike. */
const [first, second] = [
  [230, 159, 0],
  [0, 114, 178],
] as const;

/** Draws the probability of the second spiral at `side` × `side` points as colours, and the points over it. */
function drawPlane(plane?: Float32Array): void {
  const canvas = element<HTMLCanvasElement>("#plane");
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { width } = canvas;
  pen.fillStyle = "#808080";
  pen.fillRect(0, 0, width, width);
  if (plane) {
    const side = Math.sqrt(plane.length);
    const image = new ImageData(side, side);
    for (const [i, share] of plane.entries()) {
      const mixed = first.map((own, colour) => own + share * ((second[colour] ?? 0) - own));
      // Paler than the points.
      image.data.set([...mixed.map((own) => 0.55 * own + 0.45 * 255), 255], 4 * i);
    }
    const small = new OffscreenCanvas(side, side);
    small.getContext("2d")?.putImageData(image, 0, 0);
    pen.drawImage(small, 0, 0, width, width);
  }
  for (const [i, own] of points.y.entries()) {
    const [x = 0, y = 0] = [points.x[2 * i], points.x[2 * i + 1]];
    pen.beginPath();
    pen.arc(((x + reach) / (2 * reach)) * width, ((reach - y) / (2 * reach)) * width, 2.5, 0, 2 * Math.PI);
    pen.fillStyle = `rgb(${own === 0 ? first : second})`;
    pen.fill();
    pen.strokeStyle = own === 0 ? "#5c4000" : "#ffffff";
    pen.lineWidth = 0.7;
    pen.stroke();
  }
}

worker.addEventListener("message", ({ data }: MessageEvent<Look>) => {
  if (data.kind !== "look") return;
  drawPlane(data.plane);
  const run = runs.at(-1);
  if (run) run.norms = data.norms;
});

async function trainOne(): Promise<void> {
  const wanted: Run["wanted"] = {
    depth: Number(depth.value),
    width: Number(width.value),
    gain: Number(gain.value),
    isResidual: residual.checked,
    isNormalized: normalized.checked,
    activation: activation.value as Wanted["activation"],
    epochs,
  };
  const run: Run = { wanted, right: [], norms: [] };
  runs = [...runs.slice(-(mostRuns - 1)), run];
  train.disabled = true;
  clear.disabled = true;
  say(state, "loading");
  const tell = (key: "underWay" | "done") => {
    const right = percent(run.right.at(-1)?.[1] ?? 0);
    const values = { name: nameOf(wanted), epoch: run.right.length, epochs, right, baseline: percent(baseline) };
    say(state, key, values);
  };
  try {
    await devices.compute(async (device) => {
      run.right.length = 0;
      const training = trainInWorker<undefined>(worker, { ...wanted, device } satisfies Wanted, {
        onEpoch({ epoch, results }) {
          run.right.push([epoch, results["validation_accuracy"] ?? Number.NaN]);
          tell("underWay");
          draw();
        },
      });
      stop.onclick = () => training.stop();
      stop.disabled = false;
      await training.result;
    });
    tell("done");
  } catch (error) {
    say(state, "notYet");
    throw error;
  } finally {
    train.disabled = false;
    stop.disabled = true;
    clear.disabled = false;
  }
}

train.addEventListener("click", () => attempt(speaker, trainOne));
clear.addEventListener("click", () => {
  runs = [];
  clear.disabled = true;
  say(state, "notYet");
  draw();
  drawPlane();
});
depth.addEventListener("input", () => {
  element("#layers").textContent = depth.value;
});
onChange(draw);
draw();
drawPlane();
