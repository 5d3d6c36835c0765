/** The models of a server: loaded at once or when they are asked for, dropped when idle, replaced by new versions without a gap. */
import { unknownName } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import type { LeasedModel } from "../exchange.ts";
import { HttpError } from "../http-error.ts";
import type { ServedModel } from "../served-model.ts";

/** Where a model comes from. */
export interface ModelSource {
  readonly name: string;
  /** Names of adapters on it: a request asks for one as `name:adapter`. */
  readonly adapters?: readonly string[];
  /** Opens and compiles it. Throws SardonyxError that says why it cannot be served. */
  open(): Promise<ServedModel>;
  /** A text that differs once its files do; `undefined` where they cannot be read just now. */
  fingerprint(): Promise<string | undefined>;
}

/** What is told of the models. */
export interface ModelEvent {
  readonly kind: "loaded" | "dropped" | "failed";
  readonly model: string;
  readonly version: string;
  /** Why it could not be loaded. */
  readonly reason?: string;
}

/** Where a model stands, in the words of the protocol's model repository extension. */
export interface ModelState {
  readonly name: string;
  readonly version: string;
  readonly state: "READY" | "UNAVAILABLE" | "LOADING";
  readonly reason: string;
  readonly adapters: readonly string[];
}

/** What may be asked of the models without loading any. */
export interface ModelStates {
  /** Whether requests are taken: no model that should be there is missing. */
  readonly isReady: boolean;
  isModelReady(name: string, version?: string): boolean;
  list(): readonly ModelState[];
}

/** How models are kept. */
export interface StoreOptions {
  /** Milliseconds without a request after which a model is dropped, and loaded when it is asked for; default never, and all are loaded at once. */
  readonly idle?: number | undefined;
  readonly now: () => number;
  readonly onEvent?: (event: ModelEvent) => void;
}

/** A version of a model that is loaded. */
interface Loaded {
  readonly model: ServedModel;
  readonly version: string;
  readonly fingerprint: string | undefined;
  users: number;
  isOld: boolean;
}

/** A model of the store. */
interface Entry {
  readonly source: ModelSource;
  current: Loaded | undefined;
  loading: Promise<Loaded> | undefined;
  versions: number;
  used: number;
  /** What its files were at the last look, and when they failed to load. */
  seen: string | undefined;
  failed: string | undefined;
  reason: string;
}

/** A model in use. Give it back when the answer is sent. */
export interface Lease {
  readonly name: string;
  readonly version: string;
  readonly model: LeasedModel["model"];
  giveBack(): void;
}

/** The models of a server, by name. */
export class ModelStore implements ModelStates {
  readonly #entries = new Map<string, Entry>();
  readonly #options: StoreOptions;
  #isClosed = false;

  /** Throws OptionError for two of one name. */
  constructor(sources: readonly ModelSource[], options: StoreOptions) {
    this.#options = options;
    for (const source of sources)
      this.#entries.set(source.name, {
        ...{ source, current: undefined, loading: undefined, versions: 0, used: 0 },
        ...{ seen: undefined, failed: undefined, reason: "" },
      });
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get isReady(): boolean {
    const loads = this.#options.idle === undefined;
    return !this.#isClosed && (!loads || [...this.#entries.values()].every(({ current }) => current !== undefined));
  }

  isModelReady(name: string, version?: string): boolean {
    const current = this.#entries.get(name)?.current;
    return current !== undefined && (version === undefined || current.version === version);
  }

  list(): readonly ModelState[] {
    return Array.from(this.#entries, ([name, { source, current, loading, versions, reason }]) => ({
      name,
      version: current?.version ?? String(Math.max(versions, 1)),
      state: current ? "READY" : loading ? "LOADING" : "UNAVAILABLE",
      reason,
      adapters: source.adapters ?? [],
    }));
  }

  /** Loads all that nobody has asked for yet. Throws what the first that cannot be loaded throws. */
  async loadAll(): Promise<void> {
    for (const entry of this.#entries.values()) if (!entry.current) await this.#load(entry);
  }

  /**
   * A model to use, loaded where it is not; without a name the only one. Throws HttpError for a name or version that there is not, and
   * for a model that cannot be loaded.
   */
  async lease(name?: string, version?: string): Promise<Lease> {
    const { entry, adapter } = this.#entryOf(name);
    const own = entry.current ?? (await this.#loadFor(entry));
    if (version !== undefined && version !== own.version)
      throw new HttpError(
        404,
        `the model ${quoted(entry.source.name)} has no version ${quoted(version.slice(0, 40))}; it is at ${own.version}, leave the version out`,
      );
    const model = adapter === undefined ? own.model : own.model.adapters?.get(adapter);
    if (!model)
      throw new HttpError(404, `the model ${quoted(entry.source.name)} has no adapter ${quoted(adapter ?? "")}`);
    own.users++;
    let isBack = false;
    return {
      name: adapter === undefined ? entry.source.name : `${entry.source.name}:${adapter}`,
      version: own.version,
      model,
      giveBack: () => {
        if (isBack) return;
        isBack = true;
        own.users--;
        entry.used = this.#options.now();
        if (own.isOld) void letGo(own);
      },
    };
  }

  /** Drops models that nobody asked for in a while. */
  dropIdle(): void {
    const { idle, now } = this.#options;
    if (idle === undefined) return;
    for (const entry of this.#entries.values())
      if (entry.current && entry.current.users === 0 && now() - entry.used >= idle) this.#drop(entry);
  }

  /**
   * Loads models anew whose files have changed and stand still since the last look; requests go to the version before until the new one is
   * ready. One that cannot be loaded is told of, and the version before stays.
   */
  async refresh(): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (!entry.current || entry.loading) continue;
      const fingerprint = await entry.source.fingerprint();
      const isStill = fingerprint !== undefined && fingerprint === entry.seen;
      entry.seen = fingerprint;
      if (!isStill || fingerprint === entry.current.fingerprint || fingerprint === entry.failed) continue;
      await this.#load(entry).catch(() => {
        entry.failed = fingerprint;
      });
    }
  }

  /** Lets go of all models, once nothing uses them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) {
      await entry.loading?.catch(() => undefined);
      this.#drop(entry);
    }
  }

  /** The model of a name, and the adapter on it where the name has one behind a colon. */
  #entryOf(name: string | undefined): { readonly entry: Entry; readonly adapter?: string } {
    const [only, ...others] = this.#entries.values();
    if (name === undefined) {
      if (only && others.length === 0) return { entry: only };
      throw new HttpError(
        400,
        `there are several models, ${this.names.map(quoted).join(", ")}; name one of them as model`,
      );
    }
    const entry = this.#entries.get(name);
    if (entry) return { entry };
    const at = name.lastIndexOf(":");
    const base = at < 0 ? undefined : this.#entries.get(name.slice(0, at));
    const adapter = name.slice(at + 1);
    if (base?.source.adapters?.includes(adapter)) return { entry: base, adapter };
    const known = this.list().flatMap((own) => [own.name, ...own.adapters.map((other) => `${own.name}:${other}`)]);
    throw new HttpError(404, unknownName("model", name, known).message);
  }

  async #loadFor(entry: Entry): Promise<Loaded> {
    try {
      return await this.#load(entry);
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw new HttpError(503, `the model ${quoted(entry.source.name)} cannot be loaded: ${(error as Error).message}`, {
        "retry-after": "30",
      });
    }
  }

  #load(entry: Entry): Promise<Loaded> {
    entry.loading ??= this.#open(entry).finally(() => {
      entry.loading = undefined;
    });
    return entry.loading;
  }

  async #open(entry: Entry): Promise<Loaded> {
    const { source } = entry;
    const version = String(entry.versions + 1);
    try {
      // Before it is read: what changes meanwhile is seen as newer.
      const fingerprint = await source.fingerprint();
      const model = await source.open();
      const before = entry.current;
      const loaded: Loaded = { model, version, fingerprint, users: 0, isOld: false };
      entry.versions++;
      entry.current = loaded;
      entry.used = this.#options.now();
      entry.reason = "";
      this.#options.onEvent?.({ kind: "loaded", model: source.name, version });
      if (before) this.#retire(entry, before);
      return loaded;
    } catch (error) {
      entry.reason = (error as Error).message;
      this.#options.onEvent?.({ kind: "failed", model: source.name, version, reason: entry.reason });
      throw error;
    }
  }

  #drop(entry: Entry): void {
    const { current } = entry;
    entry.current = undefined;
    if (current) this.#retire(entry, current);
  }

  #retire(entry: Entry, own: Loaded): void {
    own.isOld = true;
    this.#options.onEvent?.({ kind: "dropped", model: entry.source.name, version: own.version });
    void letGo(own);
  }
}

/** Releases a version that nothing uses any more; the last who uses it does it otherwise. */
async function letGo({ model, users }: Loaded): Promise<void> {
  // What cannot be let go of is of no request's concern.
  if (users === 0) await model.release().catch(() => undefined);
}
