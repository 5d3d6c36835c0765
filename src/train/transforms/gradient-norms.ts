/** Watching gradients. */
import type { GradientTransform } from "./transform.ts";

/** Reports the Euclidean norm of each parameter's gradient, by path, as it is at its place among the transforms. */
export const gradientNorms = (): GradientTransform => ({
  name: "gradientNorms",
  bind: () => ({
    apply(gradients, { report }) {
      report(gradients.norms());
      return "unchanged";
    },
  }),
});
