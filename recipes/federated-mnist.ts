/** Digits that stay with 100 clients, of two classes each: a network that is learned by averaging what clients learn, beside one that is trained on all. */
import {
  accuracy,
  collect,
  confusionMatrix,
  cosine,
  crossEntropy,
  type Dataset,
  defineRecipe,
  earlyStopping,
  evaluate,
  federated,
  fit,
  foldIn,
  fromTensors,
  keyOf,
  type Labelled,
  limited,
  mnistClasses,
  scaleBytes,
  sgd,
  type Tensor,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { lenet } from "./shared/lenet.ts";

const network = () => lenet(64, 16);

const open = () => ({ model: network(), classes: mnistClasses, ...greyImages });

/** How the digits are split. */
interface Split {
  readonly clients: number;
  readonly classesPerClient: number;
  readonly alpha: number;
  readonly seed: number;
}

/** Whether so many clients have all classes between them. */
const isEnough = (clients: number, { classesPerClient, alpha }: Pick<Split, "classesPerClient" | "alpha">) =>
  alpha > 0 || clients * classesPerClient >= mnistClasses.length;

/** Of few digits so many clients that each has ten, and a mix of classes where there are too few for shards. */
function partitionOf(labels: Tensor, { clients: asked, classesPerClient, alpha, seed }: Split): federated.Partition {
  const count = labels.data.length;
  const clients = Math.min(asked, Math.max(1, Math.floor(count / 10)));
  const key = foldIn(keyOf(seed), "partition");
  if (alpha > 0) return federated.dirichletPartition(labels, { clients, alpha, key });
  return isEnough(clients, { classesPerClient, alpha })
    ? federated.classPartition(labels, { clients, classesPerClient, key })
    : federated.dirichletPartition(labels, { clients, alpha: 100, key });
}

export default defineRecipe({
  name: "federated-mnist",
  summary:
    "Federated learning: 100 simulated clients keep the digits of two classes each, and a network is averaged from what they learn, beside central training; an epoch is a round",
  data: "MNIST: 55,000 digits at clients, 5,000 to choose by, 10,000",
  defaults: { epochs: 100, batchSize: 20, learningRate: 0.08, optimizer: "sgd", seed: 0 },
  options: {
    clients: { description: "how many clients there are", default: 100 },
    classesPerClient: { description: "classes of each client (McMahan et al. 2017)", default: 2 },
    alpha: {
      description: "in place of classesPerClient, concentration of the Dirichlet mixes of classes (Hsu et al. 2019)",
      default: 0,
    },
    strategy: {
      description: "how it is learned",
      default: "fedAdam",
      choices: ["fedAvg", "fedProx", "scaffold", "fedAdam"],
    },
    serverRate: { description: "step of the coordinator, of fedAdam alone", default: 0.02 },
    share: { description: "share of the clients that take part in a round", default: 0.2 },
    localEpochs: { description: "passes over a client's digits in a round", default: 1 },
    compression: {
      description: "how updates are written",
      default: "float32",
      choices: ["float32", "float16", "int8", "topK"],
    },
  },
  next: [
    "sardonyx train federated-mnist --alpha 0.3                  other mixes of classes",
    "sardonyx train federated-mnist --strategy fedAvg            the mean of what clients reach",
    "sardonyx train federated-mnist --compression int8           updates of a quarter of the bytes",
  ],
  open,
  async load(settings, limit, onDownload) {
    const { batchSize, seed, learningRate, strategy, share, localEpochs, compression } = settings;
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [all, test] = [limited(data.train, limit), limited(data.test, limit)];
    const [choosing, known] = all.split(1 / 12, keyOf(seed));
    const scale = scaleBytes();
    const own = fromTensors((await collect(known)) as Labelled);
    const parts = partitionOf(own.tensors.y, settings);
    const dataOf = (client: number): Dataset<Labelled> => {
      const part = parts[client] ?? new Uint32Array();
      const key = foldIn(keyOf(seed), "client", client);
      // Batches of one size, so that the step is compiled once: what is left over comes in other epochs.
      const size = Math.min(batchSize, part.length);
      return own.select(part).shuffle(key).batch(size, { dropLast: true }).map(scale) as Dataset<Labelled>;
    };
    const measured = (part: Dataset<Labelled>) => part.batch(250, { dropLast: false }).map(scale);
    const [validation, held] = [measured(choosing), measured(test)];
    const opened = open();
    const { model, inputs } = opened;
    model.initialize(keyOf(seed), inputs);
    const loss = crossEntropy();
    const clients = { count: parts.length, samples: (client: number) => parts[client]?.length ?? 0, data: dataOf };
    const options: federated.FederationOptions = {
      strategy: federated.strategyOf({
        name: strategy,
        settings: strategy === "fedAdam" ? { serverRate: settings.serverRate } : {},
      }),
      ...{ share, localEpochs, compression: { encoding: compression } },
      rate: cosine({ rate: 1, floor: 0.1, steps: settings.epochs }),
      key: foldIn(keyOf(seed), "federation"),
    };
    const federation = federated.federation(model, { clients, federation: options });
    const accuracyOf = async (trained: typeof model, part: typeof held) =>
      (await evaluate(trained, part, { loss, metrics: [accuracy()] })).results["accuracy"] ?? Number.NaN;
    return {
      ...opened,
      train: federation.train,
      validation,
      test: held,
      loss,
      metrics: [accuracy(), confusionMatrix(10)],
      federated: { clients, options },
      schedule: federation.scheduled(learningRate),
      callbacks: [federation.callback],
      training: { transforms: federation.transforms },
      samples: { train: own.length ?? 0, test: test.length ?? 0 },
      notes: [
        ...(parts.length < settings.clients
          ? [`${own.length} digits are split among ${parts.length} clients, not ${settings.clients}`]
          : []),
        ...(isEnough(parts.length, settings) ? [] : ["so few clients have all classes, in about the same mix"]),
      ],
      async measure(): Promise<Record<string, number>> {
        const { rounds } = federation;
        // A run whose training was over when it was taken up again only measures.
        if (rounds.length === 0) return {};
        const sum = (count: (round: federated.RoundRecord) => number) =>
          rounds.reduce((total, round) => total + count(round), 0);
        return {
          clients: parts.length,
          rounds: rounds.length,
          bytes_down: sum(({ bytesDown }) => bytesDown),
          bytes_up: sum(({ bytesUp }) => bytesUp),
        };
      },
      async baselines() {
        const began = performance.now();
        const central = network();
        const epochs = 5;
        const batches = own
          .shuffle(keyOf(seed))
          .batch(Math.min(batchSize, own.length ?? 1))
          .map(scale);
        const steps = Math.max(1, epochs * (batches.length ?? 1));
        await fit(central, batches, {
          loss,
          metrics: [accuracy()],
          validation,
          optimizer: sgd({ learningRate: cosine({ rate: learningRate, steps }) }),
          epochs,
          callbacks: [earlyStopping({ monitor: "validation_accuracy", patience: epochs })],
          training: { seed },
        });
        return [
          {
            name: "central training",
            settings: `all digits in one place, ${epochs} epochs, the best on the validation data`,
            validation: await accuracyOf(central, validation),
            test: await accuracyOf(central, held),
            metric: "accuracy" as const,
            seconds: (performance.now() - began) / 1000,
          },
        ];
      },
    };
  },
});
