/** Names of the axes that a file leaves open, which tell what to pass for them. */

const names: readonly (readonly string[])[] = [
  [],
  ["batch"],
  ["batch", "length"],
  ["batch", "time", "features"],
  ["batch", "height", "width", "channels"],
];

/** By the number of axes, as Keras and TensorFlow order them. */
export const axisNamesOf = (rank: number): readonly string[] => names[rank] ?? [];
