import type { Columns } from "../columns.ts";
import { type CellValue, valueAt } from "./rows.ts";

/** How CSV is written. */
export interface WriteCsvOptions {
  /** Default ",". */
  readonly delimiter?: string;
  /** Whether the first line names the columns; default true. */
  readonly header?: boolean;
}

/**
 * A table as CSV: lines end in CRLF as RFC 4180 says, a field is quoted when it has to be, missing values are empty fields.
 *
 * @throws nothing; a tensor column becomes one field of numbers with spaces between them
 * @see RFC 4180, section 2
 */
export function formatCsv(columns: Columns, { delimiter = ",", header = true }: WriteCsvOptions = {}): string {
  const lines: string[] = [];
  const quoteIf = new RegExp(`["\\r\\n]|[${delimiter.replaceAll(/[\\\]^-]/g, "\\$&")}]`);
  const single = columns.columns.size === 1;
  const join = (fields: readonly string[]): string => {
    const [only = ""] = fields;
    if (single && only === "") return '""'; // an empty line would be no row at all
    return fields.map((field) => (quoteIf.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(delimiter);
  };
  if (header) lines.push(join([...columns.columns.keys()]));
  const all = [...columns.columns.values()];
  for (let row = 0; row < columns.length; row++) lines.push(join(all.map((column) => fieldOf(valueAt(column, row)))));
  return lines.map((line) => `${line}\r\n`).join("");
}

function fieldOf(value: CellValue): string {
  if (value === undefined) return "";
  return value instanceof Float32Array ? Array.from(value).join(" ") : String(value);
}
