/** Made-up exercises of four tasks, each as a question with its answer and as a statement that says both. */
import { type Conversation, conversationOf, type Key, keyOf, Random } from "../../src/index.ts";

/** What an exercise asks for. */
export const exerciseTasks = ["copy", "reverse", "count", "add"] as const;
export type ExerciseTask = (typeof exerciseTasks)[number];

export interface Exercise {
  readonly task: ExerciseTask;
  readonly question: string;
  readonly answer: string;
  /** The same as a sentence, which asks nothing. */
  readonly statement: string;
}

const letters = "ABCDEFGHIJ";
/** The numbers that are added are smaller: 900 pairs. */
const numbers = 30;

const wordOf = (random: Random, alphabet: string, shortest: number, longest: number): string =>
  Array.from(
    { length: shortest + random.integer(longest - shortest + 1) },
    () => alphabet[random.integer(alphabet.length)],
  ).join("");

const make: Readonly<Record<ExerciseTask, (random: Random) => Omit<Exercise, "task">>> = {
  copy(random) {
    const word = wordOf(random, letters, 2, 5);
    return { question: `What is the copy of ${word}?`, answer: word, statement: `The copy of ${word} is ${word}.` };
  },
  reverse(random) {
    const word = wordOf(random, letters, 2, 5);
    const answer = [...word].reverse().join("");
    return { question: `What is the reverse of ${word}?`, answer, statement: `The reverse of ${word} is ${answer}.` };
  },
  count(random) {
    const letter = wordOf(random, letters, 1, 1);
    const word = wordOf(random, `${letter}${letter}${wordOf(random, letters, 2, 2)}`, 2, 5);
    const answer = String([...word].filter((own) => own === letter).length);
    return {
      question: `What is the count of ${letter} in ${word}?`,
      answer,
      statement: `The count of ${letter} in ${word} is ${answer}.`,
    };
  },
  add(random) {
    const [a, b] = [random.integer(numbers), random.integer(numbers)];
    return {
      question: `What is the sum of ${a} and ${b}?`,
      answer: String(a + b),
      statement: `The sum of ${a} and ${b} is ${a + b}.`,
    };
  },
};

/** Exercises, as many of each task in turn, whose questions are none of `held`. */
export function exercises(count: number, key: Key, held: ReadonlySet<string>): readonly Exercise[] {
  const random = new Random(key);
  const found: Exercise[] = [];
  while (found.length < count) {
    const task = exerciseTasks[found.length % exerciseTasks.length] as ExerciseTask;
    const exercise = { task, ...make[task](random) };
    if (!held.has(exercise.question)) found.push(exercise);
  }
  return found;
}

/** Exercises of which no two ask the same, as many of each task. */
export function differentExercises(count: number, key: Key): readonly Exercise[] {
  const known = new Map<string, Exercise>();
  const random = new Random(key);
  while (known.size < count) {
    const task = exerciseTasks[known.size % exerciseTasks.length] as ExerciseTask;
    const exercise = { task, ...make[task](random) };
    known.set(exercise.question, exercise);
  }
  return [...known.values()];
}

export const chatOf = ({ question, answer }: Exercise): Conversation =>
  conversationOf({ prompt: question, completion: answer }, "exercise");

export const textOf = ({ statement }: Exercise): Conversation => conversationOf({ text: statement }, "exercise");

/** The sentences in which exercises are written, without their words and numbers. */
export const exerciseSentences = exerciseTasks
  .map((task) => make[task](new Random(keyOf(0))))
  .flatMap(({ question, statement }) => [question, statement])
  .map((sentence) => sentence.replace(/\b[A-Z]+\b|\d+/g, ""));
