import { InvalidArgumentError } from "commander";

/** A parser of whole numbers from `least`, for commander. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`}.`);
  };
}

/** A parser of whole numbers from `least`, or the word `auto`. */
export function wholeNumberOrAuto(least: number): (text: string) => number | "auto" {
  const parse = wholeNumber(least);
  return (text) => {
    if (text === "auto") return text;
    try {
      return parse(text);
    } catch {
      throw new InvalidArgumentError(`It must be a whole number from ${least}, or auto.`);
    }
  };
}

/** A parser of sizes in bytes: `500MB`, `1.5 GB`, `2GiB`. */
export function byteSize(text: string): number {
  const [, number = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text) ?? [];
  const factor = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }[unit.toLowerCase()];
  const value = factor === undefined || number === "" ? NaN : Math.floor(Number(number) * factor);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number of bytes above 0, such as 500MB or 2GiB.");
}

/** A parser of numbers above 0. */
export function positiveNumber(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

/** A parser of lists: `a,b` or the option given twice. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [
    ...before,
    ...text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ];
}
