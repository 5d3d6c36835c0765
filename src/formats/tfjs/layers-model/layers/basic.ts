/** Keras's dense layers, embeddings and regularization. */
import { z } from "zod";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { cast } from "../../../../ops/index.ts";
import { count, rate } from "../../../families/config-fields.ts";
import { elementwise } from "../../channels.ts";
import { activation, toggle } from "../config.ts";
import { defineLayer, type LayerClasses, plainLayer } from "../layer.ts";

/** Takes floats too, as Keras does: they are cut to whole numbers. */
class Embedding extends nn.Embedding {
  protected override call(x: Value, context: nn.Context): Value {
    return super.call(cast(x, "int32"), context);
  }
}

class Dropout extends nn.Dropout {
  protected override call(x: Value, context: nn.Context): Value {
    return elementwise((value: Value) => super.call(value, context), x);
  }
}

/** What changes its input while training only, in a way that is left out here. */
class Noise extends nn.Module {
  override readonly kind = "regularization";
  protected call(x: Value): Value {
    return x;
  }
}

/** SpatialDropout drops whole channels, at the same rate as Dropout drops elements. */
const dropout = plainLayer(z.object({ rate: rate() }), ({ rate: own }) => new Dropout(own));
const noise = plainLayer(z.object({}), () => new Noise());

export const basicClasses: LayerClasses = {
  Dense: defineLayer(
    z.object({ units: count(), use_bias: toggle(true), activation }),
    ({ units, use_bias, activation: apply }) => ({
      module: nn.dense(units, { bias: use_bias, activation: (y) => apply(y, -1) }),
      weights: { weight: { name: "kernel", axes: [1, 0] }, bias: { name: "bias" } },
    }),
  ),
  Embedding: defineLayer(
    z.object({ input_dim: count(), output_dim: count(), mask_zero: toggle(false) }),
    ({ input_dim, output_dim, mask_zero }) => ({
      module: new Embedding(input_dim, output_dim),
      weights: { weight: { name: "embeddings" } },
      ...(mask_zero && { note: "masks index 0, which the following layers ignore here" }),
    }),
  ),
  Dropout: dropout,
  SpatialDropout1D: dropout,
  SpatialDropout2D: dropout,
  GaussianDropout: noise,
  GaussianNoise: noise,
  AlphaDropout: noise,
  ActivityRegularization: noise,
};
