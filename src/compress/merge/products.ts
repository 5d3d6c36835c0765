/** Scalar products of models, of which angles between them follow. */

/** Products of each vector with each: [models][models], added up in float64. */
export function productsOf(vectors: readonly Float32Array[]): readonly (readonly number[])[] {
  const products = vectors.map(() => vectors.map(() => 0));
  for (const [i, first] of vectors.entries())
    for (const [j, second] of vectors.entries()) {
      if (j < i) continue;
      let sum = 0;
      for (let at = 0; at < first.length; at++) sum += (first[at] as number) * (second[at] as number);
      (products[i] as number[])[j] = sum;
      (products[j] as number[])[i] = sum;
    }
  return products;
}

/** Products of the parts of vectors as those of the whole vectors. */
export const summedProducts = (parts: readonly (readonly (readonly number[])[])[]): readonly (readonly number[])[] =>
  parts.reduce((sum, part) => sum.map((row, i) => row.map((value, j) => value + (part[i]?.[j] ?? 0))));

/** The mean cosine of all pairs of vectors, by their products; `undefined` where one is zero, or there is one alone. */
export function meanCosine(products: readonly (readonly number[])[]): number | undefined {
  const cosines = products.flatMap((row, i) =>
    row.flatMap((product, j) => (j > i ? [product / Math.sqrt((row[i] ?? 0) * (products[j]?.[j] ?? 0))] : [])),
  );
  if (cosines.length === 0 || !cosines.every(Number.isFinite)) return undefined;
  return cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
}
