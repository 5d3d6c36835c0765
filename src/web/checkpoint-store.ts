/** Checkpoints that outlive a page, in the browser's storage. */
import { FileError } from "../core/errors.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { type CheckpointOptions, checkpointBy } from "../train/callbacks/checkpoint.ts";
import { decodeCheckpoint } from "../train/checkpoint.ts";
import type { Progress } from "../train/fit.ts";
import { storedRow } from "./browser-storage.ts";

/** Where a run's checkpoint is kept; `browserStore` is one, of your own it may be a server. */
export interface CheckpointStore {
  /** The progress that was saved last, for `training.resume` of `fit`; `undefined` where there is none. */
  load(): Promise<Progress | undefined>;
  /** Takes a checkpoint (`encodeCheckpoint`) in the place of the one before, or leaves that one and throws FileError. */
  save(bytes: Uint8Array): Promise<void>;
  /** Removes the checkpoint, so that the next run begins anew. */
  remove(): Promise<void>;
}

/**
 * A place for one run's checkpoint in the browser, under a name, for the pages and workers of one site. Its methods throw FileError where the
 * browser lets a page store nothing, or has no room. The browser may clear the storage of sites that are seldom visited; where that must not be,
 * ask for `navigator.storage.persist()`.
 * @example
 * const store = browserStore("digits");
 * await fit(model, train, { ...options, training: { resume: await store.load() }, callbacks: [storedCheckpoint(store)] });
 */
export function browserStore(name: string): CheckpointStore {
  const { load, save, remove } = storedRow<Uint8Array>("browserStore", "checkpoints", name, `the checkpoint "${name}"`);
  return {
    async load() {
      const bytes = await load();
      return bytes && decodeCheckpoint(bytes);
    },
    save,
    remove,
  };
}

/**
 * Saves the run's progress in a store: in intervals, after every epoch, and at the end. Where a checkpoint cannot be saved, the one of before
 * stays, the console says why, training goes on, and the run's notes say so if that held to its end. A page that is closed meanwhile leaves the
 * one of before.
 */
export function storedCheckpoint(store: CheckpointStore, options: CheckpointOptions = {}): Callback {
  let refused: FileError | undefined;
  const save = async (bytes: Uint8Array) => {
    try {
      await store.save(bytes);
      refused = undefined;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!refused) console.warn(`Sardonyx: ${error.message}`);
      refused = error;
    }
  };
  return {
    ...checkpointBy(save, options),
    notes: () => (refused ? [`the last checkpoint was not saved: ${refused.message}`] : []),
  };
}
