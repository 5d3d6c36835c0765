/** How much a server takes on: every limit with its default. */
import { count, positive } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";

/** Limits of a server. */
export interface ServeLimits {
  /** Requests that are answered at once, those that wait among them; more are told to come again. Default 512. */
  readonly requests?: number | undefined;
  /** Bytes of a body. Default 32 MiB. */
  readonly body?: number | undefined;
  /** Bytes of all bodies that are held at once. Default 16 bodies of the most bytes. */
  readonly bodies?: number | undefined;
  /** Seconds that an answer may take, from the first byte of the request to the last of the answer. Default 120. */
  readonly seconds?: number | undefined;
  /** Seconds that a request may take to arrive. Default 30. */
  readonly arrival?: number | undefined;
  /** Seconds that requests under way are given when the server is to end. Default 30. */
  readonly grace?: number | undefined;
}

export const checkServeLimits = optionsOf<ServeLimits>("serve limits", {
  requests: count(),
  body: count(),
  bodies: count(),
  seconds: positive,
  arrival: positive,
  grace: positive,
});

/** The limits with their defaults. Throws OptionError for limits that leave nothing to serve. */
export function settledLimits(limits: ServeLimits): { readonly [K in keyof ServeLimits]-?: number } {
  const { requests = 512, body = 2 ** 25, seconds = 120, arrival = 30, grace = 30, ...rest } = checkServeLimits(limits);
  return { requests, body, bodies: rest.bodies ?? 16 * body, seconds, arrival, grace };
}
