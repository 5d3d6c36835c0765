/** Jinja templates in the environment that Hugging Face's chat templates expect, and the `{% generation %}` blocks in them. */
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { DataError } from "../../core/errors.ts";

/** From the beginning of a text to its end, in UTF-16 units; the end is not in it. */
export type Span = readonly [start: number, end: number];

/** A text, and where in it the blocks of generation are. */
export interface MarkedText {
  readonly text: string;
  readonly spans: readonly Span[];
}

/** A template that was parsed. */
export interface Jinja {
  /** Whether the template says by `{% generation %}` what the assistant writes. */
  readonly hasGeneration: boolean;
  /** The text for variables. Throws DataError with what the template says, opening with `where`. */
  render(variables: Readonly<Record<string, unknown>>, where: string): string;
  /** The text with its blocks of generation. Throws as `render`, and where whitespace control reaches over a block's border. */
  renderMarked(variables: Readonly<Record<string, unknown>>, where: string): MarkedText;
}

type Program = ReturnType<typeof parse>;

const months = "January February March April May June July August September October November December".split(" ");
const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const digits = (value: number, width = 2): string => String(value).padStart(width, "0");

/** Directives of Python's strftime, in English and universal time whatever the machine's settings are. */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => digits(date.getUTCFullYear() % 100),
  m: (date) => digits(date.getUTCMonth() + 1),
  d: (date) => digits(date.getUTCDate()),
  "-d": (date) => String(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2),
  B: (date) => months[date.getUTCMonth()] ?? "",
  b: (date) => (months[date.getUTCMonth()] ?? "").slice(0, 3),
  A: (date) => days[date.getUTCDay()] ?? "",
  a: (date) => (days[date.getUTCDay()] ?? "").slice(0, 3),
  H: (date) => digits(date.getUTCHours()),
  M: (date) => digits(date.getUTCMinutes()),
  S: (date) => digits(date.getUTCSeconds()),
  "%": () => "%",
};

/** A date in a format of strftime's. Throws Error for a directive that is not known here. */
export const formatDate = (date: Date, format: string): string =>
  format.replace(/%(-?[A-Za-z%])/g, (_, directive: string) => {
    const write = Object.hasOwn(directives, directive) ? directives[directive] : undefined;
    if (!write) throw new Error(`strftime_now does not know %${directive}`);
    return write(date);
  });

const mostSteps = 100_000;

/** Python's range. Throws Error for one that no conversation needs. */
function range(first: number, last?: number, step = 1): number[] {
  const [start, stop] = last === undefined ? [0, first] : [first, last];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= mostSteps)) throw new Error(`range() of ${length} steps, at most ${mostSteps} are allowed`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** What a template may take: evaluated parts and turns of loops, of which a message takes some hundred, and characters of a text. */
const most = { steps: 1_000_000, characters: 10_000_000 } as const;

interface Statement {
  readonly type: string;
  /** Of a loop: what it goes over. */
  readonly iterable?: object;
}
/** What of the library's interpreter is used here; its own types are not found. */
type Evaluating = new (
  environment: Environment,
) => {
  evaluate(statement: Statement | undefined, environment: Environment): { readonly value: unknown };
  run(program: Program): { readonly value: unknown };
};

/** An interpreter that ends: templates come with models, and their loops within loops may go on for ever. */
class BoundedInterpreter extends (Interpreter as Evaluating) {
  #steps = 0;
  readonly #iterated = new WeakSet<object>();

  override evaluate(statement: Statement | undefined, environment: Environment) {
    this.#step(1);
    if (statement?.iterable) this.#iterated.add(statement.iterable);
    const result = super.evaluate(statement, environment);
    const { value } = result;
    if (typeof value === "string" && value.length > most.characters)
      throw new Error(`it writes more than ${most.characters} characters`);
    // Turns of a loop without content are no parts that are evaluated.
    if (statement && this.#iterated.has(statement) && Array.isArray(value)) this.#step(value.length);
    return result;
  }

  #step(count: number): void {
    this.#steps += count;
    if (this.#steps > most.steps) throw new Error(`it takes more than ${most.steps} steps`);
  }
}

const constants = { true: true, True: true, false: false, False: false, none: null, None: null };

/** Two characters of the private use area that a text does not have. */
function unusedCharacters(text: string): readonly [string, string] {
  const free: string[] = [];
  for (let code = 0xe000; free.length < 2 && code < 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) free.push(character);
  }
  return [free[0] ?? "", free[1] ?? ""];
}

/** The source as Jinja reads it with `lstrip_blocks` and `trim_blocks`; one newline at its end does not count. */
const withoutBlanks = (source: string): string =>
  source
    .replace(/\n$/, "")
    .replace(/^[ \t]*(\{[#%-])/gm, "$1")
    .replace(/([#%-]\})\n/g, "$1");

/** Tags of generation as expressions that write a marker. */
const withMarkers = (source: string): string =>
  source.replace(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, left: string, end: string | undefined, right: string) =>
      `{{${left} ${end ? "generation_end" : "generation_begin"} ${right}}}`,
  );

/** Where the text between markers is, once they are taken out. */
function spansBetween(marked: string, begin: string, end: string): MarkedText | undefined {
  const spans: Span[] = [];
  let text = "";
  let open: number | undefined;
  let copied = 0;
  for (let i = 0; i < marked.length; i++) {
    const sign = marked[i];
    if (sign !== begin && sign !== end) continue;
    text += marked.slice(copied, i);
    copied = i + 1;
    if ((sign === begin) !== (open === undefined)) return undefined; // one inside another
    if (open !== undefined && text.length > open) spans.push([open, text.length]);
    open = sign === begin ? text.length : undefined;
  }
  return open === undefined ? { text: text + marked.slice(copied), spans } : undefined;
}

/**
 * Parses a template. Variables named in a rendering hide the environment's own: `raise_exception`, `strftime_now` of `now`, `range`.
 * Throws DataError, opening with `where`, for a template that is no Jinja.
 */
export function parseJinja(source: string, now: Date, where: string): Jinja {
  const read = (text: string): Program => {
    try {
      return parse(tokenize(`${text}\n`)); // of which the tokenizer takes the newline off
    } catch (cause) {
      throw new DataError(
        `${where} is no template in Jinja (${(cause as Error).message}); take it from the model's tokenizer_config.json or chat_template.jinja`,
        { cause },
      );
    }
  };
  const functions = {
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    strftime_now: (format: unknown) => formatDate(now, String(format)),
    range,
  };
  const run = (program: Program, variables: Readonly<Record<string, unknown>>, place: string): string => {
    try {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...constants, ...functions, ...variables }))
        environment.set(name, value);
      return String(new BoundedInterpreter(environment).run(program).value);
    } catch (cause) {
      throw new DataError(
        `${place}: the chat template refuses it: ${(cause as Error).message}; change the conversation, or use another template`,
        { cause },
      );
    }
  };
  const plain = withoutBlanks(source);
  const program = read(plain);
  const hasGeneration = /\{%-?\s*generation\s*-?%\}/.test(source);
  const marked = hasGeneration ? read(withMarkers(plain)) : program;
  const render: Jinja["render"] = (variables, place) => run(program, variables, place);
  return {
    hasGeneration,
    render,
    renderMarked(variables, place) {
      const text = render(variables, place);
      const [begin, end] = unusedCharacters(text);
      const written = run(marked, { ...variables, generation_begin: begin, generation_end: end }, place);
      const found = spansBetween(written, begin, end);
      if (found?.text !== text)
        throw new DataError(
          `${place}: the template's {% generation %} blocks change what it writes, or lie in one another; put each around one answer, or remove the tags`,
        );
      return found;
    },
  };
}
