/** Every class of Keras's layers that is supported, by its name. */
import type { LayerClass } from "./layer.ts";
import { activationClasses } from "./layers/activation.ts";
import { attentionClasses } from "./layers/attention.ts";
import { augmentationClasses, basicClasses } from "./layers/basic.ts";
import { convLstmClasses } from "./layers/conv-lstm.ts";
import { convolutionClasses } from "./layers/convolution.ts";
import { depthwiseClasses } from "./layers/depthwise.ts";
import { einsumClasses } from "./layers/einsum-dense.ts";
import { mergeClasses } from "./layers/merge.ts";
import { normalizationClasses } from "./layers/normalization.ts";
import { poolingClasses } from "./layers/pooling.ts";
import { preprocessingClasses } from "./layers/preprocessing.ts";
import { recurrentClasses } from "./layers/recurrent.ts";
import { shapeClasses } from "./layers/shape.ts";
import { wrapperClasses } from "./layers/wrappers.ts";
import { operationLayer } from "./operations/layers.ts";
import type { LayerConfig } from "./topology.ts";

export const layerClasses: ReadonlyMap<string, LayerClass> = new Map(
  [
    basicClasses,
    augmentationClasses,
    einsumClasses,
    attentionClasses,
    activationClasses,
    convolutionClasses,
    depthwiseClasses,
    poolingClasses,
    normalizationClasses,
    shapeClasses,
    mergeClasses,
    recurrentClasses,
    convLstmClasses,
    preprocessingClasses,
    wrapperClasses,
  ].flatMap((classes) => Object.entries(classes)),
);

/** The class of a layer, or of the function that it stands for; `undefined` for one that is not supported. */
export const layerClassOf = (layer: LayerConfig): LayerClass | undefined =>
  operationLayer(layer) ?? layerClasses.get(layer.className);
