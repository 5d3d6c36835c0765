/** Files of yours on their way to the studio: what was chosen or dropped, as a data set. */
import { studio } from "../shared/api.ts";

/** A file with its path below the data set. */
export interface ChosenFile {
  readonly path: string;
  readonly file: File;
}

/** The most bytes of a data set, as the studio takes them. */
const mostBytes = 512 * 1024 * 1024;
/** Files that are sent at once. */
const atOnce = 4;

const isShown = ({ path }: ChosenFile): boolean => path.split("/").every((part) => !part.startsWith("."));

/** Files of an input: by themselves, or with their paths where a folder was chosen. */
export const chosenFiles = (files: FileList | null): readonly ChosenFile[] =>
  [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** Files that were dropped, those of folders with their paths. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<readonly ChosenFile[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return chosenFiles(files);
  const found: ChosenFile[] = [];
  const enter = async (entry: FileSystemEntry): Promise<void> => {
    const path = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ path, file });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // A part of the folder each time.
      const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (part.length === 0) return;
      for (const own of part) await enter(own);
    }
  };
  for (const entry of entries) await enter(entry);
  return found;
}

/** What a data set is called, and its files: of one folder its name and what is in it. Hidden files stay out. */
export function dataSetOf(files: readonly ChosenFile[]): {
  readonly name: string;
  readonly files: readonly ChosenFile[];
} {
  const shown = files.filter(isShown);
  const [first] = shown;
  const [top = "data"] = (first?.path ?? "").split("/");
  const isFolder = shown.every(({ path }) => path.startsWith(`${top}/`));
  if (isFolder)
    return { name: top, files: shown.map(({ path, file }) => ({ path: path.slice(top.length + 1), file })) };
  return { name: top.replace(/\.\w+$/, ""), files: shown };
}

/** Megabytes of files beyond what is taken; nothing where they are taken. */
export function beyond(files: readonly ChosenFile[]): number | undefined {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return bytes > mostBytes ? Math.ceil(bytes / 1024 / 1024) : undefined;
}

/** Sends a data set, and gives its path. Throws where a file is refused: then nothing of it stays. */
export async function upload(
  name: string,
  files: readonly ChosenFile[],
  onFile: (done: number) => void,
): Promise<string> {
  let [next, done, isOver] = [0, 0, false];
  const send = async () => {
    while (!isOver) {
      const chosen = files[next++];
      if (!chosen) return;
      await studio.upload(name, chosen.path, chosen.file).catch((error) => {
        isOver = true;
        throw error;
      });
      onFile(++done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, send));
  return (await studio.uploaded(name, files.length)).path;
}
