/** Watching gradients. */
import type { GradientTransform, Transformed } from "./transform.ts";

/** Reports the Euclidean norm of each parameter's gradient, by path, as it is at its place among the transforms. */
export const gradientNorms = (): GradientTransform => ({
  name: "gradientNorms",
  bind: () => ({
    async apply(gradients, { report }): Promise<Transformed> {
      report(await gradients.norms());
      return "unchanged";
    },
  }),
});
