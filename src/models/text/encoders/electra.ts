/** ELECTRA (Clark et al. 2020): BERT with narrow embeddings, trained to tell which tokens were replaced. */
import type { Value } from "../../../graph/ir.ts";
import { activation, type Context, type Dense, dense, layerNorm, Module } from "../../../nn/index.ts";
import { reshape } from "../../../ops/index.ts";
import { chain } from "../../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  classifier,
  firstToken,
  HiddenClassifier,
  headed,
  questionAnswering,
  VocabularyHead,
} from "../../shared/heads.ts";
import { initial } from "../../shared/tokens.ts";
import { BertModel, type BertOptions, bertDefaults } from "./bert.ts";

/** As BERT's, without the choice of a pooler, which ELECTRA does not have. */
export type ElectraOptions = Omit<BertOptions, "pooler">;

const model = (options: ElectraOptions) => new BertModel({ ...options, pooler: false });

/** Whether each token was replaced, as a logit: [N, T, W] → [N, T]. */
class Discriminator extends Module {
  readonly dense: Dense;
  readonly dense_prediction: Dense;
  constructor(options: ElectraOptions) {
    super();
    const { width, activation: name, deviation } = bertDefaults(options);
    this.dense = dense(width, { activation: name, initializer: initial(deviation) });
    this.dense_prediction = dense(1, { initializer: initial(deviation) });
  }
  protected call(x: Value, context: Context): Value {
    return reshape(this.dense_prediction.apply(this.dense.apply(x, context), context), x.shape.slice(0, 2));
  }
}

/** ELECTRA's models by the names of Hugging Face's classes. */
export const electraArchitectures = architectures({
  ElectraModel: (options) => model(options),
  ElectraForPreTraining: (options) =>
    headed({ electra: model(options) }, { discriminator_predictions: new Discriminator(options) }),
  ElectraForMaskedLM: (options, { tied } = {}) => {
    const electra = model(options);
    const { embeddingWidth, epsilon, deviation, vocabulary } = bertDefaults(options);
    const initializer = initial(deviation);
    const generator_predictions = chain({
      dense: dense(embeddingWidth, { initializer }),
      activation: activation("gelu"),
      LayerNorm: layerNorm({ epsilon }),
    });
    const generator_lm_head =
      tied === false ? dense(vocabulary, { initializer }) : new VocabularyHead(electra.embeddings.word_embeddings, {});
    return headed({ electra }, { generator_predictions, generator_lm_head });
  },
  ElectraForSequenceClassification: (options, head = {}) =>
    headed(
      { electra: model(options) },
      { classifier: new HiddenClassifier(options.sizes.width, options.details, head, "gelu") },
      firstToken,
    ),
  ElectraForTokenClassification: (options, head = {}) =>
    headed({ electra: model(options) }, classifier(options.details, head)),
  ElectraForQuestionAnswering: (options) => headed({ electra: model(options) }, questionAnswering(options.details)),
} as const satisfies Architectures<ElectraOptions>);
