/** Lets a worker train, and draws what the network says of each point of the plane. */
import { trainInWorker } from "sardonyx/web";
import type { Wanted } from "./worker.ts";

function element<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const [train, stop] = [element<HTMLButtonElement>("#train"), element<HTMLButtonElement>("#stop")];
const state = element<HTMLOutputElement>("#state");
const pen = element<HTMLCanvasElement>("#plane").getContext("2d");
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

const side = 64;
/** The middle of each pixel, between -4 and 4: [pixels, 2]. */
const points = Float32Array.from({ length: 2 * side * side }, (_, i) => {
  const pixel = i >> 1;
  return (8 * ((i % 2 === 0 ? pixel % side : Math.floor(pixel / side)) + 0.5)) / side - 4;
});

/** Draws scores [pixels, 2] as colours, mixed by their probabilities. */
function draw(scores: Float32Array): void {
  const image = new ImageData(side, side);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const share = 1 / (1 + Math.exp((scores[2 * pixel] ?? 0) - (scores[2 * pixel + 1] ?? 0)));
    image.data.set([230 - 200 * share, 90 + 60 * share, 60 + 150 * share, 255], 4 * pixel);
  }
  pen?.putImageData(image, 0, 0);
}

train.addEventListener("click", async () => {
  train.disabled = true;
  const wanted: Wanted = { epochs: 60, points };
  const training = trainInWorker<Float32Array>(worker, wanted, {
    onEpoch({ epoch, epochs, results: { loss = 0, accuracy: right = 0 } }) {
      state.textContent = `Epoch ${epoch} of ${epochs}: loss ${loss.toFixed(3)}, ${(100 * right).toFixed(1)} % right`;
    },
  });
  stop.onclick = () => training.stop();
  stop.disabled = false;
  try {
    draw(await training.result);
    state.textContent += ". Trained.";
  } catch (error) {
    state.textContent = (error as Error).message;
  }
  [train.disabled, stop.disabled] = [false, true];
});
