import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { memorySource } from "./byte-source.ts";
import { openTable, readTable } from "./open-table.ts";
import { rowObject } from "./rows.ts";
import type { TableOptions } from "./table.ts";
import { formatCsv } from "./write-csv.ts";

const rowsOf = (columns: Columns): Record<string, unknown>[] => Array.from({ length: columns.length }, (_, row) => rowObject(columns, row));

const read = async (text: string | Uint8Array, options: TableOptions = {}): Promise<Record<string, unknown>[]> =>
  rowsOf(await readTable(await openTable(memorySource("t.csv", text), options)));

/** The same bytes in pieces that end where `cuts` say. */
function piecewise(name: string, bytes: Uint8Array, cuts: readonly number[]): ByteSource {
  return {
    name,
    open: (start = 0) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          const borders = [start, ...cuts.map((cut) => start + (cut % (bytes.length - start + 1))).toSorted((a, b) => a - b), bytes.length];
          for (let i = 1; i < borders.length; i++) controller.enqueue(bytes.slice(borders[i - 1], borders[i]));
          controller.close();
        },
      }),
  };
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe("CSV", () => {
  it("takes quotes, doubled quotes, delimiters and line ends inside quotes as RFC 4180 says", async () => {
    expect(await read('name,note\r\n"a ""b"" c","x,y"\r\n"line\r\nbreak",\r\n')).toEqual([
      { name: 'a "b" c', note: "x,y" },
      { name: "line\r\nbreak", note: null },
    ]);
  });

  it.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("reads lines that end in %s, with or without one after the last", async (_, end) => {
    const rows = [
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]; // prettier keeps pairs together
    expect(await read(["a,b", "1,x", "2,y"].join(end))).toEqual(rows);
    expect(await read(["a,b", "1,x", "2,y", ""].join(end))).toEqual(rows);
  });

  it("passes over a byte order mark and empty lines", async () => {
    expect(await read("\u{feff}\n\na,b\n\n1,2\n\n\n3,4\n\n")).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]); // prettier keeps pairs together
  });

  it.each([
    [";", "a;b\n1;x,y\n"],
    ["tab", "a\tb\n1\tx,y\n"],
  ])("finds the delimiter %s", async (_, text) => {
    expect(await read(text)).toEqual([{ a: 1, b: "x,y" }]);
  });

  it("takes a first line of numbers for a row and names the columns by their number", async () => {
    expect(await read("5.1,3,0\n4.9,,1\n")).toEqual([
      { column_1: 5.1, column_2: 3, column_3: 0 },
      { column_1: 4.9, column_2: null, column_3: 1 },
    ]);
    expect(await read("1,2\n3,4\n", { header: true })).toEqual([{ 1: 3, 2: 4 }]);
    expect(await read("a,b\nc,d\n", { header: false })).toEqual([
      { column_1: "a", column_2: "b" },
      { column_1: "c", column_2: "d" },
    ]);
  });

  it("reads the usual texts for missing values in numbers and in text", async () => {
    expect(await read("n,s\n1,x\nNA,NA\n?,?\n ,null\nNaN,\n")).toEqual([
      { n: 1, s: "x" },
      ...Array.from({ length: 4 }, () => ({ n: null, s: null })),
    ]);
  });

  it("reads gzip by its magic bytes, whatever the name", async () => {
    expect(await read(await gzip(new TextEncoder().encode("a,b\n1,x\n")))).toEqual([{ a: 1, b: "x" }]);
  });

  it("refuses damaged gzip", async () => {
    const bytes = await gzip(new TextEncoder().encode(`a,b\n${"1,x\n".repeat(5000)}`));
    await expect(read(bytes.subarray(0, bytes.length - 20))).rejects.toMatchObject({
      code: "DATA_MALFORMED",
      message: expect.stringContaining("gzip"),
    });
  });

  it.each([
    ["too few fields", "a,b,c\n1,2,3\n4,5\n", /line 3: too few fields: 2 found, 3 expected/],
    ["too many fields", 'a,b\n"1\n",2\n3,4,5\n', /line 4: too many fields: 3 found, 2 expected/],
    ["a quote that is never closed", 'a,b\n1,2\n3,"x\n4,5\n', /line 3: a quoted field starts here/],
    ["text after a closing quote", 'a,b\n"x"y,2\n', /line 2: field 1 goes on after its closing quote/],
    ["two columns of one name", "a,b,a\n1,2,3\n", /columns 1 and 3 are both named "a"/],
    ["zero bytes", "a,b\n1,\0\n", /not a text file/],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x61, 0x00]), /UTF-16/],
    ["bytes that are not UTF-8", Uint8Array.from([0x61, 10, 0x78, 10, 0xe9, 10]), /line 3: bytes that are not UTF-8/],
  ])("refuses %s with the line", async (_, text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: "DATA_MALFORMED", message: expect.stringMatching(message) });
  });

  it("refuses fields and records beyond its limits", async () => {
    await expect(read(`a\n${"x".repeat(50)}\n`, { maxFieldBytes: 20 })).rejects.toThrow(/longer than 20 bytes/);
    await expect(read(`a,"${"x".repeat(200_000)}`, { maxFieldBytes: 1000 })).rejects.toThrow(/longer than 1000 bytes/);
    await expect(read("1,2,3,4\n", { maxColumns: 3 })).rejects.toThrow(/more than 3 fields/);
  });

  it.each(["", "\n\n", "\u{feff}", "a,b\n", "a,b"])("refuses a file without rows: %j", async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: "DATA_EMPTY" });
  });

  it("refuses text in a column of numbers, naming the lines, in the sample and after it", async () => {
    const text = `n\n${Array.from({ length: 30 }, (_, i) => (i === 20 ? "abc" : i)).join("\n")}\n`;
    const refusal = { code: "COLUMN_TYPE", message: expect.stringMatching(/mixed types in column "n".*line 22: "abc"/) };
    await expect(read(text)).rejects.toMatchObject(refusal);
    await expect(read(text, { sampleRows: 10 })).rejects.toMatchObject(refusal);
    expect((await read(text, { types: { n: "string" } }))[20]).toEqual({ n: "abc" });
  });

  it("reads a column that is text as often as numbers as text, and says so", async () => {
    const table = await openTable(memorySource("t.csv", "t\nA/5\n349909\nPC 17\n113803\n12\nSTON\nC9\n"));
    expect(table.schema).toEqual({ t: { kind: "string" } });
    expect(table.notes).toEqual([expect.stringContaining("it is read as text")]);
  });

  it("reads several files as one table, whatever the order of their columns", async () => {
    const table = await openTable([memorySource("a.csv", "x,y\n1,u\n"), memorySource("b.csv", "y,x\nv,2\nw,3\n")]);
    expect(table.rows).toBe(3);
    expect(rowsOf(await readTable(table))).toEqual([
      { x: 1, y: "u" },
      { x: 2, y: "v" },
      { x: 3, y: "w" },
    ]); // one line a case
    await expect(openTable([memorySource("a.csv", "x,y\n1,u\n"), memorySource("b.csv", "x,z\n1,u\n")])).rejects.toMatchObject({
      code: "COLUMN_MISSING",
    });
  });

  const cell = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "a", "é", "漢", " "), maxLength: 8 }),
  );
  const tables = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }));

  it("gives back whatever formatCsv wrote, wherever the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.array(fc.nat(), { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), async (rows, cuts, chunkRows) => {
        const width = rows[0]!.length;
        const columns: Columns = {
          length: rows.length,
          columns: new Map(
            Array.from({ length: width }, (_, i) => {
              const texts = rows.map((row) => row[i]!);
              const dictionary = [...new Set(texts)];
              return [`c${i}`, { kind: "string" as const, codes: Int32Array.from(texts, (text) => dictionary.indexOf(text)), dictionary }];
            }),
          ),
        };
        const types = Object.fromEntries(Array.from({ length: width }, (_, i) => [`c${i}`, "string" as const]));
        const source = piecewise("t.csv", new TextEncoder().encode(formatCsv(columns)), cuts);
        const found = rowsOf(await readTable(await openTable(source, { types, missing: [], chunkRows, delimiter: "," })));
        expect(found).toEqual(rowsOf(columns));
      }),
      { numRuns: 300 },
    );
  });

  it("comes to the same rows, or the same refusal, wherever arbitrary bytes are cut", async () => {
    const bytes = fc.array(fc.constantFrom(...Array.from('",\n\r;a1.-e ', (character) => character.charCodeAt(0)), 0xc3, 0xa9, 0xef, 0xbb, 0xbf), {
      maxLength: 40,
    });
    const outcome = async (source: ByteSource): Promise<unknown> => {
      try {
        return rowsOf(await readTable(await openTable(source, { sampleRows: 3, chunkRows: 2 })));
      } catch (error) {
        if (error instanceof EspalierError) return `${error.code}: ${error.message}`;
        throw error;
      }
    };
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat(), { maxLength: 6 }), async (codes, cuts) => {
        const whole = Uint8Array.from(codes);
        const every = Array.from({ length: whole.length }, (_, i) => i);
        const expected = await outcome(memorySource("t.csv", whole));
        expect(await outcome(piecewise("t.csv", whole, cuts))).toEqual(expected);
        expect(await outcome(piecewise("t.csv", whole, every))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("goes on at the very next row from the state of any place, also inside CRLF files and gzip", async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i},"t\r\n${i % 7}"`);
    const plain = new TextEncoder().encode(`\u{feff}n,s\r\n${lines.join("\r\n")}\r\n`);
    for (const bytes of [plain, await gzip(plain)]) {
      const table = await openTable(piecewise("t.csv", bytes, [3, 9, 50, 51, 52, 77]), { chunkRows: 3, delimiter: "," });
      const whole = rowsOf(await readTable(table));
      for (let k = 0; k <= 14; k++) {
        const first = table.iterate();
        let rows = 0;
        for (let i = 0; i < k; i++) rows += ((await first.next()).value as Columns | undefined)?.length ?? 0;
        const state = JSON.parse(JSON.stringify(first.state()));
        await first.return?.();
        const rest: Record<string, unknown>[] = [];
        for await (const columns of table.iterate(state)) rest.push(...rowsOf(columns));
        expect(rest).toEqual(whole.slice(rows));
      }
    }
  });

  it("counts lines on from a state, for messages", async () => {
    const table = await openTable(memorySource("t.csv", `n\r\n${"1\r\n".repeat(20)}x\r\n`), { chunkRows: 5, sampleRows: 10 });
    const first = table.iterate();
    await first.next();
    await first.next();
    const iterator = table.iterate(first.state());
    await iterator.next();
    await iterator.next();
    await expect(iterator.next()).rejects.toThrow(/line 22/);
  });
});
