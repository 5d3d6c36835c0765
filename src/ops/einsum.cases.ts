/** Cases of Einstein's sums. */
import { apply } from "../graph/op.ts";
import { type InputSpec, normal, opCase } from "./define.cases.ts";
import { Einsum } from "./einsum.ts";

const rows: readonly (readonly [string, ...(readonly number[])[]])[] = [
  ["ij->ji", [2, 3]],
  ["ij->i", [2, 3]],
  ["i,i->", [3], [3]],
  ["i,j->ij", [3], [2]],
  ["bij,bjk->bik", [2, 2, 3], [2, 3, 2]],
  ["bhid,bhjd->bhij", [2, 1, 3, 2], [2, 1, 2, 2]],
  ["abc,cd->abd", [2, 2, 3], [3, 2]],
  ["ab,cab,d->cd", [2, 3], [2, 2, 3], [2]],
  ["ij,jk,kl->il", [2, 3], [3, 2], [2, 2]],
  ["...ij,...jk->...ik", [2, 2, 3], [2, 3, 2]],
  ["...ii->...i", [2, 3, 3]],
  ["ijk,ik->j", [2, 3, 2], [2, 2]],
  ["ba,cb", [2, 3], [4, 2]],
];

const letters = ["a", "b", "c"];

export const einsumCases = rows.map(([equation, ...shapes]) => {
  const inputs = Object.fromEntries(
    shapes.map((shape, i): [string, InputSpec] => [letters[i] as string, normal(shape)]),
  );
  return opCase(Einsum, equation, {
    inputs,
    build: (values) => apply(Einsum, Object.values(values), { equation }),
    torch: `torch.einsum("${equation}", ${Object.keys(inputs).join(", ")})`,
    derivative: "none",
  });
});
