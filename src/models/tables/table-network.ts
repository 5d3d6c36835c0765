/** Networks of tables: several kinds side by side, each of members that can be trained on other rows. */
import { count, objectOf, share } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, type Context, dropout, Module } from "../../nn/index.ts";
import { add, concat, expand, reduceSum, reshape } from "../../ops/index.ts";
import { CandidateNetwork, type NumberTarget } from "../shared/candidate-network.ts";
import { MemberDense, MemberEmbedding } from "../shared/member-layers.ts";
import { ImageBranch } from "./image-branch.ts";
import {
  binned,
  categoryCount,
  categoryIds,
  imagesOf,
  partsOfImages,
  standardized,
  type TableColumn,
  wordWeights,
} from "./table-columns.ts";

/** Options of `TableNetwork`. */
export interface TableNetworkOptions {
  /** Scores that a row gets: one a class, or 1 for a number. */
  readonly outputs: number;
  /** Of a number that is predicted; default: classes are. */
  readonly target?: NumberTarget | undefined;
  /** Members of each kind; default 8. */
  readonly members?: number;
  /** Units of hidden layers; default 128. */
  readonly width?: number;
  /** Share of hidden units that training drops; default 0.1. */
  readonly dropout?: number;
}

const checkOptions = optionsOf<TableNetworkOptions>("TableNetwork", {
  outputs: required(count()),
  target: objectOf("{ mean, deviation }"),
  members: count(),
  width: count(),
  dropout: share,
});

/** What a kind of network reads of numbers, and how deep it is. */
interface Kind {
  /** Numbers as shares of bins rather than standardized. */
  readonly ofBins: boolean;
  /** Hidden layers. */
  readonly layers: number;
}

/** The kinds of networks, by name: sums of what columns say, straight or by bins, and perceptrons of either. */
const kinds = {
  linear: { ofBins: false, layers: 0 },
  additive: { ofBins: true, layers: 0 },
  network: { ofBins: false, layers: 2 },
  networkOfBins: { ofBins: true, layers: 2 },
} as const satisfies Readonly<Record<string, Kind>>;

/** Names of the kinds of networks that a `TableNetwork` has, in their order. */
export const tableCandidates = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** Width of the vectors of categories that hidden layers read. */
const categoryWidth = 8;
/** What may be chosen of them: one, those with hidden layers, or all. */
const choices = {
  ...Object.fromEntries(tableCandidates.map((name) => [name, [name]])),
  networks: ["network", "networkOfBins"],
  together: tableCandidates,
};

/** One kind of network in several members: [N, F] → scores [members, N, outputs]. */
class Candidate extends Module {
  readonly embedding: MemberEmbedding | undefined;
  /** One for each column of images. */
  readonly images: readonly ImageBranch[];
  readonly hidden: readonly MemberDense[];
  readonly activation = activation("relu");
  readonly dropout: Module;
  readonly head: MemberDense;
  readonly #columns: readonly TableColumn[];
  readonly #ofBins: boolean;

  constructor(columns: readonly TableColumn[], { ofBins, layers }: Kind, options: TableNetworkOptions) {
    super();
    const { outputs, members = 8, width = 128, dropout: rate = 0.1 } = options;
    const values = categoryCount(columns);
    this.#columns = columns;
    this.#ofBins = ofBins;
    if (values > 0) this.embedding = new MemberEmbedding(members, values, layers > 0 ? categoryWidth : outputs);
    const images = layers > 0 ? columns.filter(({ kind }) => kind === "image") : [];
    this.images = images.map(() => new ImageBranch(members));
    this.hidden = Array.from({ length: layers }, () => new MemberDense(members, width, Math.SQRT2));
    this.dropout = dropout(rate);
    this.head = new MemberDense(members, outputs, 0);
  }

  protected call(x: Value, context: Context): Value {
    const columns = this.#columns;
    const ids = categoryIds(x, columns);
    const vectors = ids && this.embedding?.apply(ids, context); // [members, N, columns, width]
    const numbers = this.#ofBins ? binned(x, columns) : standardized(x, columns);
    // Sums take of images how bright their parts are.
    const parts = this.hidden.length === 0 ? partsOfImages(x, columns) : undefined;
    const read = [numbers, parts, wordWeights(x, columns)].filter((value) => value !== undefined);
    const shared = read.length > 1 ? concat(read, 1) : read[0]; // [N, features]
    if (this.hidden.length === 0) {
      const scores = shared && this.head.apply(shared, context);
      const own = vectors && reduceSum(vectors, 2);
      return scores && own ? add(scores, own) : ((scores ?? own) as Value);
    }
    const seen = imagesOf(x, columns).map((own, i) => (this.images[i] as ImageBranch).apply(own, context));
    let hidden = joined(shared, [...(vectors ? [flatVectors(vectors)] : []), ...seen]);
    for (const layer of this.hidden)
      hidden = this.dropout.apply(this.activation.apply(layer.apply(hidden, context), context), context);
    return this.head.apply(hidden, context);
  }
}

/** The vectors of a row's categories as one, [members, N, columns · width]. */
function flatVectors(vectors: Value): Value {
  const [members = 1, rows = 1, columns = 1, width = 1] = vectors.shape;
  return reshape(vectors, [members, rows, columns * width]);
}

/** What all members read, [N, features], beside what each has of its own, [members, N, features]. */
function joined(shared: Value | undefined, own: readonly Value[]): Value {
  const [first] = own;
  if (!first) return shared as Value;
  const all = shared ? [expand(shared, [first.shape[0] ?? 1, ...shared.shape]), ...own] : own;
  return all.length > 1 ? concat(all, 2) : first;
}

/**
 * Several kinds of networks of a table's rows side by side: straight lines, sums of curves by column, and perceptrons of either. Each kind
 * has members of its own weights, which can be trained on different rows, so that the others tell how good it is. A row is [N, F] numbers
 * as `columns` say: NaN is a missing number, any number without a value a missing category. Images are seen by a small convolutional network
 * for each member of a perceptron; sums read how bright their parts are. It gives log probabilities of classes, or a
 * number in the units of the target, [N, outputs]: the mean over the members, and over the kinds by their shares, the buffer `mix`.
 * @example
 * const model = new TableNetwork(columns, { outputs: 3 });
 */
export class TableNetwork extends CandidateNetwork {
  readonly candidates: Readonly<Record<string, Candidate>>;
  readonly choices = choices;

  constructor(columns: readonly TableColumn[], options: TableNetworkOptions) {
    const { members = 8, target = "classes" } = checkOptions(options);
    super(members, target);
    this.candidates = Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [name, new Candidate(columns, kind, options)]),
    );
  }
}
