/** RoBERTa: BERT trained longer, whose positions count from the padding token's number (Liu et al. 2019). */
import type { Value } from "../../../graph/ir.ts";
import { activation, type Context, type Dense, dense, dropout, layerNorm, Module } from "../../../nn/index.ts";
import { tanh } from "../../../ops/index.ts";
import {
  type Architectures,
  architectures,
  classifier,
  firstToken,
  type HeadOptions,
  headed,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { initial } from "../../shared/tokens.ts";
import { BertModel, type BertOptions, bertDefaults } from "./bert.ts";

/** As BERT's, without the choice of a pooler; the padding token is 1 by default. */
export type RobertaOptions = Omit<BertOptions, "pooler">;

const model = (options: RobertaOptions, pooler: boolean) => new BertModel({ padding: 1, ...options, pooler });

/** The first token's state through a hidden layer: [N, W] → [N, labels]. */
class RobertaClassificationHead extends Module {
  readonly dense: Dense;
  readonly dropout: Module;
  readonly out_proj: Dense;
  constructor(options: RobertaOptions, { labels = 2, dropout: rate = options.details?.dropout ?? 0.1 }: HeadOptions) {
    super();
    const initializer = initial(options.details?.deviation);
    this.dense = dense(options.sizes.width, { initializer });
    this.dropout = dropout(rate);
    this.out_proj = dense(labels, { initializer });
  }
  protected call(x: Value, context: Context): Value {
    const hidden = tanh(this.dense.apply(this.dropout.apply(x, context), context));
    return this.out_proj.apply(this.dropout.apply(hidden, context), context);
  }
}

/** RoBERTa's models by the names of Hugging Face's classes. */
export const robertaArchitectures = architectures({
  RobertaModel: (options) => model(options, true),
  RobertaForMaskedLM: (options, { tied } = {}) => {
    const roberta = model(options, false);
    const { width, deviation, epsilon } = bertDefaults(options);
    const steps = {
      dense: dense(width, { initializer: initial(deviation) }),
      activation: activation("gelu"),
      layer_norm: layerNorm({ epsilon }),
    };
    return headed({ roberta }, { lm_head: new VocabularyHead(roberta.embeddings.word_embeddings, steps, tied) });
  },
  RobertaForSequenceClassification: (options, head = {}) =>
    headed(
      { roberta: model(options, false) },
      { classifier: new RobertaClassificationHead(options, head) },
      firstToken,
    ),
  RobertaForTokenClassification: (options, head = {}) =>
    headed({ roberta: model(options, false) }, classifier(options.details, head)),
  RobertaForQuestionAnswering: (options) =>
    headed({ roberta: model(options, false) }, questionAnswering(options.details)),
} as const satisfies Architectures<RobertaOptions>);
