/** The methods that runs are explained by, by name: to add one, add its line. */
import { OptionError } from "../../core/errors.ts";
import {
  type Attribution,
  deepLift,
  expectedGradients,
  gradCam,
  gradCamPlusPlus,
  guidedBackpropagation,
  inputTimesGradient,
  integratedGradients,
  kernelShap,
  layerCam,
  layerwiseRelevance,
  lime,
  occlusion,
  saliency,
  smoothGrad,
  type Target,
  type TitledPicture,
} from "../../explain/index.ts";
import { lens, logits, rollout } from "./inside.ts";
import type { AnySample, Chosen, Sample } from "./sample.ts";

/** What a method is asked. */
export interface Asked extends Sample {
  readonly target: Target<unknown>;
  readonly chosen: Chosen;
}

/** What a method finds that gives no value for each element. */
export interface Inside {
  readonly method: string;
  readonly pictures: readonly TitledPicture[];
  readonly notes: readonly string[];
}

/** A method. */
export interface Method {
  /** What it is, in a sentence without its end. */
  readonly about: string;
  /** Above its picture; default what speaks for the subject. */
  readonly title?: (subject: string) => string;
  /** What samples must have; default nothing. */
  readonly needs?: "an image" | "tokens" | "next tokens" | "a background";
  /** Whether it looks at the tokens as they are, whatever stands beside them. */
  readonly asIs?: boolean;
  explain(asked: Asked): Promise<Attribution | Inside>;
}

const table = {
  "integrated-gradients": {
    about: "divides the score among the parts of the input, from a baseline on",
    explain: ({ model, x, target, baseline }) => integratedGradients(model, x, { target, baseline }),
  },
  "expected-gradients": {
    about: "divides what the score is above that of other samples among the parts of the input",
    needs: "a background",
    explain: ({ model, x, target, background = x }) => expectedGradients(model, x, { target, background }),
  },
  "input-times-gradient": {
    about: "what each part adds in the first order: its size times the gradient",
    explain: ({ model, x, target }) => inputTimesGradient(model, x, { target }),
  },
  saliency: {
    about: "how much a small change of each part changes the score, without a sign",
    title: (subject) => `Where the score of ${subject} is sensitive`,
    explain: ({ model, x, target }) => saliency(model, x, { target }),
  },
  "smooth-grad": {
    about: "the mean of the gradients near the input",
    title: (subject) => `Where the score of ${subject} is sensitive`,
    explain: ({ model, x, target }) => smoothGrad(model, x, { target }),
  },
  "deep-lift": {
    about: "divides the difference from a baseline's score by the differences that units show, in one run",
    explain: ({ model, x, target, baseline }) => deepLift(model, x, { target, baseline }),
  },
  "layerwise-relevance": {
    about: "divides the score layer by layer among what each takes",
    explain: ({ model, x, target }) => layerwiseRelevance(model, x, { target }),
  },
  "guided-backpropagation": {
    about: "what excites units on the way; edges rather than the class",
    title: () => "What excites units",
    explain: ({ model, x, target }) => guidedBackpropagation(model, x, { target }),
  },
  occlusion: {
    about: "how far the score falls without each part",
    explain: ({ model, x, target, window }) => occlusion(model, x, { target, window }),
  },
  "kernel-shap": {
    about: "divides the score among the parts of the input by Shapley values, from a baseline on",
    explain: ({ model, x, target, baseline, groups }) => kernelShap(model, x, { target, baseline, groups }),
  },
  lime: {
    about: "a linear model of how the score goes with parts of the input that are left out",
    explain: ({ model, x, target, baseline, groups }) => lime(model, x, { target, baseline, groups }),
  },
  "grad-cam": {
    about: "where the last features of a convolutional network speak for the score",
    title: (subject) => `Where features speak for ${subject}`,
    needs: "an image",
    explain: ({ model, x, target }) => gradCam(model, x, { target }),
  },
  "grad-cam-plus-plus": {
    about: "as grad-cam, with places of a feature weighted by their gradients",
    title: (subject) => `Where features speak for ${subject}`,
    needs: "an image",
    explain: ({ model, x, target }) => gradCamPlusPlus(model, x, { target }),
  },
  "layer-cam": {
    about: "as grad-cam, with each place by its own gradient",
    title: (subject) => `Where features speak for ${subject}`,
    needs: "an image",
    explain: ({ model, x, target }) => layerCam(model, x, { target }),
  },
  "attention-rollout": {
    about: "how much of each token attention carries to the place that decides",
    title: () => "What attention carries to the place that decides",
    needs: "tokens",
    asIs: true,
    explain: rollout,
  },
  "logit-lens": {
    about: "what would come next after each block",
    needs: "next tokens",
    explain: lens,
  },
  "logit-contributions": {
    about: "divides the score of the next token among the blocks that write it",
    needs: "next tokens",
    explain: logits,
  },
} as const satisfies Readonly<Record<string, Method>>;

/** The name of a method. */
export type MethodName = keyof typeof table;

export const methods: Readonly<Record<MethodName, Method>> = table;
export const methodNames = Object.keys(table) as readonly MethodName[];

/** Why a method does not suit a sample; `undefined` where it does. */
export function unsuited(name: MethodName, sample: AnySample): string | undefined {
  const { needs } = methods[name];
  if ("drops" in sample)
    return name === "occlusion" ? undefined : `${name} needs the input of the model, and this is ${sample.what}`;
  if (needs === "an image" && !sample.isImage) return `${name} needs an image, and this is ${sample.what}`;
  if (needs === "tokens" && !sample.inside) return `${name} needs a model of tokens, and this is ${sample.what}`;
  if (needs === "a background" && !("background" in sample))
    return `${name} compares with samples of the data, and none were passed (--background)`;
  if (needs === "next tokens" && sample.scoresOf !== "next tokens")
    return `${name} needs a language model, and this is ${sample.what}`;
  return undefined;
}

/** Throws OptionError with those that suit where a method does not. */
export function requireSuited(name: MethodName, sample: AnySample): void {
  const why = unsuited(name, sample);
  if (why === undefined) return;
  const others = methodNames.filter((other) => unsuited(other, sample) === undefined);
  throw new OptionError(`${why}; pass one of ${others.join(", ")}`);
}
