import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCodes } from "../core/errors.ts";
import { errorsPage, renderErrorsPage } from "./errors-page.ts";
import { isTest, root, sourceFiles } from "./layer.ts";

const product = /^(core|backends|server|node|cli|browser)\//;

test("docs/errors.md says what core/errors.ts says; scripts/errors-page.ts writes it anew", () => {
  expect(readFileSync(errorsPage, "utf8")).toBe(renderErrorsPage());
});

test("every code that is thrown is listed, and every listed code is thrown", () => {
  const thrown = new Set(
    sourceFiles()
      .filter((path) => product.test(path) && !isTest(path) && path !== "core/errors.ts")
      .flatMap((path) => thrownCodes(readFileSync(join(root, path), "utf8"))),
  );
  expect([...thrown].toSorted()).toEqual(Object.keys(errorCodes).toSorted());
});

test("a code is found on the line after the parenthesis too, not in a comment's example", () => {
  expect(thrownCodes('new EspalierError(\n  "A_B",\n  "x")\n * throw new EspalierError("C", "y")\n// new EspalierError("D")')).toEqual(["A_B"]);
});

function thrownCodes(source: string): string[] {
  const code = source.replaceAll(/^\s*(\*|\/\/).*$/gm, "");
  return [...code.matchAll(/new EspalierError\(\s*"([A-Z_]+)"/g)].map(([, name = ""]) => name);
}
