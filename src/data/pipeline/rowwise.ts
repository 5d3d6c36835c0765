/** Changes of batches that work on each row alone: of a batch that several processes share, each makes its rows and leaves the others out. */

/** A change that says so. */
type Rowwise<F> = F & { readonly rowwise: true };

/**
 * Says of a change of batches, for `dataset.map`, that each row of what it returns depends on the same row of what it is given and on random
 * numbers alone, of which it draws as many whatever the rows hold. A process then reads no rows but its own.
 * @example batches.map(rowwise(({ x, y }) => ({ x: halved(x), y })))
 */
export const rowwise = <F extends (...given: never[]) => unknown>(change: F): Rowwise<F> =>
  Object.assign(change, { rowwise: true } as const);

export const isRowwise = (change: object): boolean => "rowwise" in change && change.rowwise === true;
