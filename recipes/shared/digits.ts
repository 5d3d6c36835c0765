/** Images of 28x28 grey pixels, as networks take them. */

/** Types of a network's inputs, and the format of files. */
export const greyImages = {
  inputs: { dtype: "float32", shape: [1, 1, 28, 28] },
  format: { image: { height: 28, width: 28, channels: 1 } },
} as const;
