/**
 * Sequence to sequence with attention: reads a date as people write it ("3 March 1997"), writes it in ISO 8601 ("1997-03-03"), and
 * chooses for each character where to look. Additive scores (Bahdanau et al. 2015, appendix A.1.2), attention after the recurrent step
 * (Luong et al. 2015, sec. 3.1).
 */
import {
  activations,
  adam,
  additiveAttention,
  type Context,
  characterTokenizer,
  crossEntropy,
  dense,
  embedding,
  fit,
  fromTensors,
  gru,
  highest,
  keyOf,
  lambda,
  Module,
  ops,
  predict,
  Random,
  sequential,
  Tensor,
  type Value,
} from "sardonyx";

const months = "January February March April May June July August September October November December".split(" ");
const characters = characterTokenizer(`${months.join("")} ,0123456789-~`);
const [longest, written] = [18, 10]; // "September 30, 1997"

const random = new Random(keyOf(1));
const pairs = Array.from({ length: 4200 }, () => {
  const [year, month, day] = [1900 + random.integer(200), random.integer(12), 1 + random.integer(28)];
  const name = months[month] ?? "";
  const text = random.uniform() < 0.5 ? `${day} ${name} ${year}` : `${name} ${day}, ${year}`;
  const iso = [year, String(month + 1).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
  return { text: text.padEnd(longest), iso };
});
/** Texts of equal length as rows of ids. */
const idsOf = (texts: readonly string[]) =>
  new Tensor("int32", [texts.length, texts[0]?.length ?? 0], Int32Array.from(texts.flatMap(characters.encode)));
const [train, test] = [pairs.slice(0, 4000), pairs.slice(4000)];

type Texts = { readonly x: Value; readonly prefix: Value };
class DateWriter extends Module<Texts> {
  override readonly inputs = { x: "required", prefix: "required" } as const;
  readonly letters = embedding(characters.size, 32);
  readonly reader = gru(32, { bidirectional: true });
  readonly writer = gru(64);
  readonly attention = additiveAttention(64);
  readonly head = dense(characters.size);
  /** The text x and the date so far after a "~", ids [N, time] each → logits of the date's characters. */
  protected call({ x, prefix }: Texts, context: Context): Value {
    const memory = this.reader.apply(this.letters.apply(x, context), context); // [N, 18, 64]
    const states = this.writer.apply(this.letters.apply(prefix, context), context); // [N, 10, 64]
    const read = this.attention.apply({ x: states, memory }, context);
    return this.head.apply(ops.concat([states, read], 2), context);
  }
}
const model = new DateWriter();

const data = fromTensors({
  x: idsOf(train.map(({ text }) => text)),
  prefix: idsOf(train.map(({ iso }) => `~${iso.slice(0, -1)}`)),
  y: idsOf(train.map(({ iso }) => iso)),
});
await fit(model, data.shuffle(keyOf(2)).batch(50), {
  loss: crossEntropy(),
  optimizer: adam({ learningRate: 0.005 }),
  epochs: 8,
  training: { clipNorm: 1, compile: { threads: 1 } },
});

const x = idsOf(test.map(({ text }) => text));
const choose = sequential<Texts>([model, lambda((logits: Value) => ops.argMax(logits))]);
let dates = test.map(() => "");
for (let i = 0; i < written; i++) {
  const prefix = idsOf(dates.map((date) => `~${date}`.padEnd(written)));
  const ids = (await predict(choose, { x, prefix })).toNumbers(); // [N, 10]
  dates = dates.map((date, row) => date + characters.decode([ids[row * written + i] ?? 0]));
}
console.log(`"${test[0]?.text.trim()}" is ${dates[0]}`);
console.log(
  `accuracy of whole dates: ${(dates.filter((date, i) => date === test[i]?.iso).length / test.length).toFixed(3)}`,
);

// Where it looks to write the last digit of the year.
const prefix = idsOf(dates.map((date) => `~${date.slice(0, -1)}`));
const { "attention.energy": energy } = await activations(model, { x, prefix }, ["attention.energy"]);
const scores = energy?.toNumbers() ?? []; // [N, 10, 18]
const seen = test.map(({ text, iso }, row) => {
  const start = (row * written + 3) * longest;
  const [place = 0] = highest(scores.slice(start, start + longest), 1);
  return text.slice(0, place + 1).endsWith(iso.slice(0, 4));
});
console.log(`attention to the digit that is written: ${(seen.filter(Boolean).length / test.length).toFixed(3)}`);
