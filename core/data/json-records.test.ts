import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Columns } from "../columns.ts";
import { memorySource } from "./byte-source.ts";
import { openTable, readTable } from "./open-table.ts";
import { rowObject } from "./rows.ts";
import type { TableOptions } from "./table.ts";

const rowsOf = (columns: Columns): Record<string, unknown>[] => Array.from({ length: columns.length }, (_, row) => rowObject(columns, row));
const open = (text: string, options: TableOptions = {}): ReturnType<typeof openTable> => openTable(memorySource("t.jsonl", text), options);
const read = async (text: string, options: TableOptions = {}): Promise<Record<string, unknown>[]> =>
  rowsOf(await readTable(await open(text, options)));

describe("JSON lines", () => {
  it("reads numbers, texts, booleans, nulls and absent keys", async () => {
    expect(await read('{"n":1.5,"s":"x","b":true}\r\n\n{"s":null,"n":2}\n{"b":false,"s":"?"}')).toEqual([
      { n: 1.5, s: "x", b: "true" },
      { n: 2, s: null, b: null },
      { n: null, s: null, b: "false" },
    ]);
  });

  it("may be one array, written over any lines", async () => {
    const text = '\u{feff}[ {"a":1,"b":"],}\\"{["},\r\n {"a":2,\n"b":"x"} ,{"a":3}\n]\n';
    const expected = [
      { a: 1, b: '],}"{[' },
      { a: 2, b: "x" },
      { a: 3, b: null },
    ]; // one line a case
    expect(await read(text)).toEqual(expected);
    await expect(read(`[\n${'{"a":1},\n'.repeat(20)}{"a":\n"x"}]`)).rejects.toThrow(/line 22: "x"/);
  });

  it("takes any name for a column, those of objects' own properties too", async () => {
    const table = await open('{"__proto__":1,"constructor":"a"}\n{"toString":2}\n');
    expect(Object.keys(table.schema)).toEqual(["__proto__", "constructor", "toString"]);
    const { columns } = await readTable(table);
    expect(
      Array.from(columns.values(), (column) =>
        column.kind === "number" ? Array.from(column.values) : column.kind === "string" && Array.from(column.codes),
      ),
    ).toEqual([
      [1, NaN],
      [0, -1],
      [NaN, 2],
    ]);
  });

  it("is known by its first byte when the name says nothing", async () => {
    const table = await openTable(memorySource("upload", ' {"a":1}\n'));
    expect(table.schema).toEqual({ a: { kind: "number" } });
  });

  it.each([
    ["broken JSON", '{"a":1}\n{"a":\n', "DATA_MALFORMED", /line 2: this is not a JSON object/],
    ["a list on a line", '{"a":1}\n[1,2]\n', "DATA_MALFORMED", /line 2: expected an object of columns, found \[1,2\]/],
    ["an array that is not closed", '[{"a":1},\n{"a":2}', "DATA_MALFORMED", /line 2: the array is not closed/],
    ["an object that is not closed", '[{"a":1},\n{"a":', "DATA_MALFORMED", /line 2: this is not a JSON object/],
    ["an array without a comma", '[{"a":1}\n{"a":2}]', "DATA_MALFORMED", /line 2: a comma is missing/],
    ["an array with a comma too many", '[{"a":1},,{"a":2}]', "DATA_MALFORMED", /a comma too many/],
    ["an array of numbers", "[1, 2]", "DATA_MALFORMED", /expected an object of columns, found 1/],
    ["something after an array", '[{"a":1}]\n{"a":2}', "DATA_MALFORMED", /line 2: something follows/],
    ["an empty array", "[ ]", "DATA_EMPTY", /no rows/],
    ["a nested value", '{"a":[1,2]}\n', "DATA_MALFORMED", /column "a" holds a list/],
    ["text among numbers", `${'{"a":1}\n'.repeat(20)}{"a":"x"}\n`, "COLUMN_TYPE", /line 21: "x"/],
    ["nothing", "\n\n", "DATA_EMPTY", /no rows/],
  ])("refuses %s", async (_, text, code, message) => {
    await expect(read(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("refuses a column that turns up after the sample, and text after it", async () => {
    await expect(read('{"a":1}\n{"a":2,"b":3}\n', { sampleRows: 1 })).rejects.toThrow(/line 2: column "b" is not in the rows/);
    await expect(read('{"a":1}\n{"a":"x"}\n', { sampleRows: 1 })).rejects.toMatchObject({ code: "COLUMN_TYPE" });
  });

  it("gives back what JSON.stringify wrote, and goes on from any place", async () => {
    const row = fc.record({ n: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), s: fc.string({ unit: "grapheme", maxLength: 6 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), fc.nat(6), fc.boolean(), async (rows, items, array) => {
        const table = await open(array ? JSON.stringify(rows) : rows.map((item) => JSON.stringify(item)).join("\n"), {
          chunkRows: 3,
          missing: [],
          types: { n: "number", s: "string" },
        });
        const whole = rowsOf(await readTable(table));
        expect(JSON.stringify(whole)).toBe(JSON.stringify(rows.map(({ n, s }) => ({ n, s }))));
        const iterator = table.iterate();
        for (let i = 0; i < items; i++) await iterator.next();
        const rest: Record<string, unknown>[] = [];
        for await (const columns of table.iterate(JSON.parse(JSON.stringify(iterator.state())))) rest.push(...rowsOf(columns));
        expect(rest).toEqual(whole.slice(3 * items));
      }),
    );
  });
});
