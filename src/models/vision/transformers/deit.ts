/** DeiT: ViT that also learns from a teacher, by a token of its own (Touvron et al. 2021). */
import type { Value } from "../../../graph/ir.ts";
import { type Context, type Dense, Module } from "../../../nn/index.ts";
import { add, mul } from "../../../ops/index.ts";
import { type Architectures, architectures, firstToken, headed } from "../../shared/heads.ts";
import { imageClassifier, tokenAt, VitModel, type VitModelOptions, type VitOptions } from "./vit.ts";

const deit = (options: VitModelOptions) => new VitModel({ ...options, tokens: { distilled: true, ...options.tokens } });

/** The mean of what the class token is told to be, and what the token that learns from a teacher is. */
class TaughtClassifier extends Module {
  readonly deit: VitModel;
  readonly cls_classifier: Dense;
  readonly distillation_classifier: Dense;
  constructor(options: VitOptions, labels?: number) {
    super();
    this.deit = deit({ ...options, pooler: false });
    this.cls_classifier = imageClassifier(options, labels);
    this.distillation_classifier = imageClassifier(options, labels);
  }
  protected call(x: Value, context: Context): Value {
    const { states } = this.deit.apply(x, context);
    const own = this.cls_classifier.apply(tokenAt(states, 0), context);
    return mul(add(own, this.distillation_classifier.apply(tokenAt(states, 1), context)), 0.5);
  }
}

/** DeiT's models by the names of Hugging Face's classes. */
export const deitArchitectures = architectures({
  DeiTModel: (options) => deit(options),
  DeiTForImageClassification: (options, { labels } = {}) =>
    headed({ deit: deit({ ...options, pooler: false }) }, { classifier: imageClassifier(options, labels) }, firstToken),
  DeiTForImageClassificationWithTeacher: (options, { labels } = {}) => new TaughtClassifier(options, labels),
} as const satisfies Architectures<VitOptions>);
