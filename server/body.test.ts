import { gzipSync, deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseJson, readBody } from "./body.ts";

function streamed(chunks: readonly Uint8Array[], headers: Record<string, string> = {}): { request: Request; pulled: () => number } {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const chunk = chunks[pulled++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return { request: new Request("http://x/", { method: "POST", body, headers, duplex: "half" } as RequestInit), pulled: () => pulled };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("readBody", () => {
  it("joins chunks", async () => {
    const { request } = streamed([bytes("ab"), bytes("c")]);
    expect(await readBody(request, { maxBytes: 3 })).toEqual(new Uint8Array(bytes("abc")));
  });

  it("stops reading a body without a length at the limit", async () => {
    const { request, pulled } = streamed(Array.from({ length: 100 }, () => new Uint8Array(10)));
    await expect(readBody(request, { maxBytes: 25 })).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
    expect(pulled()).toBeLessThan(6);
  });

  it("refuses a declared length over the limit, and drops no more of the body than the limit", async () => {
    const { request, pulled } = streamed(
      Array.from({ length: 100 }, () => new Uint8Array(10)),
      { "content-length": "1000" },
    );
    await expect(readBody(request, { maxBytes: 25 })).rejects.toMatchObject({
      code: "BODY_TOO_LARGE",
      message: expect.stringContaining("1000 bytes"),
    });
    expect(pulled()).toBeLessThan(5);
  });

  it("takes gzip and deflate", async () => {
    for (const [encoding, compress] of [
      ["gzip", gzipSync],
      ["deflate", deflateSync],
    ] as const) {
      const { request } = streamed([new Uint8Array(compress("hello"))], { "content-encoding": encoding });
      expect(new TextDecoder().decode(await readBody(request, { maxBytes: 100 }))).toBe("hello");
    }
  });

  it("applies the limit to what a compressed body becomes", async () => {
    const { request } = streamed([new Uint8Array(gzipSync(new Uint8Array(1e7)))], { "content-encoding": "gzip" });
    await expect(readBody(request, { maxBytes: 1e6 })).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
  });

  it("says when a body is not what its encoding says, or the encoding is unknown", async () => {
    await expect(readBody(streamed([bytes("hello")], { "content-encoding": "gzip" }).request, { maxBytes: 100 })).rejects.toThrow("not gzip");
    await expect(readBody(streamed([bytes("hello")], { "content-encoding": "br" }).request, { maxBytes: 100 })).rejects.toThrow(
      '"br" is not supported',
    );
  });
});

describe("parseJson", () => {
  it("says where a body breaks", () => {
    expect(() => parseJson(bytes('{"a": }'))).toThrow(/not JSON: .*'}'/);
    expect(() => parseJson(bytes(""))).toThrow("empty");
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow("not UTF-8");
  });
});
