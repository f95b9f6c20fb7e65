/** Powers of ten that float64 holds exactly. */
const exactPowers: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * Reads a decimal number from bytes, as `Number(text)` does: the nearest float64. Spaces and tabs around it are allowed.
 *
 * Without making a string where at most 15 digits and an exponent of at most 22 make one exact integer and one exact power of ten, so
 * that a single division or multiplication rounds correctly; anything else goes through `Number`.
 *
 * @returns NaN when the bytes are not a finite decimal number (hexadecimal, "inf" and empty fields are not)
 * @see W. D. Clinger, How to read floating point numbers accurately, PLDI 1990
 */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number {
  let from = start;
  let to = end;
  while (from < to && isSpace(bytes[from]!)) from += 1; // offsets stay inside the field
  while (from < to && isSpace(bytes[to - 1]!)) to -= 1;
  let at = from;
  let negative = false;
  if (at < to && (bytes[at] === 45 || bytes[at] === 43)) {
    negative = bytes[at] === 45;
    at += 1;
  }
  let mantissa = 0;
  let digits = 0; // of the mantissa, without leading zeros
  let seen = 0; // digits in all
  let scale = 0; // decimal places
  let byte = 0;
  for (; at < to && isDigit((byte = bytes[at]!)); at++, seen++) {
    mantissa = mantissa * 10 + byte - 48;
    if (mantissa !== 0) digits += 1;
  }
  if (at < to && bytes[at] === 46) {
    for (at += 1; at < to && isDigit((byte = bytes[at]!)); at++, seen++, scale++) {
      mantissa = mantissa * 10 + byte - 48;
      if (mantissa !== 0) digits += 1;
    }
  }
  if (seen === 0) return NaN;
  let exponent = -scale;
  if (at < to && (bytes[at] === 101 || bytes[at] === 69)) {
    at += 1;
    const down = bytes[at] === 45;
    if (at < to && (down || bytes[at] === 43)) at += 1;
    const first = at;
    let power = 0;
    for (; at < to && isDigit((byte = bytes[at]!)); at++) power = Math.min(power * 10 + byte - 48, 100_000);
    if (at === first) return NaN;
    exponent += down ? -power : power;
  }
  if (at !== to) return NaN;
  if (digits > 15 || exponent > 22 || exponent < -22) return slowNumber(bytes, from, to);
  const value = exponent < 0 ? mantissa / exactPowers[-exponent]! : mantissa * exactPowers[exponent]!; // the range was checked
  return negative ? -value : value;
}

/** The syntax was checked: ASCII digits, signs, a point, an exponent. */
function slowNumber(bytes: Uint8Array, start: number, end: number): number {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!); // inside the field
  const value = Number(text);
  return Number.isFinite(value) ? value : NaN;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9;
}
