import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { EspalierError } from "../../core/index.ts";

/** A bound port. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections, lets requests in flight finish (at most `drainMs`), and resolves when all connections are closed. */
  close(): Promise<void>;
}

/** SageMaker and Kubernetes kill after 30 seconds. */
const drainMs = 20_000;

/**
 * Serves an application over HTTP/1.1.
 *
 * @param fetch answers one request
 * @throws PORT_IN_USE, ARGUMENT_INVALID for a port or host that cannot be bound
 */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<Listener> {
  const server = createAdaptorServer({ fetch, hostname: host }) as Server; // HTTP/1.1, as no other createServer is given
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(bindError(cause, port, host)));
    server.listen(port, host, resolve);
  });
  let closed: Promise<void> | undefined;
  return { port: (server.address() as AddressInfo).port, close: () => (closed ??= drain(server)) }; // a port, not a pipe, was listened to
}

async function drain(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept-alive connection becomes idle when its answer is out: only then may it be closed.
  server.on("request", (_request, response) => response.setHeader("connection", "close"));
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  await done;
  clearInterval(sweep);
  clearTimeout(deadline);
}

function bindError(cause: Error & { code?: string }, port: number, host: string): EspalierError {
  switch (cause.code ?? "") {
    case "EADDRINUSE":
      return new EspalierError(
        "PORT_IN_USE",
        `port ${port} on ${host} is in use; choose another with --port, or --port 0 for any free one`,
        { port, host },
        { cause },
      );
    case "EACCES":
      return new EspalierError(
        "ARGUMENT_INVALID",
        `port ${port} may not be used by this user; choose one from 1024 with --port`,
        { port, host },
        { cause },
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new EspalierError(
        "ARGUMENT_INVALID",
        `"${host}" is no address of this machine; use --host 127.0.0.1, or 0.0.0.0 for all`,
        { port, host },
        { cause },
      );
    default:
      return new EspalierError("INTERNAL", `cannot listen on ${host}:${port}: ${cause.message}`, { port, host }, { cause });
  }
}
