import { expect, test } from "vitest";
import { countCodeLines } from "./code-lines.ts";

test("comments and blank lines are not code, a line with both is", () => {
  const source = ["// why", "", "/**", " * What.", " * @see there", " */", "export const a = 1; // one", "/* b */ const b = a;", "  ", "}"].join(
    "\n",
  );
  expect(countCodeLines(source, "a.ts")).toBe(3);
});

test("every line of a template is code but the blank ones, even where it looks like a comment", () => {
  expect(countCodeLines("const shader = `\n// not a comment\n\n  ${x}\n`;\nconst r = /\\/*/;", "a.ts")).toBe(5);
});

test("a page's elements are counted, their comments are not", () => {
  expect(countCodeLines("export const a = (\n  <p>\n    words\n\n    {/* why */}\n  </p>\n);\n", "a.tsx")).toBe(6);
});
