/** How likely tokens were, of the logits that they were drawn from. */

/** A token with the logarithm of its probability. */
export interface Likely {
  readonly token: number;
  readonly logProbability: number;
}

/** The log-probability of a token among all of the vocabulary, and the `top` likeliest; before temperature and cuts, as OpenAI's. */
export function logProbabilitiesOf(
  logits: Float32Array,
  token: number,
  top: number,
): { readonly own: number; readonly likeliest: readonly Likely[] } {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  const total = highest + Math.log(sum);
  const likeliest: Likely[] = [];
  for (const [id, logit] of logits.entries()) {
    const last = likeliest.at(-1);
    if (likeliest.length >= top && (last === undefined || logit - total <= last.logProbability)) continue;
    const at = likeliest.findIndex((own) => own.logProbability < logit - total);
    likeliest.splice(at < 0 ? likeliest.length : at, 0, { token: id, logProbability: logit - total });
    if (likeliest.length > top) likeliest.pop();
  }
  return { own: (logits[token] ?? Number.NaN) - total, likeliest };
}
