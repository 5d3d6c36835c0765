/** The network that tags names: rows of a table added up for each word, and dilated convolutions over the words. */
import type { Value } from "../../../graph/ir.ts";
import { type Context, conv1d, dropout, embedding, Module, normalInit } from "../../../nn/index.ts";
import { add, reduceSum, relu, transpose } from "../../../ops/index.ts";

/** Tags of words, in the order of the network's outputs: of no name, the first of one, a further one. */
export const nameTags = ["O", "B", "I"] as const;

const [width, channels] = [24, 64];
const dilations = [1, 2, 4] as const;

/** Words that the tag of one depends on at either side. */
export const reach = 1 + dilations.reduce((sum, dilation) => sum + dilation, 0);

/** Tags of words: int32 rows [N, T, 7] → logits [N, T, 3]. */
export class NameNetwork extends Module {
  readonly table;
  readonly first = conv1d(channels, 3, { padding: 1, initializer: "heNormal" });
  readonly further = dilations.map((dilation) =>
    conv1d(channels, 3, { padding: dilation, dilation, initializer: "heNormal" }),
  );
  readonly drop = dropout(0.2);
  readonly head = conv1d(nameTags.length, 1);

  /** @param rows of the table */
  constructor(rows: number) {
    super();
    this.table = embedding(rows, width, { initializer: normalInit(0, 0.1) });
  }

  protected call(x: Value, context: Context): Value {
    const summed = reduceSum(this.table.apply(x, context), [2]); // [N, T, width]
    let y = relu(this.first.apply(this.drop.apply(transpose(summed, [0, 2, 1]), context), context));
    for (const layer of this.further) y = add(y, relu(layer.apply(this.drop.apply(y, context), context)));
    return transpose(this.head.apply(y, context), [0, 2, 1]); // [N, T, tags]
  }
}
