/** Every class of Keras's layers that is supported, by its name. */
import type { LayerClass } from "./layer.ts";
import { activationClasses } from "./layers/activation.ts";
import { basicClasses } from "./layers/basic.ts";
import { convolutionClasses } from "./layers/convolution.ts";
import { mergeClasses } from "./layers/merge.ts";
import { normalizationClasses } from "./layers/normalization.ts";
import { poolingClasses } from "./layers/pooling.ts";
import { recurrentClasses } from "./layers/recurrent.ts";
import { shapeClasses } from "./layers/shape.ts";
import { wrapperClasses } from "./layers/wrappers.ts";

export const layerClasses: ReadonlyMap<string, LayerClass> = new Map(
  [
    basicClasses,
    activationClasses,
    convolutionClasses,
    poolingClasses,
    normalizationClasses,
    shapeClasses,
    mergeClasses,
    recurrentClasses,
    wrapperClasses,
  ].flatMap((classes) => Object.entries(classes)),
);
