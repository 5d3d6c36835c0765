/** The files in a tar archive (POSIX ustar and pax, and GNU's), read in memory. */
import { createTarDecoder, unpackTar } from "modern-tar";
import { FileError } from "../core/errors.ts";

export interface ArchivedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const refusal = (what: string, cause: unknown): FileError =>
  new FileError(
    `${what}: cannot be read as a tar archive (${cause instanceof Error ? cause.message : cause}); it is cut off, damaged or no such archive, get it again`,
    { cause },
  );

/** Ordinary files of an archive by name. Throws FileError, opening with `what` the archive is, when it is damaged or cut off. */
export async function readTar(archive: Uint8Array, what: string): Promise<Map<string, Uint8Array>> {
  const entries = await unpackTar(archive, { strict: true }).catch((cause: unknown) => {
    throw refusal(what, cause);
  });
  return new Map(entries.flatMap(({ header, data }) => (header.type === "file" && data ? [[header.name, data]] : [])));
}

/** As readTar, of an archive that arrives in parts: one file after another. */
export async function* tarFiles(parts: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<ArchivedFile> {
  const entries = streamOf(parts)
    .pipeThrough(createTarDecoder({ strict: true }))
    .getReader();
  const next = async (): Promise<ArchivedFile | undefined> => {
    for (;;) {
      const { done, value } = await entries.read();
      if (done) return undefined;
      const bytes = new Uint8Array(await new Response(value.body).arrayBuffer());
      if (value.header.type === "file") return { name: value.header.name, bytes };
    }
  };
  try {
    for (;;) {
      const file = await next().catch((cause: unknown) => {
        throw refusal(what, cause);
      });
      if (!file) return;
      yield file;
    }
  } finally {
    await entries.cancel().catch(() => undefined);
  }
}

/** `ReadableStream.from`, which not every browser has. */
function streamOf(parts: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = parts[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return?.();
    },
  });
}
