/** Finds names of persons in English and Chinese texts by a small network that was trained on made-up sentences. */
import { FileError } from "../../../core/errors.ts";
import { float16ToFloat32 } from "../../../core/half.ts";
import { Tensor } from "../../../core/tensor.ts";
import type { CompileOptions } from "../../../jit/compile.ts";
import { decodeSafetensors } from "../../../storage/safetensors.ts";
import { loadParameters } from "../../../train/load-parameters.ts";
import { predictor } from "../../../train/predict.ts";
import type { PersonalSpan } from "../kinds.ts";
import { givenNames } from "./given-names.ts";
import { NameNetwork, nameTags, reach } from "./name-network.ts";
import { firstWord, NameReader, type NameWord, rowsPerWord, wordsOf } from "./name-words.ts";
import { surnames } from "./surnames.ts";

/** Finds names of persons. */
export interface NameTagger {
  /** The names in a text, in order. */
  find(text: string): Promise<readonly PersonalSpan[]>;
}

/** Words that are read at once, of which those at either end only help to read the others. */
const window = 256;
const step = window - 2 * reach;
/** Windows of a batch. */
const batch = 8;
/** A word is of a name where the network says so with this probability. */
const threshold = 0.5;
/** Of a name without a capital this, since many names are common words. */
const sureInLowerCase = 0.85;

/** The network of a file. Throws FileError for a file of something else. */
function networkOf(bytes: Uint8Array): { network: NameNetwork; reader: NameReader } {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const words = metadata["words"];
  if (words === undefined)
    throw new FileError("name tagger: the file says nothing of its words; take the one that comes with sardonyx");
  const vocabulary = words.split(" ");
  const network = new NameNetwork(firstWord + vocabulary.length);
  network.trace({ dtype: "int32", shape: [1, window, rowsPerWord] });
  loadParameters(network, Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, wide(tensor)])));
  return { network, reader: new NameReader(vocabulary) };
}

/** float16 as float32, which parameters are. */
const wide = (tensor: Tensor): Tensor =>
  tensor.dtype === "float16"
    ? new Tensor("float32", tensor.shape, float16ToFloat32(tensor.data as Uint16Array))
    : tensor;

/**
 * A tagger of names, from the bytes of its file: weights as safetensors, its words beside them. In Node `loadNameTagger()` reads the one that comes with the package. Throws
 * FileError for a file of something else.
 * @example const names = nameTagger(new Uint8Array(await (await fetch("/names.safetensors")).arrayBuffer()));
 */
export function nameTagger(bytes: Uint8Array, compile?: CompileOptions): NameTagger {
  const { network, reader } = networkOf(bytes);
  const ask = predictor(network, { snapshot: true, ...(compile && { compile }) });
  const tag = async (words: readonly NameWord[]): Promise<Float32Array> => {
    const probabilities = new Float32Array(words.length * nameTags.length);
    const windows = Math.ceil(words.length / step);
    for (let first = 0; first < windows; first += batch) {
      // Of short texts one window alone: two sizes are all that is compiled.
      const count = windows - first > 1 ? batch : 1;
      const x = new Int32Array(count * window * rowsPerWord);
      for (let i = 0; i < Math.min(count, windows - first); i++)
        for (let t = 0; t < window; t++) {
          // Before and behind a text are ends of lines, as there are between those that it learned of.
          const at = (first + i) * step + t - reach;
          reader.write(words[at]?.text ?? "\n", words[at + 1]?.text ?? "\n", x, (i * window + t) * rowsPerWord);
        }
      const logits = await ask(new Tensor("int32", [count, window, rowsPerWord], x));
      const data = logits.data as Float32Array;
      for (let i = 0; i < Math.min(count, windows - first); i++)
        for (let t = reach; t < window - reach; t++) {
          const word = (first + i) * step + t - reach;
          if (word < words.length)
            softmax(data, (i * window + t) * nameTags.length, probabilities, word * nameTags.length);
        }
    }
    return probabilities;
  };
  return {
    async find(text) {
      const words = wordsOf(text);
      return words.length === 0 ? [] : spansOf(words, await tag(words), text);
    },
  };
}

function softmax(logits: Float32Array, from: number, into: Float32Array, to: number): void {
  const own = logits.subarray(from, from + nameTags.length);
  const most = Math.max(...own);
  const powers = own.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  into.set(
    powers.map((power) => power / sum),
    to,
  );
}

const listed = new Set([...givenNames, ...surnames].map((name) => name.toLowerCase()));

/** Whether a name is written as one: with a capital or in a script that has none; all in lower case where a list has it. */
function isWritten(name: string, sure: number): boolean {
  // "I", "I'd" and a letter by itself are no names.
  if (/^\p{Script=Latin}(?:[.]|['’]\p{L}{0,2})?$/u.test(name)) return false;
  if (/[\p{Lu}\p{Lo}]/u.test(name)) return true;
  return (
    sure > sureInLowerCase && /\p{L}/u.test(name) && name.split(/[^\p{L}\p{M}'’]+/u).some((word) => listed.has(word))
  );
}

/** Spans of the words that are tagged. */
function spansOf(words: readonly NameWord[], probabilities: Float32Array, text: string): PersonalSpan[] {
  const spans: PersonalSpan[] = [];
  let open: { start: number; end: number; sure: number } | undefined;
  const close = () => {
    if (open && isWritten(text.slice(open.start, open.end), open.sure))
      spans.push({
        kind: "person",
        start: open.start,
        end: open.end,
        rule: "name-tagger",
        certainty: 0.4 + 0.4 * open.sure,
      });
    open = undefined;
  };
  for (const [i, { text: word, start, end }] of words.entries()) {
    const [none = 1, begins = 0, goesOn = 0] = probabilities.subarray(i * nameTags.length, (i + 1) * nameTags.length);
    if (1 - none < threshold || word === "\n") {
      close();
      continue;
    }
    const isSign = !/[\p{L}\p{M}]/u.test(word);
    if (open && (goesOn >= begins || isSign)) {
      open = {
        start: open.start,
        end: isSign && !/^[.]$/.test(word) ? open.end : end,
        sure: Math.max(open.sure, 1 - none),
      };
      continue;
    }
    close();
    if (!isSign) open = { start, end, sure: 1 - none };
  }
  close();
  return spans.map((span) => ({
    ...span,
    end: span.end - (/\w{2,}\.$/.test(text.slice(span.start, span.end)) ? 1 : 0),
  }));
}
