/** Requests that no one of good faith sends, made of a seed: broken ways, methods, headers, lengths and bodies. */
import type { Random } from "../../core/random.ts";

const good = '{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';
const paths = [
  ...["/", "/predict", "/predict/model", "/predict/none", "/v2", "/v2/models/model", "/v2/models/model/infer"],
  ...["/v2/models/model/versions/9/infer", "/v2/models/%ZZ/infer", "/v2/models//infer", "/v1/models", "/metrics"],
  ...[
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/../../etc/passwd",
    "/predict/..%2f..%2fetc%2fpasswd",
  ],
  ...["/v2/models/__proto__/infer", "/v2/models/constructor", "//", "/%00", "/v2/health/live", `/${"a".repeat(3000)}`],
] as const;
const bodies = [
  good,
  ...["", "{", "[]", "null", "0", '"text"', "[1,2,3,4]", "[[1,2,3,4],[5]]", "/etc/passwd", '{"__proto__":{"x":1}}'],
  ...[
    '{"inputs":[]}',
    '{"inputs":[{"name":"input","shape":[1e9,1e9],"datatype":"FP32","data":[1]}]}',
    "[1e999]",
    "[NaN]",
  ],
  ...['{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":1e15}}]}', "\u0000"],
  ...[
    '{"prompt":"a","max_tokens":1e9}',
    '{"messages":[{"role":"root","content":{}}]}',
    '{"input":[1,2]}',
    "[".repeat(5000),
  ],
] as const;
const headers = [
  ...["", "content-type: image/png", "content-type: text/csv", "content-type: audio/wav", "content-type: ;;;;"],
  ...[
    "inference-header-content-length: 9",
    "inference-header-content-length: -1",
    "content-encoding: gzip",
    "host: evil.example",
  ],
  ...[
    "origin: https://evil.example",
    "authorization: Bearer x",
    "x-request-id: a\tb",
    "expect: 100-continue",
    "connection: close",
  ],
] as const;

const oneOf = <T>(items: readonly T[], random: Random): T => items[Math.floor(random.uniform() * items.length)] as T;

/** One request, as the bytes of its connection. */
export function hostileRequest(random: Random): Buffer {
  const method = oneOf(["GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "BREW"], random);
  const body = Buffer.from(changed(Buffer.from(oneOf(bodies, random)), random));
  const length = random.uniform() < 0.8 ? body.length : Math.floor(random.uniform() * 2 * body.length);
  const coding = random.uniform() < 0.1 ? "transfer-encoding: chunked" : `content-length: ${length}`;
  const own = oneOf(headers, random);
  const lines = [
    `${method} ${oneOf(paths, random)} HTTP/1.1`,
    ...(own.startsWith("host") ? [] : ["host: localhost"]),
    ...(own === "" ? [] : [own]),
    ...(random.uniform() < 0.5 ? ["content-type: application/json"] : []),
    coding,
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  const whole = Buffer.concat([head, body]);
  if (random.uniform() < 0.1) return Buffer.from(changed(whole, random));
  return random.uniform() < 0.1 ? whole.subarray(0, Math.floor(random.uniform() * whole.length)) : whole;
}

/** Bytes with some of them changed, most often none. */
function changed(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.uniform() < 0.5) return bytes;
  const own = bytes.slice();
  for (let i = 0; i < 1 + Math.floor(3 * random.uniform()) && own.length > 0; i++)
    own[Math.floor(random.uniform() * own.length)] = Math.floor(256 * random.uniform());
  return own;
}
