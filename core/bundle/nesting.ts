/** Whether lists and objects lie in each other more than `limit` deep; such JSON can be parsed, but overflows the stack of what walks it later. */
export function nestsDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return limit === 0 || Object.values(value).some((item) => nestsDeeper(item, limit - 1));
}
