/**
 * A graph convolutional network: which side each of the 34 members of a karate club took when it split, from the labels of two. The
 * adjacency is an input beside the features; weights of samples say which labels are known.
 * Kipf and Welling 2017, eq. 2 and sec. 3.1; the club is Zachary's (1977).
 */
import {
  accuracy,
  adam,
  type Context,
  crossEntropy,
  dense,
  evaluate,
  fit,
  fromTensors,
  Module,
  ops,
  tensor,
  type Value,
} from "sardonyx";

/** For each member the friends with a higher number. */
const friends = [
  "1 2 3 4 5 6 7 8 10 11 12 13 17 19 21 31|2 3 7 13 17 19 21 30",
  "3 7 8 9 13 27 28 32|7 12 13|6 10|6 10 16|16||30 32 33|33||||33|32 33|32 33|||32 33|33|32 33||32 33",
  "25 27 29 32 33|25 27 31|31|29 33|33|31 33|32 33|32 33|32 33|33|",
]
  .join("|")
  .split("|")
  .map((own) => own.split(" ").filter(Boolean).map(Number));
const members = friends.length;
/** Members who stayed with the instructor (0); the others followed the president (33). */
const stayed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 17, 19, 21];
const isKnown = (member: number) => member === 0 || member === members - 1;

const each = <T>(make: (member: number) => T) => Array.from({ length: members }, (_, i) => make(i));
const linked = (i: number, j: number) =>
  Number(i === j || friends[i]?.includes(j) === true || friends[j]?.includes(i) === true);
const degrees = each((i) => each((j) => linked(i, j)).reduce((sum, own) => sum + own, 0));
/** D^-½ (A + I) D^-½. */
const adjacency = tensor(each((i) => each((j) => linked(i, j) / Math.sqrt((degrees[i] ?? 1) * (degrees[j] ?? 1)))));
/** The only feature of a member is its number, one-hot. */
const x = tensor(each((i) => each((j) => Number(i === j))));
const sides = each((i) => Number(!stayed.includes(i)));
const y = tensor(sides, { dtype: "int32" });

type Graph = { readonly x: Value; readonly adjacency: Value };
class GraphNetwork extends Module<Graph> {
  override readonly inputs = { x: "required", adjacency: "required" } as const;
  readonly first = dense(8, { bias: false });
  readonly second = dense(2, { bias: false });
  protected call({ x, adjacency }: Graph, context: Context): Value {
    const hidden = ops.relu(ops.matmul(adjacency, this.first.apply(x, context)));
    return ops.matmul(adjacency, this.second.apply(hidden, context));
  }
}

const model = new GraphNetwork();
const club = (weigh: (member: number) => number) =>
  fromTensors({ x, adjacency, y, weight: tensor(each(weigh)) }).batch(members);
const options = { loss: crossEntropy(), metrics: [accuracy()] };
await fit(
  model,
  club((member) => Number(isKnown(member))),
  {
    ...options,
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 200,
    training: { compile: { threads: 1 } },
  },
);
const { results } = await evaluate(
  model,
  club((member) => Number(!isKnown(member))),
  options,
);

/** The side of the friend among the two; one half for friends of both or neither. */
const byFriends = each((i) => {
  const [instructor, president] = [linked(i, 0), linked(i, members - 1)];
  return instructor === president ? 0.5 : Number((sides[i] === 0) === instructor > president);
});
const others = byFriends.filter((_, i) => !isKnown(i));
console.log(`accuracy of the network: ${results.accuracy?.toFixed(3)}`);
console.log(`accuracy by friends: ${(others.reduce((sum, own) => sum + own, 0) / others.length).toFixed(3)}`);
