/** Work that stops because it was asked to. */

/** Thrown where a run stops because its signal was aborted; everything worth keeping is saved by then. Its cause is the signal's reason. */
export class Interrupted extends Error {}
