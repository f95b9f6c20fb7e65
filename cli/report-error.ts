import pc from "picocolors";
import { EspalierError, errorCodes } from "../core/errors.ts";

/**
 * Writes an error for a person: `error CODE: what, where, what to do`, on stderr, without a stack trace.
 *
 * A failure that is not an EspalierError is a defect of ours: it keeps its stack under ESPALIER_DEBUG=1.
 *
 * @param options.json also writes `{"ok":false,"error":{code,message}}` as the last line of stdout
 * @returns the exit code that the error's code stands for
 */
export function reportError(error: unknown, { json = false }: { readonly json?: boolean } = {}): number {
  const known = error instanceof EspalierError;
  const code = known ? error.code : "INTERNAL";
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${pc.red(`error ${code}:`)} ${message}\n`);
  if (process.env["ESPALIER_DEBUG"] === "1") process.stderr.write(`${inspectError(error)}\n`);
  else if (!known) process.stderr.write("this is a defect in Espalier; run again with ESPALIER_DEBUG=1 to see where it happened\n");
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message } })}\n`);
  return errorCodes[code].exit;
}

function inspectError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${inspectError(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
