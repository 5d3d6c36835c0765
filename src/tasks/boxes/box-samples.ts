/** Images with boxes as a detector trains on them: moved and mirrored at random, their boxes with them, and as targets of its anchors. */
import { foldIn, type Key, type Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Box, detectionTargets, type LabelledBox, sharedArea } from "../../data/images/boxes.ts";
import { scaleBytes } from "../../data/images/bytes.ts";
import { paddingLevel } from "../../data/images/padding.ts";
import { type Batch, type Dataset, fromIndexed, type Labelled } from "../../data/pipeline/dataset.ts";

/** An image in its square, and the objects in it in pixels of that. */
export interface BoxSample {
  readonly path: string;
  /** uint8 [channels, side, side]; read when it is asked for, where images are too many for memory. */
  pixels(): Promise<Tensor<"uint8">>;
  readonly truth: readonly LabelledBox[];
  /** Crowds of objects that are not told apart: what lies in them is neither learned nor measured. */
  readonly crowds: readonly LabelledBox[];
}

/** How images with boxes may be changed while they are trained on. */
export const boxChanges = ["none", "moved", "mirrored"] as const;
/** `moved`: a little to a side; `mirrored`: that, and half of them left to right. */
export type BoxChange = (typeof boxChanges)[number];

/** Share of the side by which an image may be moved. */
const mostMoved = 0.12;
/** Share of an object that is to be left in the image. */
const leastLeft = 0.4;

/** An image, its objects and its crowds. */
export type Pictured = Pick<BoxSample, "truth" | "crowds"> & { readonly image: Tensor<"uint8"> };

/** The image and its objects with left and right changed. */
export function mirrored({ image, truth, crowds }: Pictured): Pictured {
  const side = image.shape.at(-1) as number;
  const data = new Uint8Array(image.data.length);
  for (let row = 0; row < data.length; row += side)
    for (let column = 0; column < side; column++) data[row + column] = image.data[row + side - 1 - column] as number;
  const turn = ({ box: [left, top, right, bottom], label }: LabelledBox): LabelledBox => ({
    box: [side - right, top, side - left, bottom],
    label,
  });
  return { image: new Tensor("uint8", image.shape, data), truth: truth.map(turn), crowds: crowds.map(turn) };
}

/** The image moved to the right and down by whole pixels; objects are cut at the edges, those of which little is left go. */
export function moved({ image, truth, crowds }: Pictured, right: number, down: number): Pictured {
  const [channels, height, width] = image.shape as [number, number, number];
  const data = new Uint8Array(image.data.length).fill(paddingLevel);
  const [from, to] = [Math.max(0, right), Math.min(width, width + right)];
  for (let channel = 0; channel < channels; channel++)
    for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
      const source = (channel * height + row - down) * width - right;
      data.set(image.data.subarray(source + from, source + to), (channel * height + row) * width + from);
    }
  const whole: Box = [0, 0, width, height];
  const shift = ({ box, label }: LabelledBox): LabelledBox[] => {
    const own: Box = [box[0] + right, box[1] + down, box[2] + right, box[3] + down];
    if (sharedArea(own, whole) < leastLeft * sharedArea(own, own)) return [];
    return [
      { box: [Math.max(0, own[0]), Math.max(0, own[1]), Math.min(width, own[2]), Math.min(height, own[3])], label },
    ];
  };
  return {
    image: new Tensor("uint8", image.shape, data),
    truth: truth.flatMap(shift),
    crowds: crowds.flatMap(shift),
  };
}

function changed(pictured: Pictured, change: BoxChange, random: Random): Pictured {
  if (change === "none") return pictured;
  const most = Math.round(mostMoved * (pictured.image.shape.at(-1) as number));
  const [right, down] = [random.integer(2 * most + 1) - most, random.integer(2 * most + 1) - most];
  const own = moved(pictured, right, down);
  return change === "mirrored" && random.uniform() < 0.5 ? mirrored(own) : own;
}

/** How batches are made. */
export interface BoxBatchOptions {
  readonly anchors: readonly Box[];
  readonly size: number;
}

/** Batches with x float32 [N, channels, side, side] from 0 to 1 and y [N, anchors, 5], as `detectionTargets` has them. */
export const measuredBatches = (samples: readonly BoxSample[], { anchors, size }: BoxBatchOptions): Dataset<Batch> =>
  fromIndexed(samples.length, async (i): Promise<Labelled> => {
    const { pixels, truth, crowds } = samples[i] as BoxSample;
    return { x: await pixels(), y: detectionTargets(anchors, truth, crowds) };
  })
    .batch(Math.min(size, samples.length), { dropLast: false })
    .map(scaleBytes());

/** Batches of an epoch at least: few images go round several times. */
const leastBatches = 20;

/** The same of images that are changed at random, in a random order, each several times where there are few. */
export function trainedBatches(
  samples: readonly BoxSample[],
  { anchors, size, change, key }: BoxBatchOptions & { readonly change: BoxChange; readonly key: Key },
): Dataset<Batch> {
  const own = Math.min(size, samples.length);
  const rounds = Math.max(1, Math.ceil(leastBatches / Math.floor(samples.length / own)));
  return fromIndexed(rounds * samples.length, async (i): Promise<Pictured> => {
    const { pixels, truth, crowds } = samples[i % samples.length] as BoxSample;
    return { image: await pixels(), truth, crowds };
  })
    .shuffle(foldIn(key, "order"))
    .map(
      (pictured, random): Labelled => {
        const { image, truth } = changed(pictured, change, random);
        return { x: image, y: detectionTargets(anchors, truth) };
      },
      foldIn(key, "changes"),
    )
    .batch(own, { dropLast: true })
    .map(scaleBytes());
}
