/** Data preparation that runs anywhere: datasets, preprocessing, augmentation, formats in memory. */
export * from "./augment.ts";
export type { BatchOptions } from "./batching.ts";
export * from "./boxes.ts";
export { scaleBytes } from "./bytes.ts";
export { Canvas, type Color } from "./canvas.ts";
export { checkFinite, checkLabels } from "./checks.ts";
export { dropDuplicates, dropMissing, dropOutliers, flagOutliers } from "./clean.ts";
export {
  type Batch,
  collect,
  Dataset,
  type EpochOptions,
  fromIndexed,
  fromIterable,
  fromTensors,
  TensorDataset,
} from "./dataset.ts";
export { digitScene, type Scene, type SceneOptions } from "./digit-scenes.ts";
export { readIdx } from "./idx.ts";
export { type IrisTensors, irisClasses, irisFeatures, parseIris } from "./iris.ts";
export { lightOnDark } from "./light-on-dark.ts";
export { logMel, type MelOptions, melOf } from "./mel.ts";
export { encodePng, tilePictures } from "./png.ts";
export * from "./preprocess.ts";
export type { TensorRecord } from "./rows.ts";
export { fitLength, mixDown, resampler } from "./sound.ts";
export { changeSpeed, gain, hiss, type SoundTransform, shiftTime } from "./sound-augment.ts";
export type { Source } from "./source.ts";
export { encodeWav, readWav, type Sound } from "./wav.ts";
