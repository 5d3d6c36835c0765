/** What a profile of data says, as plain values that JSON carries. */
import type { ColumnType } from "../tables/column-kinds.ts";

/** How often a value occurs. */
export interface ValueCount {
  /** The value. */
  readonly value: string;
  /** In how many rows or files. */
  readonly count: number;
}

/** Counts of values between edges: `counts[i]` of those from `edges[i]` to `edges[i + 1]`. */
export interface Histogram {
  /** One more than there are counts. */
  readonly edges: readonly number[];
  /** Counts, of the sample. */
  readonly counts: readonly number[];
}

/** Figures of numbers; of dates in milliseconds since 1970. */
export interface NumberFigures {
  /** The least value. */
  readonly least: number;
  /** The greatest value. */
  readonly most: number;
  /** Their mean. */
  readonly mean: number;
  /** Standard deviation (divided by N). */
  readonly deviation: number;
  /** The values below which a quarter, half and three quarters of all lie. */
  readonly quartiles: readonly [number, number, number];
  /** Values beyond Tukey's fences, 1.5 times the distance of the quartiles away from these (Tukey 1977); none where the quartiles agree. */
  readonly outliers?: { readonly count: number; readonly low: number; readonly high: number };
  /** How the values are distributed. */
  readonly histogram: Histogram;
}

/** A column: its type and its figures. */
export interface ColumnProfile extends Omit<ColumnType, "values"> {
  /** Of numbers and dates. */
  readonly numbers?: NumberFigures;
  /** The most frequent values of a column of few kinds. */
  readonly top?: readonly ValueCount[];
  /** Of texts: characters and words on average, and characters of the longest. */
  readonly texts?: { readonly characters: number; readonly words: number; readonly longest: number };
}

/** How strongly pairs of columns go together, from 0 or -1 to 1. */
export interface Associations {
  /** The columns. */
  readonly names: readonly string[];
  /** Row after row; `null` where a pair has too few rows with both. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** A table's rows and columns. */
export interface TableProfile {
  /** Rows in all. */
  readonly rows: number;
  /** Rows of which quantiles, histograms, associations and predictions are made: all, or a sample in which each row had the same chance. */
  readonly sampled: number;
  /** Rows that occur before with all their values; their number is of `comparedRows`. */
  readonly duplicatedRows: number;
  /** Rows compared for this: all, up to 16,777,216. */
  readonly comparedRows: number;
  /** Row numbers, from 1, of the first duplicated rows. */
  readonly firstDuplicates: readonly number[];
  /** Rows without any missing value, of the sample. */
  readonly completeShare: number;
  /** The columns in their order. */
  readonly columns: readonly ColumnProfile[];
  /**
   * Of numbers Pearson's correlation, of categories Cramér's V without its bias (Bergsma 2013), of a number with a category the correlation
   * ratio eta.
   */
  readonly associations: Associations;
}

/** The target: what is to be predicted. */
export interface TargetProfile {
  /** The column, "folder" for files in folders of classes, or "boxes". */
  readonly name: string;
  /** Classes, or a number. */
  readonly task: "classes" | "number" | "none";
  /** Classes by falling count. */
  readonly classes?: readonly ValueCount[];
  /** What each column alone predicts, best first. */
  readonly predictors: readonly Predictor[];
}

/** How well a column alone predicts the target, on the half of the sample that the rule was not made of. */
export interface Predictor {
  /** The column. */
  readonly column: string;
  /** Of classes the accuracy, of a number R². */
  readonly score: number;
  /** The score of the most frequent class, or of the mean. */
  readonly baseline: number;
  /** Whether it predicts so well that it probably holds the answer. */
  readonly leaks: boolean;
}

/** Two that are almost the same. */
export interface NearDuplicate {
  /** The rows or files. */
  readonly items: readonly [string, string];
  /** From 0 to 1: of texts the share of sequences of words that both have, of images that of the bits of their hashes. */
  readonly similarity: number;
  /** Whether both have different classes. */
  readonly conflicting?: boolean;
}

/** A file that cannot be read. */
export interface BrokenFile {
  /** Where it lies, below the folder. */
  readonly path: string;
  /** What is wrong. */
  readonly reason: string;
}

/** The files of a folder. */
export interface FilesProfile {
  /** Files of the kind. */
  readonly count: number;
  /** Files that cannot be read. */
  readonly broken: readonly BrokenFile[];
  /** Files with the same bytes as one before. */
  readonly duplicated: readonly (readonly [string, string])[];
  /** Files of other kinds, by the ends of their names. */
  readonly others: readonly ValueCount[];
  /** What they are, such as pixels, seconds, samples a second, words. */
  readonly figures: readonly { readonly name: string; readonly numbers: NumberFigures }[];
  /** Kinds of files by what they hold, such as "8 bits, CMYK". */
  readonly forms: readonly ValueCount[];
  /** Some images. */
  readonly samples: readonly SampleImage[];
}

/** An image that a page shows. */
export interface SampleImage {
  /** Where it lies, below the folder. */
  readonly path: string;
  /** Its class, or those of its boxes. */
  readonly label: string;
  /** As a data URI. */
  readonly image: string;
  /** Its boxes: left, top, right and bottom as shares of its width and height. */
  readonly boxes?: readonly (readonly [left: number, top: number, right: number, bottom: number])[];
}

/** The boxes of a class. */
export interface BoxClass extends ValueCount {
  /** In how many images it has one at least. */
  readonly images: number;
  /** The share of its image that half of its boxes are below. */
  readonly medianShare: number;
}

/** What is left out of images with boxes, for one reason. */
export interface LeftOutBoxes {
  /** The reason, such as "boxes of no area". */
  readonly reason: string;
  /** How often. */
  readonly count: number;
  /** Some of the places, such as "labels/1.txt: line 3". */
  readonly places: readonly string[];
}

/** Boxes around objects in images; their sizes and numbers are among the figures of the files. */
export interface BoxesProfile {
  /** Which annotations they are of, such as "boxes in COCO's form". */
  readonly form: string;
  /** Boxes within their images, crowds among them. */
  readonly count: number;
  /** Those of them that stand for many objects (COCO's `iscrowd`). */
  readonly crowds: number;
  /** Classes by falling count, crowds left out. */
  readonly classes: readonly BoxClass[];
  /** How many images have no box, one, several. */
  readonly images: readonly ValueCount[];
  /** What training leaves out, by reason. */
  readonly leftOut: readonly LeftOutBoxes[];
  /** Images for which there is no file of labels. */
  readonly unlabelled: readonly string[];
  /** Images and boxes by the parts that the data say themselves; empty where they do not. */
  readonly parts: readonly { readonly part: string; readonly images: number; readonly boxes: number }[];
}

/** A split of the data that tells the truth about new data. */
export interface SplitAdvice {
  /** By class, so that each part has all; by group or by time, so that no part knows of another; or at random. */
  readonly by: "class" | "group" | "time" | "random";
  /** The column. */
  readonly column?: string;
  /** Why. */
  readonly why: string;
}

/** Something that a person should know. */
export interface Finding {
  /** Whether it has to be mended, or only known. */
  readonly weight: "problem" | "hint";
  /** One sentence. */
  readonly text: string;
}

/** What is known of a table or of a folder of files. */
export interface DataProfile {
  /** Where it lies. */
  readonly path: string;
  /** What it is. */
  readonly kind: "table" | "images" | "texts" | "sounds";
  /** Its size. */
  readonly bytes: number;
  /** What was made of it. */
  readonly notes: readonly string[];
  /** What is remarkable, problems first. */
  readonly findings: readonly Finding[];
  /** Of a table. */
  readonly table?: TableProfile;
  /** Of a folder. */
  readonly files?: FilesProfile;
  /** Of a folder of images with boxes. */
  readonly boxes?: BoxesProfile;
  /** What is to be predicted, where it is known. */
  readonly target?: TargetProfile;
  /** Texts or images that are almost the same: the most similar pairs. */
  readonly nearDuplicates: readonly NearDuplicate[];
  /** How to split the data. */
  readonly split: SplitAdvice;
}
