import { EspalierError, errorCodes } from "../core/index.ts";

/** A failure as every protocol here answers it. */
export interface Failure {
  readonly status: number;
  readonly code: EspalierError["code"];
  /** For the client: what was wrong and what to do. Never a stack trace, never what an internal failure knew. */
  readonly message: string;
}

/** The header that carries an error's stable code; the body keeps to its protocol. */
export const errorCodeHeader = "espalier-error-code";

/**
 * What a client is told of an error: the one place where codes become HTTP statuses. Defects answer 500 without their details, which
 * go to the server's log.
 */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof EspalierError)) return { status: 500, code: "INTERNAL", message: "the server failed; its log has the details" };
  const { status } = errorCodes[error.code];
  const message = error.code === "INTERNAL" ? "the server failed; its log has the details" : error.message;
  return { status, code: error.code, message };
}

/** The answer of both prediction protocols: `{"error": message}`. */
export function failureResponse({ status, code, message }: Failure): Response {
  const headers: Record<string, string> = { "content-type": "application/json", [errorCodeHeader]: code };
  if (status === 503) headers["retry-after"] = "1";
  return new Response(JSON.stringify({ error: message }), { status, headers });
}
