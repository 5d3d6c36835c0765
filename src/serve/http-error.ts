/** Answers that say no: a status, and a sentence with the mend. */
import { InternalError, RuntimeError, SardonyxError } from "../core/errors.ts";

/** A request that is answered by a status and a sentence. */
export class HttpError extends SardonyxError {
  override readonly code: string = "HTTP";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** That the server is full, and when to come again. */
export const busy = (message: string): HttpError => new HttpError(503, message, { "retry-after": "1" });

/** What is told of an error: whatever a request causes is its sender's to mend, and defects are told without their insides. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof InternalError || !(error instanceof SardonyxError))
    return new HttpError(500, "the server failed on this request, which is a defect; its log says where");
  // The engine refuses what no check before it saw, such as an index beyond a table.
  if (error instanceof RuntimeError) return new HttpError(422, error.message);
  return new HttpError(400, error.message);
}
