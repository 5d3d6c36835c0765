/** Every public function that takes options refuses one that it does not have, and a value of a wrong type. */
import { expect, test } from "vitest";
import * as analyze from "../src/analyze/index.ts";
import { OptionError } from "../src/core/errors.ts";
import * as s from "../src/index.ts";
import * as node from "../src/node.ts";
import * as web from "../src/web/index.ts";

const { explain, models, ops, rl } = s;
const row = s.tensor([[1]]);
const x = s.input("float32", [1, 1, 2, 2]);
const model = s.dense(2);
const adapted = s.dense(2);
adapted.trace({ dtype: "float32", shape: [1, 2] });
const samples = s.fromTensors({ x: s.tensor([[1], [2]]), y: s.tensor([1, 2]) });
const table: s.TablePart = {
  x: s.tensor([[1], [2]], { dtype: "float32" }),
  labels: { kind: "classes", y: s.tensor([0, 1], { dtype: "int32" }), classes: 2 },
};
const maze = rl.makeMaze({ size: 3, key: s.keyOf(1) });

/** Calls with options: by what the errors say that they are of. */
const calls: Readonly<Record<string, (options: never) => unknown>> = {
  dense: (options) => s.dense(1, options),
  conv: (options) => s.conv2d(1, 1, options),
  convTranspose: (options) => s.convTranspose2d(1, 1, options),
  pool: (options) => s.maxPool2d(2, options),
  batchNorm: (options) => s.batchNorm(options),
  layerNorm: (options) => s.layerNorm(options),
  rmsNorm: (options) => s.rmsNorm(options),
  embedding: (options) => s.embedding(2, 2, options),
  positionEmbedding: (options) => s.positionEmbedding(2, options),
  multiHeadAttention: (options) => s.multiHeadAttention(4, 2, options),
  rnn: (options) => s.rnn(2, options),
  lstm: (options) => s.lstm(2, options),
  gru: (options) => s.gru(2, options),
  attend: (options) => s.attend(x, x, x, options, new s.Context(model)),
  rotary: (options) => s.rotary(x, options),
  context: (options) => new s.Context(model, options),
  quantizeFrozen: (options) => s.quantizeFrozen(model, options),
  textVectors: (options) => s.textVectors(model, options),
  crossEntropy: (options) => s.crossEntropy(options),
  categoricalCrossEntropy: (options) => s.categoricalCrossEntropy(options),
  binaryCrossEntropy: (options) => s.binaryCrossEntropy(options),
  huber: (options) => s.huber(options),
  contrastive: (options) => s.contrastive(s.input("float32", [2, 2]), options),
  ctc: (options) => s.ctc(options),
  ctcDecode: (options) => s.ctcDecode(x, 1, options),
  detectionLoss: (options) => s.detectionLoss(options),
  nonMaxSuppression: (options) => ops.nonMaxSuppression(x, x, options),
  sgd: (options) => s.sgd(options),
  rmsprop: (options) => s.rmsprop(options),
  adagrad: (options) => s.adagrad(options),
  adam: (options) => s.adam(options),
  adamw: (options) => s.adamw(options),
  lamb: (options) => s.lamb(options),
  muon: (options) => s.muon(options),
  stepDecay: (options) => s.stepDecay(options),
  exponentialDecay: (options) => s.exponentialDecay(options),
  cosine: (options) => s.cosine(options),
  inverseSquareRoot: (options) => s.inverseSquareRoot(options),
  oneCycle: (options) => s.oneCycle(options),
  accuracy: (options) => s.accuracy(options),
  topKAccuracy: (options) => s.topKAccuracy(2, options),
  confusionMatrix: (options) => s.confusionMatrix(2, options),
  precision: (options) => s.precision(options),
  recall: (options) => s.recall(options),
  f1: (options) => s.f1(options),
  perplexity: (options) => s.perplexity(options),
  reading: (options) => s.reading(s.accuracy(), options),
  earlyStopping: (options) => s.earlyStopping(options),
  movingAverage: (options) => s.movingAverage(options),
  checkpoint: (options) => node.checkpoint("checkpoint.safetensors", options),
  imageTensor: (options) => web.imageTensor(new Blob(), options),
  openCamera: (options) => web.openCamera(options),
  pageDevice: (options) => web.pageDevice(options),
  fit: (options) => s.fit(model, samples, options),
  diskRows: (options) => node.diskRows(options),
  evaluate: (options) => s.evaluate(model, samples, options),
  "the trainer": (options) => new s.Trainer(model, options),
  tensor: (options) => s.tensor([1], options),
  encodeModel: (options) => s.encodeModel(s.graphOf([x], [x]), options),
  attendHeads: (options) => s.attendHeads(x, new s.Context(model), options),
  inspect: (options) =>
    analyze.inspect(
      analyze.moduleNetwork({ name: "dense", source: "", model, inputs: { dtype: "float32", shape: [1, 2] } }),
      options,
    ),
  runTrial: (options) => s.runTrial({} as never, {} as never, options),
  addLora: (options) => s.addLora(model, options),
  addIa3: (options) => s.addIa3(model, options),
  addBottleneck: (options) => s.addBottleneck(model, options),
  addPrompt: (options) => s.addPrompt(model, options),
  addPrefix: (options) => s.addPrefix(model, options),
  preferenceObjective: (options) => s.preferenceObjective(adapted, model, options),
  withHead: (options) => s.withHead(adapted, s.dense(2), options),
  discriminativeGroups: (options) => s.discriminativeGroups(adapted, options),
  gradualUnfreezing: (options) => s.gradualUnfreezing(options),
  "the adapter": (options) => s.addLora(adapted, { rank: 1, targets: "model" }, options),
  encodePeft: (options) => s.encodePeft({} as s.AdapterSet, "default", options),
  decodePeft: (options) => s.decodePeft(model, {}, new Uint8Array(), options),
  saveAdapter: (options) => node.saveAdapter({} as s.AdapterSet, "adapter", options),
  merge: (options) => s.merge({} as s.AdapterSet, options),
  prototypes: (options) => s.prototypes(s.tensor([[1], [2]]), s.tensor([0, 1]), options),
  nearestNeighbours: (options) => s.nearestNeighbours(s.tensor([[1], [2]]), s.tensor([0, 1]), options),
  linearProbe: (options) => s.linearProbe(s.tensor([[1], [2]]), s.tensor([0, 1]), options),
  randomForest: (options) => s.randomForest(table.x, table.labels, options),
  boostedTrees: (options) => s.boostedTrees(table.x, table.labels, options),
  compareTableBaselines: (options) =>
    s.compareTableBaselines({ train: table, validation: table, test: table }, options),
  compareTextBaselines: (options) =>
    s.compareTextBaselines(
      { train: [{ text: "a", label: 0 }], validation: [{ text: "a", label: 0 }], test: [{ text: "a", label: 0 }] },
      1,
      options,
    ),
  compareLabelBaselines: (options) => s.compareLabelBaselines({ train: [], validation: [], test: [] }, options),
  seasonalNaive: (options) => s.seasonalNaive(s.tensor([1]), options),
  compareSeriesBaselines: (options) =>
    s.compareSeriesBaselines({ train: table.x, validation: table.x, test: table.x }, options),
  naiveBayes: (options) => s.naiveBayes([{ text: "a", label: 0 }], 1, options),
  mostPopular: (options) => s.mostPopular(s.tensor([[0, 0]]), options),
  episodes: (options) => s.episodes(s.tensor([0, 1]), options),
  featuresOf: (options) => s.featuresOf(model, samples, options),
  predictor: (options) => s.predictor(model, options),
  predict: (options) => s.predict(model, s.tensor([[1]]), options),
  activations: (options) => s.activations(model, s.tensor([[1]]), [], options),
  compile: (options) => s.compile([x], [x], options),
  jit: (options) => s.jit(() => x, options),
  batch: (options) => samples.batch(1, options),
  shuffle: (options) => samples.shuffle(s.keyOf(1), options),
  epoch: (options) => samples.epoch(0, options),
  fromIterable: (options) => s.fromIterable(() => [], options),
  bucketed: (options) => s.bucketed([], options),
  crop: (options) => s.crop(options),
  logMel: (options) => s.logMel(options),
  fitRatingBiases: (options) => s.fitRatingBiases({ x: s.tensor([[0, 0]]), y: s.tensor([1]) }, options),
  maskTokens: (options) => s.maskTokens(options),
  chatExamples: (options) => s.chatExamples([], options),
  packExamples: (options) => s.packExamples([], options),
  previewExamples: (options) => s.previewExamples([], { decode: () => "" }, options),
  labelledTexts: (options) => s.labelledTexts([], options),
  taggedWords: (options) => s.taggedWords([], options),
  textPairs: (options) => s.textPairs([], options),
  chatTemplate: (options) => s.chatTemplate("chatml", options),
  chatTemplateOf: (options) => s.chatTemplateOf({}, options),
  trainBpe: (options) => s.trainBpe("text", options),
  wordsOf: (options) => s.wordsOf("text", options),
  vocabulary: (options) => s.Vocabulary.of([], options),
  syntheticRatings: (options) => s.syntheticRatings(options),
  readImage: (options) => node.readImage("image.png", options),
  loadImageFolder: (options) => node.loadImageFolder("images", options),
  loadSoundFolder: (options) => node.loadSoundFolder("sounds", options),
  loadCsv: (options) => node.loadCsv("table.csv", options),
  profileData: (options) => node.profileData("table.csv", options),
  openTable: (options) => node.openTable("table.csv", options),
  streamCsv: (options) => node.streamCsv("table.csv", options),
  "the data set": (options) => node.loadIris(options),
  loadSpokenWords: (options) => node.loadSpokenWords(options),
  inWorker: (options) => node.inWorker("data.ts", {}, options),
  decoder: (options) => s.decoder(model, options),
  sampling: (options) => s.sampleToken(new Float32Array(1), options, new s.Random(s.keyOf(1))),
  beamSearch: (options) => s.beamSearch(async () => [], options),
  translator: (options) => s.translator(model as never, options),
  encodeOnnx: (options) => s.encodeOnnx(model, options),
  saveModel: (options) => s.encodeSavedModel(model, options),
  modelFromOnnx: (options) => s.modelFromOnnx(new Uint8Array(), options),
  modelFromTfjs: (options) => s.modelFromTfjs({}, options),
  downloadModel: (options) => node.downloadModel("owner/name", options),
  loadModel: (options) => node.loadModel("model.onnx", options),
  linePlot: (options) => s.linePlot([], options),
  barPlot: (options) => s.barPlot([], options),
  heatmap: (options) => s.heatmap(options),
  makeMaze: (options) => rl.makeMaze(options),
  mazeEnvironment: (options) => rl.mazeEnvironment(maze, options),
  drawMaze: (options) => rl.drawMaze(maze, options),
  deepQLearning: (options) => rl.deepQLearning(options),
  openEmbedder: (options) => node.openEmbedder("run", options),
  openRun: (options) => node.openRun("run", options),
  runRecipe: (options) => node.runRecipe("iris", {}, options),
  searchRecipe: (options) => node.searchRecipe("iris", {}, options),
  runExperiment: (options) => node.runExperiment("depth-mnist", {}, options),
  withLora: (options) => analyze.withLora({} as never, options),
  Gan: (options) => new models.Gan(options),
  Vae: (options) => new models.Vae(options),
  LstmClassifier: (options) => new models.LstmClassifier(options),
  RecurrentClassifier: (options) => new models.RecurrentClassifier(options),
  keywordConvolution: (options) => models.keywordConvolution(options),
  DeepMlp: (options) => new models.DeepMlp(options),
  TableNetwork: (options) => new models.TableNetwork([{ kind: "category", values: 2 }], options),
  RecurrentTextNetwork: (options) => new models.RecurrentTextNetwork(options),
  TextNetwork: (options) => new models.TextNetwork({ words: 1, characters: 0, weights: [1], runs: 0 }, options),
  printProgress: (options) => s.printProgress(options),
  Forecaster: (options) => new models.Forecaster(options),
  nGramModel: (options) => s.nGramModel(Int32Array.of(0), options),
  keepBestCandidate: (options) =>
    s.keepBestCandidate(new models.TableNetwork([{ kind: "category", values: 2 }], { outputs: 2 }), options),
  SideBySide: (options) => new models.SideBySide({}, options),
  smallConvolution: (options) => models.smallConvolution(options),
  cosineInTime: (options) => s.cosineInTime(options),
  QNetwork: (options) => new models.QNetwork(options),
  ItemRanker: (options) => new models.ItemRanker([1], options),
  Biases: (options) => new models.Biases(options),
  Factors: (options) => new models.Factors(options),
  Tastes: (options) => new models.Tastes(options),
  FeatureBiases: (options) => new models.FeatureBiases(options),
  EncoderClassifier: (options) => new models.EncoderClassifier(model as never, options),
  AlexNet: (options) => new models.AlexNet(options),
  DenseNet: (options) => new models.DenseNet(options),
  EfficientNet: (options) => new models.EfficientNet(options),
  GoogLeNet: (options) => new models.GoogLeNet(options),
  InceptionV3: (options) => new models.InceptionV3(options),
  LeNet5: (options) => new models.LeNet5(options),
  MobileNetV1: (options) => new models.MobileNetV1(options),
  MobileNetV2: (options) => new models.MobileNetV2(options),
  ResNet: (options) => new models.ResNet(options),
  CifarResNet: (options) => new models.CifarResNet(options),
  SqueezeNet: (options) => new models.SqueezeNet(options),
  Vgg: (options) => new models.Vgg(options),
  SingleShotDetector: (options) => new models.SingleShotDetector(options),
  ObjectFinder: (options) => new models.ObjectFinder(model, options),
  VisionTransformer: (options) => new models.VisionTransformer(options),
  VitModel: (options) => new models.VitModel(options),
  bert: (options) => new models.BertModel(options),
  albert: (options) => new models.AlbertModel(options),
  distilbert: (options) => new models.DistilBertModel(options),
  gpt2: (options) => new models.Gpt2Model(options),
  llama: (options) => new models.LlamaModel(options),
  t5: (options) => new models.T5Model(options),
  transformer: (options) => new models.Transformer(options),
  recurrentTranslator: (options) => new models.RecurrentTranslator(options),
  "a head": (options) => models.bertArchitectures.BertForMaskedLM({} as never, options),
  scoreOf: (options) => explain.scoreOf(model, row, options),
  saliency: (options) => explain.saliency(model, row, options),
  inputTimesGradient: (options) => explain.inputTimesGradient(model, row, options),
  smoothGrad: (options) => explain.smoothGrad(model, row, options),
  integratedGradients: (options) => explain.integratedGradients(model, row, options),
  expectedGradients: (options) => explain.expectedGradients(model, row, options),
  occlusion: (options) => explain.occlusion(model, row, options),
  kernelShap: (options) => explain.kernelShap(model, row, options),
  gradCam: (options) => explain.gradCam(model, row, options),
  deletionAndInsertion: (options) => explain.deletionAndInsertion(model, row, {} as never, options),
  sanityCheck: (options) => explain.sanityCheck(model, row, async () => ({}) as never, options),
  resnet50: (options) => models.presetOf("resnet50").build(options),
};

test.each([node.loadMnist, node.loadFashionMnist, node.loadCifar10, node.loadImdb, node.loadMovieLens])(
  "%o refuses options that no data set has",
  async (load) => {
    await expect((async () => load({ notAnOption: 1 } as object))()).rejects.toThrow(
      'unknown option of the data set: "notAnOption"',
    );
  },
);

test("settings of a run and options within options are checked too", async () => {
  await expect(node.runRecipe("iris", { epoch: 1 } as object)).rejects.toThrow('did you mean "epochs"?');
  await expect(node.runRecipe("iris", {}, { checkpointSeconds: -1 })).rejects.toThrow(
    "runRecipe: checkpointSeconds is -1; ",
  );
  const options = { loss: s.meanSquaredError(), optimizer: s.adam() };
  const training = (own: object) => () => new s.Trainer(model, { ...options, training: own });
  expect(training({ acumulate: 2 })).toThrow('unknown option of training: "acumulate"; did you mean "accumulate"?');
  expect(training({ groups: [{ parameters: "*", learningRate: -1 }] })).toThrow(
    "the trainer: training.groups[0].learningRate is -1; pass a number from 0 such as 0.001, or a schedule",
  );
  expect(training({ precision: "float16", lossScale: { start: 2 } })).toThrow("lossScale");
  expect(training({ compile: { threads: 0 } })).toThrow("the trainer: training.compile.threads is 0; pass a whole");
});

test.each(Object.entries(calls))("%s", async (where, call) => {
  // Some refuse at once, others by their promise.
  const refusal = async (options: unknown) => call(options as never);
  await expect(refusal({ notAnOption: 1 })).rejects.toThrow(`unknown option of ${where}: "notAnOption"`);
  await expect(refusal("none")).rejects.toThrow(`${where}: options are "none"; pass an object`);
  await expect(refusal({ notAnOption: 1 })).rejects.toThrow(OptionError);
});
