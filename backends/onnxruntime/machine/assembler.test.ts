import { expect, test } from "vitest";
import { Assembler } from "./assembler.ts";

/** What GNU as 2.40 writes for the same instructions. */
const instructions: readonly (readonly [text: string, bytes: string, write: (code: Assembler) => void])[] = [
  ["mov rbx, rsi", "48 89 f3", (code) => code.move("rbx", "rsi")],
  ["mov r12, r8", "4d 89 c4", (code) => code.move("r12", "r8")],
  ["mov rax, -5", "48 c7 c0 fb ff ff ff", (code) => code.set("rax", -5)],
  ["movabs r11, 0x1122334455667788", "49 bb 88 77 66 55 44 33 22 11", (code) => code.setWide("r11", 0x1122334455667788n)],
  ["add rdi, 100", "48 83 c7 64", (code) => code.add("rdi", 100)],
  ["add r15, -4096", "49 81 c7 00 f0 ff ff", (code) => code.add("r15", -4096)],
  ["mov r9, [rsp+32]", "4c 8b 4c 24 20", (code) => code.load("r9", { base: "rsp", displacement: 32 })],
  ["mov [r12+8], rcx", "49 89 4c 24 08", (code) => code.store({ base: "r12", displacement: 8 }, "rcx")],
  ["lea r12, [r8+0x10000]", "4d 8d a0 00 00 01 00", (code) => code.addressOf("r12", { base: "r8", displacement: 0x10000 })],
  ["lea rsi, [rsp+8]", "48 8d 74 24 08", (code) => code.addressOf("rsi", { base: "rsp", displacement: 8 })],
  ["prefetcht0 [rdx+64]", "0f 18 4a 40", (code) => code.prefetch({ base: "rdx", displacement: 64 })],
  ["prefetcht0 [r13+4096]", "41 0f 18 8d 00 10 00 00", (code) => code.prefetch({ base: "r13", displacement: 4096 })],
  ["push r14", "41 56", (code) => code.push("r14")],
  ["pop rbp", "5d", (code) => code.pop("rbp")],
  ["call rax", "ff d0", (code) => code.callAt("rax")],
  ["jmp r10", "41 ff e2", (code) => code.jumpAt("r10")],
  ["ret", "c3", (code) => code.return()],
  ["vpxord zmm17, zmm17, zmm17", "62 a1 75 40 ef c9", (code) => code.clear(17)],
  ["vmovups zmm3, [rax+64]", "62 f1 7c 48 10 58 01", (code) => code.loadVector(3, { base: "rax", displacement: 64 })],
  ["vmovups zmm19{k1}{z}, [r12+4]", "62 c1 7c c9 10 9c 24 04 00 00 00", (code) => code.loadVector(19, { base: "r12", displacement: 4 }, 1)],
  ["vmovups [rdx+8128], zmm27", "62 61 7c 48 11 5a 7f", (code) => code.storeVector({ base: "rdx", displacement: 8128 }, 27)],
  ["vmovups [r13]{k2}, zmm8", "62 51 7c 4a 11 45 00", (code) => code.storeVector({ base: "r13" }, 8, 2)],
  ["vbroadcastss zmm30, [r11+508]", "62 42 7d 48 18 73 7f", (code) => code.broadcast(30, { base: "r11", displacement: 508 })],
  ["vbroadcastss zmm30, [r11+512]", "62 42 7d 48 18 b3 00 02 00 00", (code) => code.broadcast(30, { base: "r11", displacement: 512 })],
  ["vpbroadcastd zmm28, eax", "62 62 7d 48 7c e0", (code) => code.broadcastRegister(28, "rax")],
  ["vfmadd231ps zmm14, zmm30, zmm29", "62 12 0d 40 b8 f5", (code) => code.multiplyAdd(14, 30, 29)],
  ["vfmadd231ps zmm31, zmm1, [rcx+128]", "62 62 75 48 b8 79 02", (code) => code.multiplyAdd(31, 1, { base: "rcx", displacement: 128 })],
  ["vaddps zmm5, zmm16, zmm9", "62 d1 7c 40 58 e9", (code) => code.arithmetic("add", 5, 16, 9)],
  ["vmulps zmm5, zmm6, zmm21", "62 b1 4c 48 59 ed", (code) => code.arithmetic("multiply", 5, 6, 21)],
  ["vmaxps zmm20, zmm28, zmm20", "62 a1 1c 40 5f e4", (code) => code.arithmetic("max", 20, 28, 20)],
  ["vcmpltps k4, zmm28, zmm29", "62 91 1c 40 c2 e5 01", (code) => code.less(4, 28, 29)],
  ["vmovaps zmm19{k4}{z}, zmm19", "62 a1 7c cc 28 db", (code) => code.keep(19, 4)],
  ["vunpcklps zmm16, zmm0, zmm1", "62 e1 7c 48 14 c1", (code) => code.unpack("lowSingles", 16, 0, 1)],
  ["vunpckhps zmm17, zmm0, zmm1", "62 e1 7c 48 15 c9", (code) => code.unpack("highSingles", 17, 0, 1)],
  ["vunpcklpd zmm4, zmm20, zmm22", "62 b1 dd 40 14 e6", (code) => code.unpack("lowDoubles", 4, 20, 22)],
  ["vunpckhpd zmm5, zmm20, zmm22", "62 b1 dd 40 15 ee", (code) => code.unpack("highDoubles", 5, 20, 22)],
  ["vshuff32x4 zmm16, zmm1, zmm5, 0x88", "62 e3 75 48 23 c5 88", (code) => code.shuffleQuarters(16, 1, 5, 0x88)],
  ["kmovw k3, eax", "c5 f8 92 d8", (code) => code.setMask(3, "rax")],
  ["vzeroupper", "c5 f8 77", (code) => code.leaveVectors()],
];

test.each(instructions)("%s is written as GNU as writes it", (_text, bytes, write) => {
  const code = new Assembler();
  write(code);
  expect(Buffer.from(code.code()).toString("hex")).toBe(bytes.replaceAll(" ", ""));
});

test("calls and jumps go to labels before and after them", () => {
  const code = new Assembler();
  const end = code.label();
  const begin = code.label();
  code.place(begin);
  code.call(end); // e8, 5 bytes
  code.jumpUnlessZero("rax", begin); // 48 85 c0, 0f 85
  code.jumpUnless("r9", 3, end); // 49 81 f9 03 00 00 00, 0f 85
  code.place(end);
  code.return();
  expect(Buffer.from(code.code()).toString("hex")).toBe("e8160000004885c00f85f2ffffff4981f9030000000f8500000000c3");
});

test("a loop counts down, and one of a single turn is no loop", () => {
  const code = new Assembler();
  code.repeat("r10", 3, () => code.return());
  code.repeat("r10", 1, () => code.return());
  code.repeat("r10", 0, () => code.return());
  expect(Buffer.from(code.code()).toString("hex")).toBe("49c7c203000000c349ffca0f85f6ffffffc3");
});

test("code with a label that was never placed is refused", () => {
  const code = new Assembler();
  code.call(code.label());
  expect(() => code.code()).toThrow("never placed");
});

test("a number that does not fit its instruction is refused", () => {
  for (const number of [2 ** 31, -(2 ** 31) - 1, 2 ** 40, NaN]) {
    expect(() => new Assembler().set("rax", number)).toThrow("32 bits");
    expect(() => new Assembler().add("rdi", 1024 * number)).toThrow("32 bits");
    expect(() => new Assembler().storeVector({ base: "rdx", displacement: 1024 * number + 4 }, 1)).toThrow("32 bits");
  }
});
