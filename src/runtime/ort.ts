/** A Session over any build of ONNX Runtime: they share the API of onnxruntime-common. */
import type { InferenceSession, Tensor as OrtTensor, TypedTensor } from "onnxruntime-common";
import { type ArrayOf, allocate, type DType } from "../core/dtype.ts";
import { RuntimeError, SardonyxError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { DeviceTensor } from "./device-tensor.ts";
import { type CompiledAs, endOutput, type FirstRun, leastUncopied, type Session } from "./session.ts";

/** The part of an ONNX Runtime module that we use. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: OrtTensor.Type, data: OrtTensor.DataType, dims: readonly number[]) => OrtTensor;
}

/** The WebGPU provider in the options of a session; it leaves nodes of some names to the processor. */
export const webGpuProvider = ({ onProcessor = [] }: CompiledAs) => ({
  name: "webgpu",
  ...(onProcessor.length > 0 && { forceCpuNodeNames: onProcessor }),
});

/** What differs from build to build. */
interface EngineTraits {
  /** It writes into preallocated outputs itself; otherwise they are copied. */
  readonly writesInPlace?: boolean;
  /** It computes in a memory of its own. */
  readonly isDevice?: boolean;
  /** A profile of the first run alone. */
  readonly firstRun?: FirstRun;
}

/** Compiles a model. Throws RuntimeError with the engine's words when it refuses. */
export async function createSession(
  ort: OrtModule,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  { writesInPlace = false, isDevice = false, staying = [], quiet = false, firstRun }: EngineTraits & CompiledAs = {},
): Promise<Session> {
  const kept = new Set(staying);
  const preferredOutputLocation = Object.fromEntries(staying.map((name) => [name, "gpu-buffer" as const]));
  const session = await ort.InferenceSession.create(model, {
    ...options,
    ...(kept.size > 0 && { preferredOutputLocation }),
    ...(firstRun && { enableProfiling: true, profileFilePrefix: firstRun.prefix }),
  }).catch((cause: unknown) => {
    firstRun?.ended(false);
    return refuse(cause);
  });
  let observed = firstRun;
  /** Ends the profile of the first run, if that is not done. */
  const observe = (ran: boolean) => {
    if (!observed) return;
    session.endProfiling();
    observed.ended(ran);
    observed = undefined;
  };
  const fresh = ({ dtype, data, shape }: Tensor) => new ort.Tensor(dtype, data as OrtTensor.DataType, shape);
  // Host tensors that come again (parameters, preallocated outputs) keep their engine-side handle.
  const handles = new WeakMap<Tensor, OrtTensor>();
  const handleOf = (tensor: Tensor): OrtTensor => {
    if (tensor instanceof DeviceTensor) return (isDevice && tensor.handle) || fresh(tensor);
    let handle = handles.get(tensor);
    if (!handle) {
      handle = fresh(tensor);
      handles.set(tensor, handle);
    }
    return handle;
  };
  const { inputNames } = session;
  // A file may have a tensor of that name.
  const hasEnd = session.outputNames[0] === endOutput && session.outputMetadata[0]?.isTensor === false;
  const outputNames = hasEnd ? session.outputNames.slice(1) : session.outputNames;
  const outputTypes = hasEnd ? session.outputMetadata.slice(1) : [];
  const fetchesOf = (outputs: readonly (Tensor | undefined)[]) =>
    Object.fromEntries(outputNames.map((name, i) => [name, outputs[i] ? handleOf(outputs[i]) : null]));
  const everything = fetchesOf([]);
  // Runs in pages log by levels of their own.
  const said = quiet ? { logSeverityLevel: 4 as const } : {};
  const bytes = model.length + engineBytes;
  // The device's memory is the session's: it lasts as long as what it computed there.
  let alive = 0;
  let isDone = false;
  const gone = () => {
    alive--;
    if (isDone && alive === 0) void session.release().catch(() => undefined);
  };
  const made: Session & { readonly shadow: ArrayBuffer } = {
    async run(inputs, outputs) {
      const feeds: Record<string, OrtTensor> = {};
      for (let i = 0; i < inputNames.length; i++) feeds[inputNames[i] as string] = handleOf(inputs[i] as Tensor);
      const rooms = hasEnd && outputs ? roomsOf(outputs, outputTypes) : undefined;
      if (rooms) {
        await session.run(feeds, { [endOutput]: null, ...fetchesOf(rooms) }, said).catch(unlessEnded);
        observe(true);
        return rooms;
      }
      const fetches = outputs && writesInPlace ? fetchesOf(outputs) : everything;
      const results = await session.run(feeds, fetches, said).catch(refuse);
      observe(true);
      return outputNames.map((name, i) => {
        const given = outputs?.[i];
        const result = results[name] as TypedTensor<DType>;
        if (kept.has(name)) {
          alive++;
          return placed(result, given, gone);
        }
        if (given && !writesInPlace) (given.data as Float32Array).set(result.data as Float32Array);
        return given ?? hostTensor(result);
      });
    },
    shadow: new ArrayBuffer(bytes, { maxByteLength: bytes }),
    async release() {
      forgotten.unregister(made);
      isDone = true;
      observe(false);
      if (options.enableProfiling) session.endProfiling();
      if (alive === 0) await session.release();
    },
  };
  // What stays on the device outlives a session that nobody holds.
  if (kept.size === 0) forgotten.register(made, session, made);
  return made;
}

/**
 * Rooms for all outputs of a run that ends at `endOutput`, fresh where none is given; `undefined` where they are too small, or of extents that are not
 * known before. onnxruntime-node 1.30 writes into preallocated outputs, and then copies each into an array of its own all the same: of 40 MiB a copy
 * takes 130 ms where a page of fresh memory is dear, and makes the garbage collector run at every step. It looks at outputs in their order, and gives
 * up at a first one that is no tensor, when all are written. An engine that takes sequences returns as ever.
 */
function roomsOf(
  given: readonly (Tensor | undefined)[],
  types: readonly InferenceSession.ValueMetadata[],
): Tensor[] | undefined {
  if (given.reduce((sum, room) => sum + (room?.data.byteLength ?? 0), 0) < leastUncopied) return undefined;
  const rooms: Tensor[] = [];
  for (const [i, type] of types.entries()) {
    const room = given[i] ?? freshRoom(type);
    if (!room) return undefined;
    rooms.push(room);
  }
  return rooms;
}

function freshRoom(type: InferenceSession.ValueMetadata): Tensor | undefined {
  if (!type.isTensor || type.type === "string" || type.shape.some((extent) => typeof extent !== "number"))
    return undefined;
  const shape = type.shape as readonly number[];
  return new Tensor(type.type as DType, shape, allocate(type.type as DType, size(shape)));
}

/** That the binding gave up at `endOutput` is no failure. */
function unlessEnded(cause: unknown): void {
  if (!(cause instanceof Error && cause.message.startsWith("Non tensor type"))) refuse(cause);
}

/**
 * What a session takes of the engine's memory beside its model: the first block of its arena. The garbage collector does not see that memory;
 * a buffer of as many bytes makes it collect forgotten sessions in time. The buffer is resizable since the pages of such a one stay untouched,
 * and so take no memory, where an ordinary one may be cleared.
 */
const engineBytes = 2 ** 20;

/** Releases what nobody can run any more. */
const forgotten = new FinalizationRegistry<InferenceSession>(
  (session) => void session.release().catch(() => undefined),
);

function hostTensor({ type, dims, data }: TypedTensor<DType>): Tensor {
  // Newer engines have a Float16Array; ours keep the raw bits.
  const { buffer, byteOffset, length } = data as ArrayOf;
  const bits = type === "float16" ? new Uint16Array(buffer, byteOffset, length) : (data as ArrayOf);
  return new Tensor(type as DType, dims, bits);
}

/** An output that stays on the device, in the tensor that is to become it or in a new one. */
function placed(result: TypedTensor<DType>, given: Tensor | undefined, freed: () => void): DeviceTensor {
  const place = given instanceof DeviceTensor ? given : new DeviceTensor(result.type as DType, result.dims);
  place.become(result as OrtTensor, freed);
  return place;
}

/** What the engine throws, as our own kind of error with the engine's words, which `jit` puts into ours; what is ours already stays. */
function refuse(cause: unknown): never {
  if (cause instanceof SardonyxError) throw cause;
  throw new RuntimeError(cause instanceof Error ? cause.message : String(cause), { cause });
}
