/** The image files of a folder, found again by the names that files of annotations have for them. */

import { basename } from "node:path";
import { appendTo } from "../../core/lists.ts";
import { imageExtensions } from "../../data/images/image.node.ts";
import type { FolderFile } from "../../data/profile/folder-files.node.ts";
import { endingOf } from "../../storage/ending.ts";

/** Whether a file is an image by its name. */
export const isImageName = (name: string): boolean => imageExtensions.includes(endingOf(name));

/** Image files by name. */
export class ImageIndex {
  readonly files: readonly FolderFile[];
  readonly #byBase = new Map<string, FolderFile[]>();

  /** @param files of a folder, with names from it on */
  constructor(files: readonly FolderFile[]) {
    this.files = files.filter(({ name }) => isImageName(name));
    for (const file of this.files) appendTo(this.#byBase, basename(file.name), file);
  }

  /**
   * The file that is meant by a name: of those whose path ends in it the one with the most folders in common with `near`; of none so named the
   * only one with its last part. Nothing outside the folder is ever meant.
   * @param near names that tell apart files called alike, such as the folder of the annotations and `train2017`
   */
  find(name: string, near: readonly string[]): FolderFile | undefined {
    const wanted = name.replaceAll("\\", "/").replace(/^(?:\.?\/)+/, "");
    const alike = this.#byBase.get(basename(wanted)) ?? [];
    const exact = alike.filter((file) => file.name === wanted || file.name.endsWith(`/${wanted}`));
    const common = ({ name: own }: FolderFile) => own.split("/").filter((folder) => near.includes(folder)).length;
    const [best] = exact.toSorted((a, b) => common(b) - common(a));
    return best ?? (alike.length === 1 ? alike[0] : undefined);
  }
}
