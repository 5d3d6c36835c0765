/** A recurrent network that reads a text word by word, beside what its words and pairs say: members that can be trained on other texts. */
import { count, objectOf, share } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, Module } from "../../nn/index.ts";
import { concat, reshape, slice } from "../../ops/index.ts";
import { RecurrentClassifier, type RecurrentClassifierOptions } from "../sequence/recurrent-classifier.ts";
import { CandidateNetwork } from "../shared/candidate-network.ts";
import { TrustedEvidence } from "./trusted-evidence.ts";

/** Options of `RecurrentTextNetwork`. */
export interface RecurrentTextNetworkOptions {
  /** The network that reads words in their order; each member has one. */
  readonly recurrent: RecurrentClassifierOptions;
  /** Words and pairs of words that say something of classes, with ids from 1 on. */
  readonly words: number;
  /** Members of each kind; default 5. */
  readonly members?: number;
  /** Share of words and pairs that training leaves out; default 0.2. */
  readonly dropout?: number;
}

const checkOptions = optionsOf<RecurrentTextNetworkOptions>("RecurrentTextNetwork", {
  recurrent: required(objectOf("options of a RecurrentClassifier")),
  words: required(count()),
  members: count(),
  dropout: share,
});

/** Words and pairs that a row has room for, for each word in its order. */
export const evidencePerWord = 2;

/** How far words and pairs are trusted to begin with: many of a text say the same, which naive Bayes takes for as many reasons. */
const trust = 0.4;

/** The part of a row [N, T (1 + 2)] that holds its words in their order, [N, T], or what occurs in it, [N, 2 T]. */
function partOf(x: Value, part: "order" | "occurring"): Value {
  const [, width = 1] = x.shape;
  const border = width / (1 + evidencePerWord);
  return slice(x, part === "order" ? { axis: 1, start: 0, end: border } : { axis: 1, start: border, end: width });
}

/** Recurrent classifiers side by side, each with weights of its own: x [N, 3 T] → scores [members, N, classes]. */
class RecurrentMembers extends Module {
  readonly members: readonly RecurrentClassifier[];
  constructor(members: number, options: RecurrentClassifierOptions) {
    super();
    this.members = Array.from({ length: members }, () => new RecurrentClassifier(options));
  }
  protected call(x: Value, context: Context): Value {
    const ids = partOf(x, "order");
    const scores = this.members.map((member) => member.apply(ids, context));
    return concat(
      scores.map((own) => reshape(own, [1, ...own.shape])),
      0,
    );
  }
}

/**
 * Two kinds of networks of a text side by side: `recurrent` reads its words in their order, `words` sums what its words and pairs say of
 * classes and learns how far to trust each (Wang and Manning 2012). x int32 [N, 3 T]: T ids of words in their order, then 2 T of words and
 * pairs that occur, each filled up with 0. See `CandidateNetwork` for what it gives.
 * @param evidence what each word and pair says of each class to each member, [members, 1 + words, classes]; default nothing
 */
export class RecurrentTextNetwork extends CandidateNetwork {
  readonly candidates: Readonly<Record<string, Module>>;
  readonly choices: Readonly<Record<string, readonly string[]>>;
  constructor(options: RecurrentTextNetworkOptions, evidence?: Tensor<"float32">) {
    const { recurrent, words, members = 5, dropout = 0.2 } = checkOptions(options);
    super(members, "classes");
    this.candidates = {
      recurrent: new RecurrentMembers(members, recurrent),
      words: new TrustedEvidence(words, {
        ...{ members, outputs: recurrent.classes, dropout, trust, evidence },
        idsOf: (x) => partOf(x, "occurring"),
      }),
    };
    // What reads words in their order is always part of it.
    this.choices = { recurrent: ["recurrent"], together: ["recurrent", "words"] };
  }
}
