/** Samples of a tar archive, as WebDataset writes them: the files in a row whose names differ behind the first dot alone are one. */
import { basename } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { openFile } from "../../storage/file-source.node.ts";
import { type TarMember, tarMembers } from "../../storage/tar-index.ts";
import type { RecordFile } from "./record-file.ts";

/** A member's folders with its name up to the first dot, and what comes behind. */
function keyOf({ name }: TarMember): readonly [key: string, ending: string] {
  const start = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", start);
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1).toLowerCase()];
}

/**
 * The samples of an archive: of each the bytes of its files by their endings, `{ jpg, cls, json }`, and its name as `__key__`. Throws FileError for
 * an archive that is damaged, DataError for two files of a sample with one ending.
 */
export function openTarSamples(path: string): RecordFile {
  const source = openFile(path);
  const members: TarMember[] = [];
  /** The first member of each sample. */
  const starts: number[] = [];
  let last: string | undefined;
  let endings = new Set<string>();
  for (const member of tarMembers(source, path)) {
    // What archivers of other systems add.
    if (basename(member.name).startsWith(".")) continue;
    const [key, ending] = keyOf(member);
    if (key !== last) {
      starts.push(members.length);
      endings = new Set();
      last = key;
    }
    if (endings.has(ending))
      throw new DataError(
        `${path}: the sample "${key}" has two files that end with ".${ending}"; write each of a sample once, one after the other`,
      );
    endings.add(ending);
    members.push(member);
  }
  return {
    count: starts.length,
    read(index) {
      const own = members.slice(starts[index], starts[index + 1]);
      const [key] = keyOf(own[0] as TarMember);
      const fields: Record<string, unknown> = { __key__: key };
      for (const member of own) {
        const { name, offset, size } = member;
        if (size > limits.unpackedBytes)
          throw new FileError(
            `${path}: ${name} has ${size} bytes, more than unpackedBytes (${limits.unpackedBytes}); leave it out of the archive`,
          );
        fields[keyOf(member)[1]] = source.read(offset, size);
      }
      return { fields, where: `${path}: ${key}` };
    },
    close: () => source.close(),
  };
}
