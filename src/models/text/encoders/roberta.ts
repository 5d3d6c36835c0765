/** RoBERTa: BERT trained longer, whose positions count from the padding token's number (Liu et al. 2019). */
import { activation, dense, layerNorm } from "../../../nn/index.ts";
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

/** As BERT's, without the choice of a pooler; the padding token is 1 by default. */
export type RobertaOptions = Omit<BertOptions, "pooler">;

const model = (options: RobertaOptions, pooler: boolean) => new BertModel({ padding: 1, ...options, pooler });

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
      { classifier: new HiddenClassifier(options.sizes.width, options.details, head) },
      firstToken,
    ),
  RobertaForTokenClassification: (options, head = {}) =>
    headed({ roberta: model(options, false) }, classifier(options.details, head)),
  RobertaForQuestionAnswering: (options) =>
    headed({ roberta: model(options, false) }, questionAnswering(options.details)),
} as const satisfies Architectures<RobertaOptions>);
