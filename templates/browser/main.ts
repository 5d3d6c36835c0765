/** Trains in the page, and draws what the network says of each point of the plane. */
import {
  accuracy,
  adam,
  type Callback,
  crossEntropy,
  dense,
  fit,
  fromTensors,
  keyOf,
  predictor,
  Random,
  sequential,
  Tensor,
} from "sardonyx";

function element<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const button = element<HTMLButtonElement>("#train");
const state = element<HTMLOutputElement>("#state");
const pen = element<HTMLCanvasElement>("#plane").getContext("2d");

/** Points of two spirals in turns, with some noise: x [points, 2], y [points]. */
function spirals(points: number) {
  const random = new Random(keyOf(1));
  const x = new Float32Array(2 * points);
  const y = Int32Array.from({ length: points }, (_, i) => i % 2);
  for (let i = 0; i < points; i++) {
    const turn = random.uniform(0.5, 3);
    const angle = turn * Math.PI + (i % 2) * Math.PI;
    x[2 * i] = turn * Math.cos(angle) + 0.1 * random.normal();
    x[2 * i + 1] = turn * Math.sin(angle) + 0.1 * random.normal();
  }
  return fromTensors({ x: new Tensor("float32", [points, 2], x), y: new Tensor("int32", [points], y) });
}

const side = 64;
/** The middle of each pixel, between -4 and 4: [pixels, 2]. */
const grid = new Tensor(
  "float32",
  [side * side, 2],
  Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const pixel = i >> 1;
    return (8 * ((i % 2 === 0 ? pixel % side : Math.floor(pixel / side)) + 0.5)) / side - 4;
  }),
);

/** Draws scores [pixels, 2] as colours, mixed by their probabilities. */
function draw(scores: Tensor): void {
  const numbers = scores.toNumbers();
  const image = new ImageData(side, side);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const share = 1 / (1 + Math.exp((numbers[2 * pixel] ?? 0) - (numbers[2 * pixel + 1] ?? 0)));
    image.data.set([230 - 200 * share, 90 + 60 * share, 60 + 150 * share, 255], 4 * pixel);
  }
  pen?.putImageData(image, 0, 0);
}

async function train(): Promise<void> {
  button.disabled = true;
  const model = sequential([dense(32, { activation: "tanh" }), dense(32, { activation: "tanh" }), dense(2)]);
  const showing: Callback = {
    name: "showing",
    async onEpoch({ epoch }, { loss = 0, accuracy: right = 0 }) {
      state.textContent = `Epoch ${epoch}: loss ${loss.toFixed(3)}, ${(100 * right).toFixed(1)} % right`;
      // The page gets its turn to draw.
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
  await fit(model, spirals(1000).shuffle(keyOf(2)).batch(50), {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    metrics: [accuracy()],
    epochs: 60,
    callbacks: [showing],
  });
  draw((await predictor(model)(grid)) as Tensor);
  state.textContent += ". Trained.";
  button.disabled = false;
}

button.addEventListener("click", () => {
  train().catch((error: Error) => {
    state.textContent = error.message;
  });
});
