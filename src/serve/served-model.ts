/** What is served: a model as every protocol sees it, whatever it was opened from. */
import type { DType } from "../core/dtype.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Conversation } from "../data/chat/messages.ts";
import type { Tokenizer } from "../data/text/tokenizer.ts";
import type { GenerationQueue } from "./generation/generation-queue.ts";

/** A tensor that a model takes or gives. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  /** Extents, with -1 for one that is open; the first is the batch where it is open. */
  readonly shape: readonly number[];
}

/** Tensors by name. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** How tensors go through a model, for the Open Inference Protocol. */
export interface TensorService {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Outputs of inputs. Throws SardonyxError for tensors that the model does not take. */
  infer(inputs: NamedTensors, signal: AbortSignal): Promise<NamedTensors>;
}

/** What was sent to be predicted. */
export interface PredictBody {
  readonly bytes: Uint8Array;
  /** As its sender says: `image/png`, `application/json`; without parameters, in lower case. */
  readonly type: string;
}

/** What a model says of raw rows, files or JSON, each in words: `{ class, probability, … }`. */
export type PredictService = (
  body: PredictBody,
  signal: AbortSignal,
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** How a model writes text. */
export interface WriteService {
  readonly tokenizer: Tokenizer;
  /** The most tokens of a prompt and of what is written, together. */
  readonly context: number;
  /** The prompt of a conversation; none of a model that does not chat. Throws DataError for one that its template refuses. */
  readonly chatPrompt?: (conversation: Conversation) => string;
  /** The token that ends what it writes, where it has one. */
  readonly end?: number;
  /** Writes, for several at once. */
  readonly queue: GenerationQueue;
  /** The adapter that it writes with; none of the base. */
  readonly variant?: string;
}

/** How a model makes vectors of texts. */
export interface EmbedService {
  /** Vectors [N, W] of texts, in their order. Throws DataError for an empty text. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Tensor<"float32">>;
  /** Tokens of a text. */
  count(text: string): number;
}

/** A model that is served. */
export interface ServedModel {
  /** Where it comes from, for metadata: `sardonyx_run`, `onnx_file`. */
  readonly platform: string;
  /** One sentence that says what it is. */
  readonly description: string;
  readonly tensors?: TensorService;
  readonly predict?: PredictService;
  readonly write?: WriteService;
  readonly embed?: EmbedService;
  /** The same with adapters, by their names; they share what is compiled, and go with it. */
  readonly adapters?: ReadonlyMap<string, Omit<ServedModel, "adapters" | "release">>;
  /** Lets go of what was compiled, once nothing of it runs. */
  release(): Promise<void>;
}
