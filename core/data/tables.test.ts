import { describe, expect, it } from "vitest";
import type { InputField } from "../bundle/manifest.ts";
import type { Column, Columns } from "../columns.ts";
import { columnsFromRows } from "./columns-from-rows.ts";
import { packColumns } from "./pack-columns.ts";
import { profileColumns } from "./profile.ts";
import { concatColumns, gatherRows, rowObject, selectColumns, sliceRows } from "./rows.ts";
import { formatCsv } from "./write-csv.ts";

const columns: Columns = {
  length: 3,
  columns: new Map<string, Column>([
    ["n", { kind: "number", values: Float64Array.from([1, NaN, 3.5]) }],
    ["s", { kind: "string", codes: Int32Array.from([1, 0, -1]), dictionary: ['say "hi"', "a,b"] }],
    ["t", { kind: "tensor", shape: [2], values: Float32Array.from([1, 2, 3, 4, 5, 6]) }],
  ]),
};
const rowsOf = (table: Columns): unknown[] => Array.from({ length: table.length }, (_, row) => rowObject(table, row));

describe("rows", () => {
  it("are sliced, gathered, joined and selected", () => {
    const all = rowsOf(columns);
    expect(all[0]).toEqual({ n: 1, s: "a,b", t: [1, 2] });
    expect(rowsOf(sliceRows(columns, 1, 3))).toEqual(all.slice(1));
    expect(rowsOf(gatherRows(columns, [2, 0, 2]))).toEqual([all[2], all[0], all[2]]);
    expect(rowsOf(concatColumns([sliceRows(columns, 2, 3), gatherRows(columns, [0, 1])]))).toEqual([all[2], all[0], all[1]]);
    expect(rowsOf(selectColumns(columns, ["t", "nope", "n"]))[1]).toEqual({ t: [3, 4], n: null });
  });

  it("are not joined with rows of other columns", () => {
    expect(() => concatColumns([columns, selectColumns(columns, ["n"])])).toThrow(/different columns/);
  });
});

describe("formatCsv", () => {
  it("writes CRLF lines and quotes what must be quoted", () => {
    expect(formatCsv(columns)).toBe('n,s,t\r\n1,"a,b",1 2\r\n,"say ""hi""",3 4\r\n3.5,,5 6\r\n');
    expect(formatCsv(selectColumns(columns, ["s"]), { header: false, delimiter: ";" })).toBe('a,b\r\n"say ""hi"""\r\n""\r\n');
  });
});

describe("packColumns", () => {
  it("makes one tensor of many numbers, in the place of the first", () => {
    const table: Columns = {
      length: 2,
      columns: new Map<string, Column>([
        ["label", { kind: "number", values: Float64Array.of(7, 8) }],
        ["p1", { kind: "number", values: Float64Array.of(1, 2) }],
        ["p2", { kind: "number", values: Float64Array.of(3, 4) }],
      ]),
    };
    const packed = packColumns(table, { from: ["p1", "p2"], into: "image", shape: [1, 1, 2] });
    expect([...packed.columns.keys()]).toEqual(["label", "image"]);
    expect(rowObject(packed, 1)).toEqual({ label: 8, image: [2, 4] });
    expect(() => packColumns(table, { from: ["p1"], into: "image", shape: [2] })).toThrow(/takes 2 columns, not 1/);
    expect(() => packColumns(table, { from: ["p1", "p3"], into: "image", shape: [2] })).toThrow(/no column "p3"; did you mean/);
    expect(() => packColumns(columns, { from: ["n", "s"], into: "image", shape: [2] })).toThrow(expect.objectContaining({ code: "COLUMN_TYPE" }));
  });
});

describe("profileColumns", () => {
  it("is the same for a table in pieces and as a whole, but for rounding", async () => {
    const whole = await profileColumns([columns]);
    expect(whole).toEqual({
      rows: 3,
      columns: {
        n: expect.objectContaining({
          count: 2,
          missing: 1,
          distinct: 2,
          distinctExact: true,
          min: 1,
          max: 3.5,
          mean: 2.25,
          standardDeviation: 1.25,
          whole: false,
          increasing: true,
        }),
        s: {
          kind: "string",
          count: 2,
          missing: 1,
          distinct: 2,
          distinctExact: true,
          meanWords: 1.5,
          times: false,
          top: [
            { value: "a,b", count: 1 },
            { value: 'say "hi"', count: 1 },
          ],
        },
        t: { kind: "tensor", count: 3, missing: 0, shape: [2], dtype: "float32" },
      },
    });
    expect(await profileColumns([sliceRows(columns, 0, 1), sliceRows(columns, 1, 3)])).toEqual(whole);
  });
});

describe("columnsFromRows", () => {
  const inputs: readonly InputField[] = [
    { name: "age", kind: "number", shape: [], optional: false },
    { name: "city", kind: "string", shape: [], optional: true },
    { name: "image", kind: "tensor", shape: [2, 2], optional: false },
  ];
  const row = { age: 41, city: "Rome", image: [1, 2, 3, 4] };

  it("takes objects as requests send them: text of numbers, nested tensors, missing optional values, extra keys", () => {
    const table = columnsFromRows(
      [
        row,
        {
          age: "42.5",
          image: [
            [5, 6],
            [7, 8],
          ],
          more: 1,
        },
      ],
      inputs,
    );
    expect(rowsOf(table)).toEqual([row, { age: 42.5, city: null, image: [5, 6, 7, 8] }]);
  });

  it.each([
    ["a missing column", { ...row, age: undefined, agee: 3 }, "COLUMN_MISSING", /row 1 has no value in "age"/],
    ["another name", { agee: 3, city: "x", image: row.image }, "COLUMN_MISSING", /row 1 has no column "age"; did you mean "agee"/],
    ["null where no training row was missing", { ...row, age: null }, "COLUMN_MISSING", /every row of the training data had a value/],
    ["text that is no number", { ...row, age: "old" }, "COLUMN_TYPE", /column "age", row 1: must be a number, not "old"/],
    ["an object as text", { ...row, city: {} }, "COLUMN_TYPE", /column "city", row 1: must be text, not {}/],
    ["a tensor of another shape", { ...row, image: [1, 2, 3] }, "COLUMN_TYPE", /numbers of shape \[2, 2\]/],
    [
      "a tensor with a hole",
      {
        ...row,
        image: [
          [1, 2],
          [3, null],
        ],
      },
      "COLUMN_TYPE",
      /column "image"/,
    ],
    ["the prototype's properties", Object.create({ age: 1, image: [1, 2, 3, 4] }) as Record<string, unknown>, "COLUMN_MISSING", /"age"/],
  ])("refuses %s", (_, record, code, message) => {
    expect(() => columnsFromRows([record], inputs)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it("takes missing values for missing when it is not strict", () => {
    expect(rowsOf(columnsFromRows([{ ...row, age: null }], inputs, { strict: false }))).toEqual([{ ...row, age: null }]);
  });
});
