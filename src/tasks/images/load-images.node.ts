/** Images of your own as a task: found, read, in parts, with what is predicted of them. */
import { plural } from "../../core/number-text.ts";
import { Tensor } from "../../core/tensor.ts";
import { imageExtensions } from "../../data/images/image.node.ts";
import { type Dataset, fromIndexed, fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import { gatherRows, rowOf } from "../../data/pipeline/rows.ts";
import type { ImageSize } from "../../finetune/tasks/image-classification.ts";
import type { SampleSplit } from "../shared/feature-rows.ts";
import { findSamples, requireClasses, type SampleRequest } from "../shared/find-samples.node.ts";
import { partSamples } from "../shared/part-samples.ts";
import { lookAtImages, type ReadImage, readImages, readPixels } from "./read-images.node.ts";

/** What images are loaded, and how. */
export interface ImageRequest extends SampleRequest {
  /** Rows and columns of pixels; 0: by the images. */
  readonly side: number;
  /** The size and colours that a base takes; default by the images. */
  readonly extents?: ImageSize | undefined;
}

/** Images that are loaded: samples have x uint8 [channels, height, width]. */
export interface LoadedImages extends SampleSplit {
  readonly extents: ImageSize;
  /** What they were taken for, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Finds the images of a folder or table, reads each once, and parts them. What is learned of the target is learned of the images to train
 * on. Throws FileError or DataError for what cannot be read, and for too few images or classes.
 */
export async function loadImages(request: ImageRequest): Promise<LoadedImages> {
  const { path, seed, side } = request;
  const { files, choice, what, notes } = await findSamples(request, { what: "image", endings: imageExtensions });
  const paths = files.map((own) => own.path);
  const { extents, note } = request.extents ? asBaseTakes(request.extents) : await lookAtImages(paths, side);
  const read = await readImages(paths, extents);
  const images = files.flatMap((own, place) => {
    const image = read.images[place];
    return image ? [{ ...own, ...image, label: choice.classOf?.(own.cells) }] : [];
  });
  const { parts, notes: noted } = partSamples(images, { what: "image", seed });
  const { target, y } = choice.fit(
    images.map(({ cells }) => cells),
    parts.train,
  );
  requireClasses(path, target, y);
  const samplesOf = (places: readonly number[]) => samplesAt(places, images, { y, extents });
  return {
    extents,
    target,
    parts: { train: samplesOf(parts.train), validation: samplesOf(parts.validation), test: samplesOf(parts.test) },
    notes: [
      `${what}: ${plural(parts.train.length, "image")} to train on, ${parts.validation.length} to choose by, ${parts.test.length} to test on`,
      ...notes,
      note,
      ...read.notes,
      ...noted,
    ],
  };
}

/** The size and colours of a base, and what is said of them. */
const asBaseTakes = (extents: ImageSize) => ({
  extents,
  note: `images are brought to ${extents.width} x ${extents.height} pixels, ${extents.channels === 1 ? "grey" : "in colour"}, as the base takes them`,
});

/** Images as samples: from memory, or read when their turn comes. */
function samplesAt(
  places: readonly number[],
  images: readonly ReadImage[],
  { y, extents }: { readonly y: Tensor; readonly extents: ImageSize },
): Dataset<Labelled> {
  const { channels, height, width } = extents;
  const labels = gatherRows(y, places);
  const size = channels * height * width;
  if (images.some(({ bytes }) => bytes === undefined))
    return fromIndexed(places.length, async (index) => ({
      x: await readPixels(images[places[index] as number]?.path ?? "", extents),
      y: rowOf(labels, index),
    }));
  const x = new Uint8Array(places.length * size);
  for (const [i, place] of places.entries()) x.set(images[place]?.bytes as Uint8Array, i * size);
  return fromTensors({ x: new Tensor("uint8", [places.length, channels, height, width], x), y: labels });
}
