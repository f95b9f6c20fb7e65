/** An axis of an operand: a letter, or "...0", "...1" ... for the axes that an ellipsis stands for, counted from the last. */
export type EinsumLabel = string;

/** An equation applied to operands of known ranks. */
export interface EinsumEquation {
  /** For each operand the label of each axis. */
  readonly operands: readonly (readonly EinsumLabel[])[];
  readonly output: readonly EinsumLabel[];
}

/**
 * Reads an equation such as "bij,bjk->bik", "i,j" or "...ij->...ji".
 *
 * Without an arrow the output has the ellipsis and then, in alphabetical order, every letter that occurs once.
 * @param ranks of the operands
 * @returns the equation, or what is wrong with it
 * @see https://onnx.ai/onnx/operators/onnx__Einsum.html
 */
export function parseEinsum(equation: string, ranks: readonly number[]): EinsumEquation | string {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  if (more.length > 0) return "it has more than one arrow";
  const terms = left.split(",");
  if (terms.length !== ranks.length) return `it has ${terms.length} terms for ${ranks.length} inputs`;
  const operands: (readonly EinsumLabel[])[] = [];
  for (const [i, term] of terms.entries()) {
    const labels = labelsOf(term, (letters) => (ranks[i] ?? 0) - letters);
    if (typeof labels === "string") return `term "${term}" ${labels}`;
    if (labels.length !== ranks[i]) return `term "${term}" does not name the ${ranks[i]} axes of input ${i}`;
    operands.push(labels);
  }
  const known = operands.flat();
  const dots = ellipsis(Math.max(0, ...known.filter(isEllipsis).map((label) => Number(label.slice(3)) + 1)));
  if (right === undefined) {
    const once = known.filter((label) => !isEllipsis(label) && known.indexOf(label) === known.lastIndexOf(label));
    return { operands, output: [...dots, ...once.toSorted()] };
  }
  const output = labelsOf(right, () => dots.length);
  if (typeof output === "string") return `output "${right}" ${output}`;
  const stranger = output.find((label) => !known.includes(label));
  if (stranger !== undefined) return `the output has "${stranger}", which no input has`;
  const twice = output.find((label, i) => output.indexOf(label) !== i);
  if (twice !== undefined) return `the output has "${twice}" twice`;
  if (dots.some((label) => !output.includes(label))) return "the output lacks the ellipsis of the inputs";
  return { operands, output };
}

/** Whether a label stands for an axis of an ellipsis, which broadcasts. */
export function isEllipsis(label: EinsumLabel): boolean {
  return label.startsWith("...");
}

function labelsOf(term: string, ellipsisRank: (letters: number) => number): readonly EinsumLabel[] | string {
  const [before = "", after, ...more] = term.split("...");
  const letters = before + (after ?? "");
  if (more.length > 0) return "has more than one ellipsis";
  const wrong = letters.split("").find((letter) => !/[A-Za-z]/.test(letter));
  if (wrong !== undefined) return `has "${wrong}": axes are letters`;
  if (after === undefined) return before.split("");
  const rank = ellipsisRank(letters.length);
  return rank < 0 ? `names more axes than there are, ${letters.length + rank}` : [...before.split(""), ...ellipsis(rank), ...after.split("")];
}

/** Counted from the last, so that ellipses of different lengths broadcast. */
function ellipsis(rank: number): readonly EinsumLabel[] {
  return Array.from({ length: rank }, (_, i) => `...${rank - 1 - i}`);
}
