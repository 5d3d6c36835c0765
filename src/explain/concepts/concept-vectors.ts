/** Concept activation vectors: the direction in a layer's values that leads from random examples to those of a concept. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import type { Random } from "../../core/random.ts";

/** Values of a layer, one row for each example. */
export type Activations = readonly Float32Array[];

/** A direction, and how well it tells examples apart. */
export interface ConceptVector {
  /** Of length 1, towards the concept. */
  readonly vector: Float32Array;
  /** The share of examples, kept aside, that lie on their side; NaN where none could be kept. */
  readonly accuracy: number;
}

/** Weight of the squared coefficients, as a share of the mean squared distance of examples from their mean. */
const ridge = 0.01;
/** The share of the examples that is kept aside to measure by. */
const aside = 0.25;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** Rows with 1 for the concept and -1 for random. */
interface Sides {
  readonly rows: Activations;
  readonly sides: readonly number[];
}

/** Puts a share of rows aside, drawn. */
function parted(rows: Activations, random: Random): { readonly train: Activations; readonly test: Activations } {
  const order = random.permutation(rows.length);
  const count = Math.min(Math.floor(aside * rows.length), rows.length - 1);
  const pick = (places: Uint32Array) => Array.from(places, (place) => rows[place] as Float32Array);
  return { test: pick(order.subarray(0, count)), train: pick(order.subarray(count)) };
}

const joined = (concept: Activations, random: Activations): Sides => ({
  rows: [...concept, ...random],
  sides: [...concept.map(() => 1), ...random.map(() => -1)],
});

/**
 * The direction of a linear classifier that tells a concept's examples from random ones (Kim et al. 2018, section 3.2): ridge regression to 1 and
 * -1, solved by the products of examples, of which there are far fewer than values of a layer.
 */
export function conceptVector(concept: Activations, random: Activations, draw: Random): ConceptVector {
  const [ofConcept, ofRandom] = [parted(concept, draw), parted(random, draw)];
  const { rows, sides } = joined(ofConcept.train, ofRandom.train);
  const width = rows[0]?.length ?? 0;
  const mean = new Float64Array(width);
  for (const row of rows)
    for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) + (row[i] as number) / rows.length;
  const centred = rows.map((row) => Float64Array.from(mean, (own, i) => (row[i] as number) - own));
  const level = sides.reduce((sum, side) => sum + side / sides.length, 0);
  const products = centred.map((a) => centred.map((b) => dot(a, b)));
  const strength = (ridge * products.reduce((sum, own, i) => sum + (own[i] as number), 0)) / rows.length || 1;
  for (const [i, own] of products.entries()) own[i] = (own[i] as number) + strength;
  const shares = new CholeskyDecomposition(new Matrix(products))
    .solve(Matrix.columnVector(sides.map((side) => side - level)))
    .to1DArray();
  const found = new Float64Array(width);
  for (const [i, row] of centred.entries())
    for (let j = 0; j < width; j++) found[j] = (found[j] as number) + (shares[i] as number) * (row[j] as number);
  const length = Math.sqrt(dot(found, found)) || 1;
  const kept = joined(ofConcept.test, ofRandom.test);
  const saidOf = (row: Float32Array) => dot(found, row) - dot(found, mean) + level;
  const hits = kept.rows.filter((row, i) => Math.sign(saidOf(row)) === kept.sides[i]).length;
  return { vector: Float32Array.from(found, (own) => own / length), accuracy: hits / kept.rows.length };
}
