/** What layers learned as one page of HTML that needs nothing else. */
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { listOf, objectOf, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { htmlPage } from "../../draw/page.ts";
import { escapeXml } from "../../draw/plot.ts";
import { historyFigures, landscapeFigure, rankFigure, similarityFigure } from "./drawings.ts";
import type { LayerRank } from "./feature-rank.ts";
import { layerColumns, numberText, shareText } from "./layer-columns.ts";
import type { LayerMoment } from "./layer-history.ts";
import type { LayerSimilarity } from "./layer-similarity.ts";
import type { BatchStatistics } from "./layer-statistics.ts";
import type { LossLandscape } from "./loss-landscape.ts";

/** What `learningPage` shows; what is left out has no section. */
export interface LearningPageOptions {
  /** Heading of the page. */
  readonly title: string;
  /** Of `watchLayers`. */
  readonly history?: readonly LayerMoment[];
  /** Of `layerStatistics`; default the last of the history. */
  readonly statistics?: BatchStatistics;
  /** Of `featureRank`. */
  readonly ranks?: readonly LayerRank[];
  /** Of `layerSimilarity`. */
  readonly similarity?: LayerSimilarity;
  /** Of `lossLandscape`. */
  readonly landscape?: LossLandscape;
}

const checkOptions = optionsOf<LearningPageOptions>("learningPage", {
  title: required(string),
  history: listOf(objectOf<LayerMoment>("a measurement of watchLayers"), "measurements of watchLayers"),
  statistics: objectOf("statistics of layerStatistics"),
  ranks: listOf(objectOf<LayerRank>("a rank of featureRank"), "ranks of featureRank"),
  similarity: objectOf("similarities of layerSimilarity"),
  landscape: objectOf("a landscape of lossLandscape"),
});

const style = `
main { max-width: 1100px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { margin: 0 0 4px; font-size: 26px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 30px 0 8px; }
section { overflow-x: auto; }
.soft { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; font-weight: 400; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.n { text-align: right; }
svg { display: block; margin: 10px 0; }
`;
/** Nothing is fetched, and no script runs. */
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n`;

const section = (title: string, text: string, ...content: readonly string[]): string =>
  `<section><h2>${title}</h2><p class="soft">${text}</p>${content.join("")}</section>`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell, i) => `<${tag}${i > 1 ? ' class="n"' : ""}>${escapeXml(cell)}</${tag}>`).join("");
  return `<table><thead><tr>${cells("th", head)}</tr></thead>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</table>`;
}

/**
 * One HTML page of what was measured of a network's layers: figures with a sentence each on how they are read, and tables. It fetches nothing
 * and runs no script. Throws OptionError where there is nothing to show.
 * @example
 * await writeFile("learning.html", explain.learningPage({ title: "A network", history: watch.history, similarity }));
 */
export function learningPage(options: LearningPageOptions): string {
  const { title, history = [], ranks, similarity, landscape, ...given } = checkOptions(options);
  const statistics = given.statistics ?? history.at(-1);
  const figures = Object.values(historyFigures(history));
  const sections = [
    figures.length > 0 &&
      section(
        "Layers over time",
        "On one batch, before the first epoch and after it. A gradient that falls by orders of magnitude from the last layer to the first vanishes, one that grows explodes; a dead unit learns nothing.",
        ...figures,
      ),
    statistics &&
      section(
        "Layers",
        `Mean loss of the batch: ${numberText(statistics.loss)}. Norms are Euclidean.`,
        table(
          ["Layer", "Type", ...layerColumns.map(([head]) => head)],
          statistics.layers.map((layer) => [layer.path, layer.type, ...layerColumns.map(([, of]) => of(layer))]),
        ),
      ),
    ranks &&
      section(
        "Rank of features",
        "How many dimensions a layer's features fill: the effective rank is exp of the entropy of the singular values (Roy and Vetterli 2007), the stable rank their energy over that of the largest.",
        rankFigure(ranks),
        table(
          ["Layer", "Type", "Features", "Effective rank", "Stable rank", "At most"],
          ranks.map((own) => [
            own.path,
            own.type,
            String(own.features),
            numberText(own.effective),
            numberText(own.stable),
            String(own.most),
          ]),
        ),
      ),
    similarity &&
      section(
        "Similarity of layers",
        `Linear CKA over ${plural(similarity.samples, "sample")} (Kornblith et al. 2019): 1 where features are the same up to rotation and scale. A dark block is a run of layers that change little.`,
        similarityFigure(similarity),
      ),
    landscape &&
      section(
        "Loss around the parameters",
        `Along two random directions with filter normalization (Li et al. 2018); in the middle ${numberText(landscape.loss)}. At ${shareText(landscape.concave)} of the points the loss bends down along a direction, as a convex one never does.`,
        landscapeFigure(landscape),
      ),
  ].filter((own): own is string => typeof own === "string");
  if (sections.length === 0)
    throw new OptionError(
      "learningPage: there is nothing to show; pass history, statistics, ranks, similarity or landscape",
    );
  return htmlPage({ title, style, head: policy, sections: [`<h1>${escapeXml(title)}</h1>`, ...sections] });
}
