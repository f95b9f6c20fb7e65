import { EspalierError } from "../core/index.ts";

/**
 * Reads a request's body, decompressed, and never more of it than the limit: a body without a length, or one that lies, is cut off.
 *
 * @throws BODY_TOO_LARGE, REQUEST_INVALID for an unknown or broken compression
 */
export async function readBody(request: Request, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) {
    await discard(request.body, maxBytes);
    throw tooLarge(maxBytes, `${declared} bytes`);
  }
  // Platforms cut a body at its declared length, and read it whole much faster than in pieces.
  if (declared !== null && encoding === "identity") return await readWhole(request, maxBytes);
  if (request.body === null) return new Uint8Array(0);
  return encoding === "identity" ? await collect(request.body, maxBytes) : await collect(decompress(request.body, encoding), maxBytes, encoding);
}

/** Parses a body as JSON in UTF-8. @throws REQUEST_INVALID saying where it breaks */
export function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) throw new EspalierError("REQUEST_INVALID", "the body is empty; send a JSON object");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new EspalierError("REQUEST_INVALID", "the body is not UTF-8; send JSON in UTF-8", {}, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("REQUEST_INVALID", `the body is not JSON: ${reason}`, {}, { cause });
  }
}

/**
 * Reads at most as much as the limit and drops it: some proxies break the connection when a body of known length is answered before it
 * was sent. What is longer still is cut off.
 */
async function discard(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<void> {
  if (stream === null) return;
  const reader = stream.getReader();
  try {
    for (let dropped = 0; dropped <= maxBytes;) {
      const { done, value } = await reader.read();
      if (done) return;
      dropped += value.length;
    }
  } catch {
    return; // the client went away: nobody waits for the rest
  } finally {
    await reader.cancel().catch(() => undefined); // a broken stream has nothing to cancel
  }
}

async function readWhole(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let body: Uint8Array<ArrayBuffer>;
  try {
    body = new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw new EspalierError("REQUEST_INVALID", "the body ended early", {}, { cause });
  }
  if (body.length > maxBytes) throw tooLarge(maxBytes, `${body.length} bytes`);
  return body;
}

async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number, encoding?: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > maxBytes) throw tooLarge(maxBytes, "more");
      parts.push(value);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined); // the first error is the one to report
    if (cause instanceof EspalierError) throw cause;
    const what = encoding === undefined ? "the body ended early" : `the body is not ${encoding}, which its content-encoding says`;
    throw new EspalierError("REQUEST_INVALID", what, {}, { cause });
  }
  return join(parts, length);
}

function decompress(stream: ReadableStream<Uint8Array<ArrayBuffer>>, encoding: string): ReadableStream<Uint8Array> {
  if (encoding !== "gzip" && encoding !== "deflate") {
    throw new EspalierError("REQUEST_INVALID", `content-encoding "${encoding}" is not supported; send gzip, deflate or none`, { encoding });
  }
  return stream.pipeThrough(new DecompressionStream(encoding));
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  return body;
}

function tooLarge(maxBytes: number, found: string): EspalierError {
  return new EspalierError("BODY_TOO_LARGE", `the body has ${found}, the limit is ${maxBytes} bytes; send fewer rows in a request`, { maxBytes });
}
