/** Where rows of bytes of one length are kept: in memory up to a bound, and beyond it wherever is told. */

/** Rows of bytes by numbers from 0. */
export interface Rows {
  /** How many it has room for. */
  readonly capacity: number;
  write(row: number, bytes: Uint8Array): void;
  /** Reads a row that was written. */
  read(row: number, into: Uint8Array): void;
  /** Lets go of all. */
  close(): void;
}

/** A place for rows. */
export interface RowPlace {
  /** Room for at most so many rows of a length. */
  open(rowBytes: number, rows: number): Rows;
}

/** Bytes of a piece of memory: large pieces are slow to come by at once. */
const pieceBytes = 1 << 22;

/** Rows in memory, so many bytes at most. */
export const memoryRows = (bytes: number): RowPlace => ({
  open(rowBytes, rows) {
    const capacity = Math.min(rows, Math.floor(bytes / rowBytes));
    const perPiece = Math.max(1, Math.floor(pieceBytes / rowBytes));
    let pieces: Uint8Array[] = [];
    const at = (row: number) => {
      const piece = Math.floor(row / perPiece);
      pieces[piece] ??= new Uint8Array(Math.min(perPiece, capacity - piece * perPiece) * rowBytes);
      return (pieces[piece] as Uint8Array).subarray((row % perPiece) * rowBytes, ((row % perPiece) + 1) * rowBytes);
    };
    return {
      capacity,
      write: (row, given) => at(row).set(given),
      read: (row, into) => into.set(at(row)),
      close: () => {
        pieces = [];
      },
    };
  },
});

/** The rows of one place, and those that it has no room for in another. */
export const rowsIn = (places: readonly RowPlace[], rowBytes: number, rows: number): Rows => {
  const opened: { readonly from: number; readonly own: Rows }[] = [];
  let capacity = 0;
  for (const place of places) {
    if (capacity >= rows) break;
    const own = place.open(rowBytes, rows - capacity);
    opened.push({ from: capacity, own });
    capacity += own.capacity;
  }
  const placeOf = (row: number) => opened.findLast(({ from }) => from <= row) as (typeof opened)[number];
  return {
    capacity,
    write(row, bytes) {
      const { from, own } = placeOf(row);
      own.write(row - from, bytes);
    },
    read(row, into) {
      const { from, own } = placeOf(row);
      own.read(row - from, into);
    },
    close: () => {
      for (const { own } of opened) own.close();
    },
  };
};
