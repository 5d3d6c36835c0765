/** A model of a table's rows as a model of how far each column is there, beside a typical row. */
import { Tensor } from "../../core/tensor.ts";
import { encodedWidth, type FieldEncoding, type RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, Module } from "../../nn/index.ts";
import { add, constant, expand, gather, greaterOrEqual, mul, where } from "../../ops/index.ts";

/** The numbers of a column in a typical row: medians, the most frequent category, no words, images of the mean brightness. */
function typicalNumbers(field: FieldEncoding): readonly number[] {
  if (field.kind === "number") return [field.statistics.fill];
  // Categories are listed by how frequent they are.
  if (field.kind === "category") return [0];
  if (field.kind === "date") return field.parts.map(({ statistics }) => statistics.fill);
  if (field.kind === "text") return field.words.map(() => 0);
  const area = field.height * field.width;
  return field.pixels.flatMap(({ mean }) => new Array<number>(area).fill(mean));
}

/** A typical row of the training part, [numbers]. */
export const typicalRow = ({ fields }: RowEncoding): Float32Array =>
  Float32Array.from(fields.flatMap((field) => [...typicalNumbers(field)]));

/** From how far each column is there, [N, columns], to the model's outputs. Numbers lie between, what is no number changes at one half. */
class ColumnPresence extends Module<Value, unknown> {
  readonly model: AnyModule;
  readonly #row: Float32Array;
  readonly #typical: Float32Array;
  readonly #columns: Int32Array;
  readonly #switches: Uint8Array;

  constructor(model: AnyModule, row: Float32Array, { fields }: RowEncoding) {
    super();
    this.model = model;
    this.#row = row;
    this.#typical = typicalRow({ fields });
    const widths = fields.map((field) => encodedWidth({ fields: [field] }));
    this.#columns = Int32Array.from(fields.flatMap((_, i) => new Array<number>(widths[i] as number).fill(i)));
    this.#switches = Uint8Array.from(row, (value, i) =>
      Number(fields[this.#columns[i] as number]?.kind === "category" || !Number.isFinite(value)),
    );
  }

  protected call(presence: Value, context: Context): unknown {
    const width = this.#row.length;
    const row = (numbers: Float32Array) => constant(new Tensor("float32", [1, width], numbers));
    const blended = (pick: (own: number, typical: number) => number) =>
      row(Float32Array.from(this.#row, (own, i) => (this.#switches[i] ? 0 : pick(own, this.#typical[i] as number))));
    const shares = gather(presence, constant(new Tensor("int32", [width], this.#columns)), 1); // [N, numbers]
    const numbers = add(
      blended((_, typical) => typical),
      mul(
        shares,
        blended((own, typical) => own - typical),
      ),
    );
    const whole = where(greaterOrEqual(shares, 0.5), row(this.#row), row(this.#typical));
    const isSwitch = constant(new Tensor("bool", [1, width], this.#switches));
    return this.model.apply(where(expand(isSwitch, shares.shape), whole, numbers) as never, context);
  }
}

/** A model of rows, and one of them, as a model of its columns: ones, of which 0 stands for a typical row. */
export const columnPresence = (model: AnyModule, row: Float32Array, encoding: RowEncoding) => ({
  model: new ColumnPresence(model, row, encoding) as Module<Value, unknown>,
  x: new Tensor("float32", [1, encoding.fields.length], new Float32Array(encoding.fields.length).fill(1)),
});
