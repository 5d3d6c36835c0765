/** Images and sentences in one space (CLIP, Radford et al. 2021): sentences name the classes, and some were never seen. */
import { existsSync } from "node:fs";
import {
  cosine,
  DataError,
  type Dialogue,
  defineRecipe,
  encodePng,
  foldIn,
  gatherRows,
  heatmap,
  highest,
  keyOf,
  scaleBytes,
  tileImages,
  wordsOf,
} from "../src/index.ts";
import { loadMnist, readImage } from "../src/node.ts";
import {
  captionedSet,
  digitSets,
  idsOf,
  imagesOf,
  longest,
  type Meaning,
  pairs,
  prompts,
  side,
  vocabulary,
  wholeCaption,
  withCaption,
} from "./shared/captioned-digits.ts";
import { compareTowers, distinct, measureTowers } from "./shared/compare-towers.ts";
import { cosineOf, type Embedder, embedder, pairing, type ReaderKind, TwoTowers } from "./shared/two-towers.ts";

const build = (reader: ReaderKind) =>
  new TwoTowers({ width: 64, vocabulary: vocabulary.size, positions: longest, reader });

const network = ({ reader }: { readonly reader: ReaderKind }) => ({
  model: build(reader),
  inputs: {
    x: { dtype: "float32", shape: [1, 3, side, side] },
    text: { dtype: "int32", shape: [1, longest] },
  } as const,
});

/** What an image is compared with where no sentences are given. */
const usual = pairs.map((pair) => prompts(pair)[0] as string);
/** Images in which a sentence is sought. */
const gallerySize = 1000;

/** The sentences that are nearest to an image, with their probabilities among those given. */
async function describe(path: string, texts: readonly string[], towers: Embedder) {
  const image = (await readImage(path, { size: [side, side] })).reshape([1, 3, side, side]);
  const [own, all] = [await towers.images(image), await towers.texts(idsOf(texts))];
  const scores = texts.map((_, i) => towers.scale * cosineOf(own, 0, all, i));
  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  const found = highest(scores, 5).map((i) => ({
    caption: texts[i] as string,
    probability: Math.exp(scores[i] ?? 0) / total,
  }));
  const lines = found.map(({ caption, probability }) => `${caption} (${(100 * probability).toFixed(1)} %)`);
  return { text: lines.join("; "), fields: { found } };
}

/** Images of test digits in all colours, with their vectors. */
async function galleryOf(folder: string, towers: Embedder) {
  const { test } = await loadMnist({ ...(folder !== "" && { dir: folder }) });
  const set = captionedSet(test.tensors, new Set(pairs.keys()), gallerySize, foldIn(keyOf(0), "gallery"));
  return { ...set, vectors: await towers.images(set.x) };
}

/** The images that are nearest to a sentence, drawn. */
async function search(text: string, gallery: Awaited<ReturnType<typeof galleryOf>>, towers: Embedder) {
  const { shown, x, vectors } = gallery;
  const own = await towers.texts(idsOf([text]));
  const scores = shown.map((_, i) => cosineOf(own, 0, vectors, i));
  const nearest = highest(scores, 12);
  const found = nearest.map((i) => ({ caption: wholeCaption(shown[i] as Meaning), cosine: scores[i] ?? 0 }));
  const captions = found.slice(0, 4).map(({ caption }) => caption);
  return {
    text: `nearest of ${gallerySize} images: ${captions.join("; ")}`,
    fields: { found },
    drawings: { "images.png": encodePng(tileImages(gatherRows(x, nearest), 6)) },
  };
}

const open = ({ reader, data: folder }: { readonly reader: ReaderKind; readonly data: string }) => {
  const { model, inputs } = network({ reader });
  const dialogue: Dialogue = {
    what: "a sentence, whose nearest images are drawn; or an image, with sentences to choose from if any: 'digit.png: a red two; a blue two'",
    example: "a red seven on blue",
    async open(compile) {
      const towers = embedder(model, compile);
      let gallery: ReturnType<typeof galleryOf> | undefined;
      return async (question) => {
        const [, path = question, given] = /^(.+\.\w+):\s+(.+)$/.exec(question) ?? [];
        const isImage = given !== undefined || existsSync(path) || /\.\w{3,4}$/.test(path);
        const texts = isImage ? (given?.split(";").map((text) => text.trim()) ?? usual) : [question];
        const words = texts.flatMap((text) => wordsOf(text));
        const unknown = vocabulary.unknown(words);
        if (texts.some((text) => wordsOf(text).every((word) => unknown.includes(word))))
          throw new DataError(`the model knows no word of "${question}"; pass one such as 'a red seven on blue'`);
        if (!isImage) gallery ??= galleryOf(folder, towers);
        const answer = gallery && !isImage ? search(question, await gallery, towers) : describe(path, texts, towers);
        return { ...(await answer), ...(unknown.length > 0 && { note: `not known: ${unknown.join(", ")}` }) };
      };
    },
  };
  return { model, inputs, dialogue };
};

export default defineRecipe({
  name: "clip-digits",
  summary: "Images and sentences in one space, as CLIP: digits are named in colours that they never had before",
  data: "MNIST's digits in colours on colours with sentences: 8,000 new ones an epoch; to test, 1,000 of pairs of digit and colour that training has and 1,000 of others",
  defaults: { epochs: 10, batchSize: 64, learningRate: 0.002, optimizer: "adam", seed: 0 },
  options: {
    reader: {
      description: "how sentences are read: by attention to words in their order, or as a bag of words",
      default: "attention",
      choices: ["attention", "words"],
    },
    data: { description: "folder of MNIST's four files; downloaded where there is none", default: "" },
    compare: {
      description: "both readers, classifiers trained on labels, few examples; over five seeds",
      default: false,
    },
  },
  next: ["sardonyx predict clip-digits 'a red seven on blue'          draws the nearest images"],
  network,
  open,
  async load({ reader, data: folder, compare, batchSize, seed, epochs, learningRate }, limit, onDownload) {
    const digits = await loadMnist({
      ...(folder !== "" && { dir: folder }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const opened = open({ reader, data: folder });
    const { model } = opened;
    const sets = digitSets(digits, seed, limit);
    const key = foldIn(keyOf(seed), "captions");
    const train = sets.train.map(withCaption, key).batch(batchSize).map(scaleBytes());
    const measured = ({ seen, unseen }: typeof sets.test) =>
      imagesOf([seen, unseen]).map(withCaption, key).batch(100, { dropLast: false }).map(scaleBytes());
    return {
      ...opened,
      train,
      validation: measured(sets.validation),
      test: measured(sets.test),
      objective: pairing(model),
      samples: { train: sets.train.length ?? 0, test: sets.test.seen.shown.length + sets.test.unseen.shown.length },
      schedule: cosine({ rate: learningRate, steps: epochs * (train.length ?? 1) }),
      training: { clipNorm: 1 },
      async measure(compile) {
        const results = await measureTowers(embedder(model, compile), sets.test);
        if (!compare) return results;
        // A run of few samples is shortened in this too.
        const seeds = limit === undefined ? [0, 1, 2, 3, 4] : [0, 1];
        const setsOf = (own: number) => digitSets(digits, own, limit);
        const given = { epochs, batchSize, learningRate, compile };
        return { ...results, ...(await compareTowers(build, setsOf, seeds, given)) };
      },
      async draw(compile) {
        const towers = embedder(model, compile);
        const { shown, x } = distinct(sets.test.unseen, 12);
        const captions = shown.map(wholeCaption);
        const [images, texts] = [await towers.images(x), await towers.texts(idsOf(captions))];
        return {
          "cosines.svg": heatmap({
            title: "Cosines of test images (rows, images.png) and sentences",
            rows: captions.map((_, i) => `image ${i + 1}`),
            columns: captions,
            values: captions.flatMap((_, i) => captions.map((_, j) => cosineOf(images, i, texts, j))),
          }),
          "images.png": encodePng(tileImages(x, 12)),
        };
      },
    };
  },
});
