import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCodes } from "../core/errors.ts";
import { root } from "./layer.ts";

/** Where the page of error codes is. */
export const errorsPage: string = join(root, "docs", "errors.md");

/** The page of error codes, from the table in core/errors.ts. */
export function renderErrorsPage(): string {
  const rows = Object.entries(errorCodes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    "# Error codes",
    "",
    "Every failure that Espalier reports is an `EspalierError` with one of these codes. The code is part of the API; the message beside it says what",
    "was wrong and what to do, and may change. Served over HTTP, a failure answers with the status; on the command line, it ends the process with the",
    "exit code: 2 where the caller can mend it, 1 for a defect or a failing machine, 130 after Ctrl-C.",
    "",
    "| code | meaning | HTTP status | exit code |",
    "|---|---|---|---|",
    ...rows.map(([code, { status, exit, summary }]) => `| \`${code}\` | ${summary} | ${status} | ${exit} |`),
    "",
    "Written by `scripts/errors-page.ts` from `core/errors.ts`.",
    "",
  ].join("\n");
}

if (import.meta.main) await writeFile(errorsPage, renderErrorsPage());
