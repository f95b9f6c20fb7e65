import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";

/** Between two shows of a line that replaces itself: more often than the eye can follow costs time that training needs. */
const statusMs = 80;

/** How a command talks. */
export interface OutputOptions {
  /** One JSON object as the last line of stdout; everything for people goes to stderr. */
  readonly json?: boolean;
  /** Only results and errors. */
  readonly quiet?: boolean;
}

/** Where a command writes. */
export interface Output {
  /** A line for people. */
  line(text?: string): void;
  /** The same, for what `--quiet` keeps back. */
  detail(text: string): void;
  /** A sentence that should not be missed. */
  note(text: string): void;
  /** Shows a line that the next one replaces, on a terminal only, and not too often. @returns whether it was shown */
  status(text: string): boolean;
  /** The machine's answer: printed when `--json` was given. */
  result(value: Readonly<Record<string, unknown>>): void;
}

/** @param options the command's own */
export function createOutput({ json = false, quiet = false }: OutputOptions): Output {
  const stream = json ? process.stderr : process.stdout;
  const terminal = stream.isTTY && !quiet;
  let shown = false;
  let shownAt = -Infinity;
  const clear = (): void => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  const line = (text = ""): void => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    line,
    detail(text) {
      if (!quiet) line(text);
    },
    note(text) {
      if (!quiet) line(`${pc.yellow("note:")} ${text}`);
    },
    status(text) {
      if (!terminal || performance.now() - shownAt < statusMs) return false;
      clear();
      stream.write(fitted(text, (stream.columns || 80) - 1));
      shown = true;
      shownAt = performance.now();
      return true;
    },
    result(value) {
      clear();
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** A line cut to the terminal's width; one that is cut loses its colours, as an escape sequence must not be cut. */
function fitted(text: string, width: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= width ? text : plain.slice(0, width);
}

/** A number as people read it: four significant digits, no trailing zeros. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1000 ? value.toFixed(1) : String(Number(value.toPrecision(4)));
}

/** Lines of a table, columns aligned: text to the left, numbers to the right. */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? formatNumber(cell) : cell)));
  const widths = (texts[0] ?? []).map((_, i) => Math.max(...texts.map((row) => (row[i] ?? "").length)));
  return texts.map((row, r) =>
    row
      .map((cell, i) => (typeof (rows[r]?.[i] ?? "") === "number" ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
