/**
 * The MPI library of the machine, called through koffi. Two families of handles: pointers to symbols (Open MPI) and integers that the
 * MPICH ABI fixes (MPICH, Intel MPI, MVAPICH, Microsoft MPI).
 */
import type { LibraryHandle } from "koffi";
import { OptionError } from "../../core/errors.ts";
import type { MpiFamily } from "./launcher.node.ts";

/** A communicator, datatype, operation or request. */
export type Handle = bigint | number;

/** An array that holds one handle, which functions write to. */
export type HandleCell = BigUint64Array | Int32Array;

/** A library, with what its header defines. */
export interface MpiLibrary {
  readonly family: MpiFamily;
  /** Its file, as it was found. */
  readonly file: string;
  readonly world: Handle;
  readonly byte: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly sum: Handle;
  readonly errorsReturn: Handle;
  /** `MPI_IN_PLACE`, `MPI_STATUS_IGNORE`: addresses. */
  readonly inPlace: bigint;
  readonly statusIgnore: bigint;
  readonly anySource: number;
  /** A place for a handle. */
  cell(): HandleCell;
  /** A function by its name and the types of its arguments, `H` for a handle, `*` for an address, `i` for an int; its result is MPI's code. */
  call(name: string, types: string): (...args: readonly unknown[]) => number;
}

/** Under which names a library lies, by family and platform. */
const files: Readonly<Record<MpiFamily, Readonly<Record<string, readonly string[]>>>> = {
  "Open MPI": {
    linux: ["libmpi.so.40", "libmpi.so.80", "libmpi.so"],
    darwin: ["libmpi.40.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"],
    win32: [],
  },
  MPICH: {
    linux: ["libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so"],
    darwin: ["libmpi.12.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"],
    win32: ["msmpi.dll"],
  },
};

const packages: Readonly<Record<MpiFamily, string>> = { "Open MPI": "openmpi-bin", MPICH: "mpich" };

/** Loads koffi, which calls functions of libraries. Throws OptionError where it is not installed. */
async function loadKoffi() {
  try {
    return (await import("koffi")).default;
  } catch (cause) {
    throw new OptionError("several processes need the package koffi, which calls MPI; install it: npm install koffi", {
      cause,
    });
  }
}

/**
 * The library of a family, or what the variable SARDONYX_MPI names. Throws OptionError where koffi or the library is missing, or the library
 * is of the other family.
 */
export async function loadMpi(family: MpiFamily, variable: string): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  // UCX, on which MPICH and others send, patches the functions by which a process takes and frees memory; with those of V8 it crashes.
  process.env["UCX_MEM_EVENTS"] ??= "n";
  const named = process.env["SARDONYX_MPI"];
  const tried = named ? [named] : (files[family][process.platform] ?? []);
  const started = `${family} started this process (${variable} is set)`;
  for (const file of tried) {
    let lib: LibraryHandle;
    try {
      // The library's own plugins look for its symbols among those of the process.
      lib = koffi.load(file, { global: true });
    } catch {
      continue;
    }
    const found: MpiFamily = hasSymbol(lib, "ompi_mpi_comm_world") ? "Open MPI" : "MPICH";
    if (found === family) return family === "Open MPI" ? openMpi(lib, file) : mpich(lib, file);
    if (named)
      throw new OptionError(
        `${started}, and SARDONYX_MPI names a library of ${found}, ${file}; name one of ${family}, or start with the mpirun of ${found}`,
      );
  }
  throw new OptionError(
    `${started}, and its library was not found (${tried.join(", ") || `there is none for ${process.platform}`}); install it (Debian: apt install ${packages[family]}), or name its file: SARDONYX_MPI=/path/to/libmpi.so`,
  );
}

/** A library that this process has loaded, for another thread of it. */
export async function loadedMpi(file: string, isOpenMpi: boolean): Promise<MpiLibrary> {
  const lib = (await loadKoffi()).load(file, { global: true });
  return isOpenMpi ? openMpi(lib, file) : mpich(lib, file);
}

function hasSymbol(lib: LibraryHandle, name: string): boolean {
  try {
    lib.symbol(name);
    return true;
  } catch {
    return false;
  }
}

const caller =
  (lib: LibraryHandle, handle: string): MpiLibrary["call"] =>
  (name, types) =>
    lib.func(
      name,
      "int",
      Array.from(types, (type) => (type === "H" ? handle : type === "i" ? "int" : "void *")),
    );

function openMpi(lib: LibraryHandle, file: string): MpiLibrary {
  const at = (name: string): bigint => lib.symbol(`ompi_mpi_${name}`);
  return {
    family: "Open MPI",
    file,
    world: at("comm_world"),
    byte: at("byte"),
    float: at("float"),
    double: at("double"),
    sum: at("op_sum"),
    errorsReturn: at("errors_return"),
    inPlace: 1n,
    statusIgnore: 0n,
    anySource: -1,
    cell: () => new BigUint64Array(1),
    call: caller(lib, "void *"),
  };
}

/** The values of mpi.h that the MPICH ABI initiative fixed (2013). */
const mpich = (lib: LibraryHandle, file: string): MpiLibrary => ({
  family: "MPICH",
  file,
  world: 0x44000000,
  byte: 0x4c00010d,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  inPlace: -1n,
  statusIgnore: 1n,
  anySource: -2,
  cell: () => new Int32Array(1),
  call: caller(lib, "int"),
});
