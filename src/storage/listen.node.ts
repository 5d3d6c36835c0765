/** Servers on the network: where they listen, by TLS where there is a certificate, and the tokens that their clients show. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { OptionError } from "../core/errors.ts";
import { systemReason } from "./disk.node.ts";

/** Where a server listens: port 0 is any that is free; default 127.0.0.1. With a certificate and its key, PEM, by TLS. */
export interface ListenPlace {
  readonly port: number;
  readonly host?: string | undefined;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
}

/** A server that listens. */
export interface Listening {
  readonly server: Server;
  /** Its host and port as they stand in an address: `127.0.0.1:8080`. */
  readonly authority: string;
}

/** Starts a server. Throws OptionError for an address that cannot be listened on, and for a certificate that cannot be used. */
export async function listen(place: ListenPlace, options: ServerOptions = {}): Promise<Listening> {
  const server = httpServer(place, options);
  return { server, authority: await listenAt(server, place) };
}

/** Lets a server listen, and gives its host and port as they stand in an address. Throws OptionError for an address that cannot be listened on. */
export async function listenAt(server: NetServer, { port, host = "127.0.0.1" }: ListenPlace): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new OptionError(
          `cannot listen on ${host}:${port} (${systemReason(error)}); choose another port, or end what listens there`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  // Where the system has no room for one more connection, that one is lost and no other.
  server.on("error", () => undefined);
  const { port: own } = server.address() as AddressInfo;
  return `${host.includes(":") ? `[${host}]` : host}:${own}`;
}

/** A server that does not listen: its connections are handed to it, by `server.emit("connection", socket)`. Throws OptionError for a certificate that cannot be used. */
export function handedServer(place: ListenPlace, options: ServerOptions = {}): Server {
  const server = httpServer(place, options);
  // Node looks for requests that are late in a server that says that it listens.
  server.emit("listening");
  return server;
}

const httpServer = ({ tls }: ListenPlace, options: ServerOptions): Server =>
  tls ? secureServer(tls, options) : createServer(options);

function secureServer(
  { cert, key }: { readonly cert: Uint8Array; readonly key: Uint8Array },
  options: ServerOptions,
): Server {
  try {
    return createSecureServer({ ...options, cert: Buffer.from(cert), key: Buffer.from(key) });
  } catch (cause) {
    throw new OptionError(
      `the certificate and its key cannot be used (${(cause as Error).message}); pass both as PEM files that belong together`,
      { cause },
    );
  }
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether two tokens are the same, in a time that does not tell where they differ: digests are equally long, and are compared whole. */
export const sameToken = (given: string, expected: string): boolean =>
  timingSafeEqual(digestOf(given), digestOf(expected));

/** Whether an address is this machine's own, which no other reaches. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);
