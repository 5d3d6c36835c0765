/** Instruction tuning (Wei et al. 2021): a small GPT that knows exercises as statements learns to answer questions about them. */
import {
  type AnyModule,
  accuracy,
  adamw,
  bucketed,
  type Callback,
  type ChatExample,
  type CompileOptions,
  chatExamples,
  chatTemplate,
  confidenceInterval,
  cosine,
  crossEntropy,
  DataError,
  type Dialogue,
  decoder,
  defineRecipe,
  fit,
  foldIn,
  fromIterable,
  generate,
  ignoredLabel,
  type Key,
  keyOf,
  models,
  type PaddedExamples,
  padExamples,
  previewExamples,
  Random,
  type Tensor,
  textWindows,
  tokenizerOf,
  trainBpe,
} from "../src/index.ts";
import {
  chatOf,
  differentExercises,
  type Exercise,
  exerciseSentences,
  exercises,
  exerciseTasks,
  textOf,
} from "./shared/exercises.ts";

const [start, end] = ["<|im_start|>", "<|im_end|>"];
/** Tokens that the model reads, and those of an answer at most. */
const positions = 32;
const longestAnswer = 8;
/** Statements of an epoch of pretraining, which are drawn anew in each. */
const statements = 8192;
/** Questions of each of validation and test. */
const asked = 200;
const seeds = [0, 1, 2, 3, 4];
const adamwOptions = { beta2: 0.99, weightDecay: 0.01 };
const loss = crossEntropy({ ignoreIndex: ignoredLabel });
type Learned = "answers" | "all";

const template = chatTemplate("chatml", { eos: end });
/** Letters and digits are tokens, and the words of the sentences: they are all that is merged. */
const tokenizer = tokenizerOf(
  JSON.parse(
    trainBpe([...exerciseSentences, "user", "assistant"].join("\n").repeat(2), {
      vocabulary: 512,
      special: [start, end],
    }).json(),
  ),
);
const endToken = tokenizer.idOf(end);

const network = () => ({
  model: models.gpt2Architectures.GPT2LMHeadModel({
    sizes: { width: 64, layers: 3, heads: 4, feedForward: 256, positions, vocabulary: tokenizer.size },
    details: { dropout: 0, attentionDropout: 0, deviation: 0.05 },
    embeddingDropout: 0,
  }),
  inputs: { dtype: "int32", shape: [1, positions] } as const,
});

/** Completes prompts by the likeliest tokens, each until its end; what does not end is no completion. */
async function completing(model: AnyModule, compile: CompileOptions) {
  const reader = await decoder(model, { capacity: positions, compile });
  const random = new Random(keyOf(0));
  const complete = async (text: string): Promise<string | undefined> => {
    const prompt = tokenizer.encode(text);
    if (prompt.length + longestAnswer > positions)
      throw new DataError(
        `the question has ${prompt.length} tokens with its template, the model reads ${positions - longestAnswer}; shorten it`,
      );
    const written: number[] = [];
    for await (const token of generate(reader, prompt, { temperature: 0, random })) {
      if (token === endToken) return tokenizer.decode(written);
      written.push(token);
      if (written.length === longestAnswer) break;
    }
    return undefined;
  };
  return { complete, release: () => reader.release() };
}

/** What precedes an answer, and what follows until the end. */
type Form = (exercise: Exercise) => readonly [prompt: string, completion: string];

const promptOf = (question: string): string =>
  template.renderPrompt({ messages: [{ role: "user", content: question }] });
const asChat: Form = ({ question, answer }) => [promptOf(question), answer];
const asStatement: Form = ({ statement, answer }) => {
  const known = statement.slice(0, -` ${answer}.`.length);
  return [known, ` ${answer}.`];
};

/** Shares of exercises that a model completes to the letter: of all, and by task. */
async function exactMatches(model: AnyModule, own: readonly Exercise[], form: Form, compile: CompileOptions) {
  const { complete, release } = await completing(model, compile);
  const right = new Set<Exercise>();
  for (const exercise of own) {
    const [prompt, completion] = form(exercise);
    if ((await complete(prompt)) === completion) right.add(exercise);
  }
  await release();
  const share = (some: readonly Exercise[]) => some.filter((exercise) => right.has(exercise)).length / some.length;
  const byTask = exerciseTasks.map((task) => [task, share(own.filter((exercise) => exercise.task === task))] as const);
  return { all: share(own), byTask };
}

/** As results of a test, such as `tuned_accuracy` and `tuned_copy_accuracy`. */
const resultsOf = (name: string, { all, byTask }: Awaited<ReturnType<typeof exactMatches>>) => ({
  [`${name}_accuracy`]: all,
  ...Object.fromEntries(byTask.map(([task, share]) => [`${name}_${task}_accuracy`, share])),
});

/** Means of several seeds with the ends of their 95 % intervals. */
function meansOf(name: string, found: readonly Awaited<ReturnType<typeof exactMatches>>[]) {
  const intervalOf = (what: string, shares: readonly number[]) => {
    const { mean, low, high } = confidenceInterval(shares);
    return { [`${what}_accuracy`]: mean, [`${what}_accuracy_low`]: low, [`${what}_accuracy_high`]: high };
  };
  return Object.assign(
    intervalOf(
      name,
      found.map(({ all }) => all),
    ),
    ...exerciseTasks.map((task, i) =>
      intervalOf(
        `${name}_${task}`,
        found.map(({ byTask }) => byTask[i]?.[1] ?? Number.NaN),
      ),
    ),
  ) as Readonly<Record<string, number>>;
}

/** Remembers the parameters with which tuning begins. */
function rememberBase(pretraining: number) {
  let base: Readonly<Record<string, Float32Array>> | undefined;
  const callback: Callback = {
    name: "base",
    onStart({ model, epoch, batchInEpoch }) {
      if (epoch !== pretraining || batchInEpoch > 0) return;
      base = Object.fromEntries(
        [...model.parameters()].flatMap(([path, { value }]) =>
          value ? [[path, (value.data as Float32Array).slice()]] : [],
        ),
      );
    },
    state: () => base,
    restore(state) {
      base = (state as typeof base) ?? undefined;
    },
  };
  return { callback, parameters: () => base };
}

/** A model with known parameters, or with those that a seed gives. */
function modelOf(parameters: Readonly<Record<string, Float32Array>> | undefined, seed = 0): AnyModule {
  const { model, inputs } = network();
  model.trace(inputs);
  model.initialize(keyOf(seed));
  for (const [path, { value }] of model.parameters()) {
    const known = parameters?.[path];
    if (known && value) (value.data as Float32Array).set(known);
  }
  return model;
}

const deployment = () => {
  const { model, inputs } = network();
  const dialogue: Dialogue = {
    what: "a question about a word or two numbers",
    example: "What is the reverse of ABBA?",
    async open(compile) {
      const { complete } = await completing(model, compile);
      return async (question) => {
        const text = (await complete(promptOf(question))) ?? "(no answer)";
        return { text, fields: { answer: text } };
      };
    },
  };
  return { model, inputs, dialogue };
};

/** What the model takes of padded examples. */
const padded = ({ x, y }: PaddedExamples): { readonly x: Tensor; readonly y: Tensor } => ({ x, y });

/** A rate that rises over the first tenth of the steps, and falls along a cosine. */
const warm = (rate: number, steps: number) =>
  cosine({ rate, steps: Math.max(1, steps), warmup: Math.min(100, steps / 10) });

export default defineRecipe({
  name: "chat-gpt",
  summary:
    "Instruction tuning: a small GPT learns from 256 conversations to answer questions about what it read before",
  data: "made-up exercises in four tasks: 8,192 new statements an epoch; then 256 conversations, 200 to validate, 200 to test",
  defaults: { epochs: 20, batchSize: 32, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  options: {
    learned: {
      description: "what is learned of a conversation: answers, or all of it",
      default: "answers",
      choices: ["answers", "all"],
    },
    pretraining: { description: "epochs on statements before the conversations; 0 is none", default: 24 },
    conversations: { description: "how many conversations to learn from", default: 256 },
    compare: { description: "tune from five seeds, with each loss, and without pretraining", default: false },
  },
  next: ["sardonyx train chat-gpt --pretraining 0   from conversations alone"],
  network,
  open: deployment,
  async load(
    { batchSize, seed, epochs, learningRate, learned, pretraining, conversations, compare },
    limit = Infinity,
  ) {
    const key = keyOf(seed);
    // The same questions are held back for every seed.
    const different = differentExercises(2 * Math.min(asked, limit), keyOf(0));
    const [test, validation] = [different.slice(0, different.length / 2), different.slice(different.length / 2)];
    const held = new Set(different.map(({ question }) => question));
    const rows = (examples: readonly ChatExample[], size: number, order?: Key) =>
      bucketed(examples, {
        size,
        widths: [24, positions],
        lengthOf: ({ ids }) => ids.length,
        // Tokens do not attend to those behind them, so that padding there needs no mask.
        collate: (few, width) => padded(padExamples(few, width)),
        ...(order && { key: order }),
      });
    const examplesOf = (own: readonly Exercise[], what: Learned) =>
      chatExamples(own.map(chatOf), { tokenizer, template, learned: what, length: positions }).examples;
    const chatsOf = (own: Key, what: Learned) =>
      examplesOf(exercises(conversations, foldIn(own, "conversations"), held), what);
    const batchesOf = (chats: readonly ChatExample[], own: Key) =>
      rows(chats, Math.ceil(batchSize / 2), foldIn(own, "order"));
    const chats = chatsOf(key, learned);
    const tuning = batchesOf(chats, key);
    const count = Math.min(statements, limit);
    // A statement has twelve tokens at least.
    const windows = Math.floor((12 * count) / (positions * batchSize));
    // One text, cut anywhere: a statement may stand at any position.
    const read = (epoch: number) => {
      const own = exercises(count, foldIn(key, "statements", epoch), held);
      const { examples } = chatExamples(own.map(textOf), { tokenizer, template });
      const text = Int32Array.from(examples.flatMap(({ ids }) => [...ids]));
      return textWindows(text, positions)
        .shuffle(foldIn(key, "windows", epoch))
        .batch(batchSize)
        .take(windows);
    };
    const steps = [pretraining * windows, epochs * (tuning.length ?? 1)] as const;
    const [first, second] = [warm(learningRate, steps[0]), warm(learningRate / 3, steps[1])];
    const base = rememberBase(pretraining);
    const opened = deployment();
    return {
      ...opened,
      stages: [
        ...(pretraining > 0 ? [{ name: "pretraining on statements", epochs: pretraining }] : []),
        { name: "instruction tuning", epochs },
      ],
      train: fromIterable((epoch) => (epoch < pretraining ? read(epoch).epoch(0) : tuning.epoch(epoch - pretraining))),
      validation: rows(examplesOf(validation, learned), asked),
      test: rows(examplesOf(test, learned), asked),
      loss,
      metrics: [accuracy({ ignoreIndex: ignoredLabel })],
      samples: { train: chats.length, test: test.length },
      notes: previewExamples(chats, tokenizer, { count: 1 }),
      schedule: (step) => (step < steps[0] ? first(step) : second(step - steps[0])),
      optimizers: { adamw: adamwOptions },
      training: { clipNorm: 1 },
      callbacks: [base.callback],
      async measure(compile) {
        const { model } = opened;
        const parameters = base.parameters();
        const before = parameters && modelOf(parameters);
        const { all } = await exactMatches(model, validation, asChat, compile);
        const results: Record<string, number> = {
          ...(before && {
            ...resultsOf("statement", await exactMatches(before, test, asStatement, compile)),
            untuned_accuracy: (await exactMatches(before, test, asChat, compile)).all,
          }),
          ...resultsOf("tuned", await exactMatches(model, test, asChat, compile)),
          validation_accuracy: all,
        };
        if (!compare || !parameters) return results;
        for (const { name, what, from, passes } of [
          { name: "answers", what: "answers", from: parameters, passes: epochs },
          { name: "all_tokens", what: "all", from: parameters, passes: epochs },
          { name: "scratch", what: "answers", from: undefined, passes: 2 * epochs },
        ] as const) {
          const found = [];
          for (const own of seeds) {
            const tuned = modelOf(from, own);
            const data = batchesOf(chatsOf(keyOf(own), what), keyOf(own));
            const schedule = warm(learningRate / 3, passes * (data.length ?? 1));
            const optimizer = adamw({ learningRate: schedule, ...adamwOptions });
            await fit(tuned, data, { loss, optimizer, epochs: passes, training: { seed: own, compile, clipNorm: 1 } });
            found.push(await exactMatches(tuned, test, asChat, compile));
          }
          Object.assign(results, meansOf(name, found));
        }
        return results;
      },
    };
  },
});
