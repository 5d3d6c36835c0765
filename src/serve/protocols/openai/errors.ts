/** Answers that say no, in OpenAI's form. */
import type { HttpError } from "../../http-error.ts";

const kinds: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  401: ["authentication_error", "invalid_api_key"],
  404: ["invalid_request_error", "model_not_found"],
  429: ["rate_limit_error", "rate_limit_exceeded"],
};

/** The body of an answer that says no. */
export function errorBody({ status, message }: HttpError): string {
  const [type, code] = kinds[status] ?? [status >= 500 ? "server_error" : "invalid_request_error", null];
  return JSON.stringify({ error: { message, type, param: null, code } });
}
