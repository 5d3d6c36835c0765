/** Beam search: the likeliest sequences that a model writes token by token (Graves 2012; Sutskever et al. 2014, sec. 3.2). */
import { count, nonNegative } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";

/** A sequence under way, of one of several searches that run at once. */
export interface Prefix {
  /** Which search it is of, from 0. */
  readonly search: number;
  /** Tokens so far, the one that every sequence begins with first. */
  readonly ids: readonly number[];
}

/** A token that may follow, and the logarithm of its probability. */
export interface Candidate {
  /** The token. */
  readonly id: number;
  /** Natural logarithm of its probability. */
  readonly logProbability: number;
}

/** For each prefix what may follow, the likeliest first: one candidate more than the beam is wide, at least. */
export type NextTokens = (prefixes: readonly Prefix[]) => Promise<readonly (readonly Candidate[])[]>;

/** Options of `beamSearch`. */
export interface BeamSearchOptions {
  /** How many searches run at once. */
  readonly searches: number;
  /** Sequences that are kept of each; 1 takes the likeliest token every time. */
  readonly beam: number;
  /** Tokens after the first, at most; what has not ended by then ends there. */
  readonly longest: number;
  /** Id of the token that every sequence begins with. */
  readonly begin: number;
  /** Id of the token that ends a sequence. */
  readonly end: number;
  /** The α by which long sequences are favoured: scores are divided by ((5 + length) / 6)^α (Wu et al. 2016, eq. 14); default 1. */
  readonly lengthPenalty?: number;
}

const checkOptions = optionsOf<BeamSearchOptions>("beamSearch", {
  searches: required(count()),
  beam: required(count()),
  longest: required(count()),
  begin: required(count(0)),
  end: required(count(0)),
  lengthPenalty: nonNegative,
});

/** A sequence that was found. */
export interface Hypothesis {
  /** Without the first token, with the last where it ended by itself. */
  readonly ids: readonly number[];
  /** Sum of the logarithms of probabilities, divided by the length's penalty. */
  readonly score: number;
  /** Whether it ended by itself, and was not cut at the longest length. */
  readonly ended: boolean;
}

interface Live extends Prefix {
  readonly sum: number;
}

/**
 * The best sequence of each search: in each step the `beam` likeliest prefixes are kept, and those that end are ranked
 * by their summed log-probabilities over the length's penalty (Wu et al. 2016, eq. 14). Throws OptionError for a beam
 * or a length below 1.
 */
export async function beamSearch(next: NextTokens, options: BeamSearchOptions): Promise<Hypothesis[]> {
  const { searches, beam, longest, begin, end, lengthPenalty = 1 } = checkOptions(options);
  const finished = Array.from({ length: searches }, (): Hypothesis[] => []);
  const scoreOf = (sum: number, length: number) => sum / ((5 + length) / 6) ** lengthPenalty;
  const finish = ({ search, ids, sum }: Live) =>
    finished[search]?.push({ ids: ids.slice(1), score: scoreOf(sum, ids.length - 1), ended: ids.at(-1) === end });
  let live = Array.from({ length: searches }, (_, search): Live => ({ search, ids: [begin], sum: 0 }));
  for (let step = 0; step < longest && live.length > 0; step++) {
    const candidates = await next(live);
    const longer = live.flatMap(({ search, ids, sum }, i) =>
      (candidates[i] ?? []).map(({ id, logProbability }) => ({ search, ids: [...ids, id], sum: sum + logProbability })),
    );
    live = finished.flatMap((done, search) => {
      const ranked = longer.filter((own) => own.search === search).sort((a, b) => b.sum - a.sum);
      const ending = (own: Live) => own.ids.at(-1) === end;
      // An ending counts when it is among the best; others take the places that are free.
      for (const own of ranked.slice(0, beam)) if (ending(own)) finish(own);
      const others = ranked.filter((own) => !ending(own)).slice(0, beam);
      // The best that is under way could only lose further probability, and gain the longest one's penalty.
      const hope = scoreOf(others[0]?.sum ?? Number.NEGATIVE_INFINITY, longest);
      return done.length >= beam || done.some(({ score }) => score >= hope) ? [] : others;
    });
  }
  for (const own of live) if ((finished[own.search]?.length ?? 0) === 0) finish(own);
  return finished.map((found) => found.reduce((best, own) => (own.score > best.score ? own : best)));
}
