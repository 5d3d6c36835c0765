/** Texts as networks of their own read them: which words, pairs and runs of characters each has. */
import { plural } from "../../core/number-text.ts";
import {
  fitTextFeatures,
  type ReadText,
  type TextFeatures,
  textFeaturesText,
  textIds,
} from "../../data/text/text-features.ts";
import { type LabelledTexts, type PartedTexts, partTexts, type TextsRequest } from "./part-texts.node.ts";
import { outputsOf } from "./text-target.ts";

/** Texts of a part, with what is read and what is predicted of each. */
export interface TextSamples extends LabelledTexts {
  /** What is read of each. */
  readonly read: readonly ReadText[];
}

/** Texts that are loaded. */
export interface LoadedTexts extends PartedTexts<TextSamples> {
  readonly features: TextFeatures;
}

/** Words and pairs, and as many runs of characters, that are known at most; fewer where there are many classes. */
const mostFeatures = 40_000;
const mostWeights = 2_000_000;

/**
 * Parts texts, and reads them; which words and runs of characters there are is learned of the texts to train on. Throws as `partTexts` does.
 */
export async function loadTexts(request: TextsRequest): Promise<LoadedTexts> {
  const parted = await partTexts(request);
  const { name, target, train, test, notes } = parted;
  const most = Math.min(mostFeatures, Math.ceil(mostWeights / (request.folds * outputsOf(target))));
  const features = fitTextFeatures(name, train.texts, most);
  const readTexts = textIds(features);
  const reading = (own: LabelledTexts): TextSamples => ({ ...own, read: readTexts(own.texts) });
  const [trained, tested] = [reading(train), reading(test)];
  const cut = [...trained.read, ...tested.read].filter(({ words }) => words.length > features.longest).length;
  return {
    ...parted,
    features,
    train: trained,
    test: tested,
    notes: [
      ...notes,
      `${textFeaturesText(features)} are known`,
      ...(cut > 0 ? [`${plural(cut, "text")} read up to ${features.longest} words and pairs`] : []),
    ],
  };
}
