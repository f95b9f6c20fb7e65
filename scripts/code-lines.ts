import ts from "typescript";

/** How many lines of a TypeScript source hold code: neither blank nor comment only. A template's lines are code where they are not blank. */
export function countCodeLines(source: string, path: string): number {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const lines = source.split("\n");
  const code = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return;
    const children = node.getChildren(file);
    for (const child of children) visit(child);
    if (children.length > 0 || node.getStart(file) >= node.end) return;
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const last = file.getLineAndCharacterOfPosition(node.end - 1).line;
    for (let line = first; line <= last; line += 1) if (lines[line]?.trim() !== "") code.add(line);
  };
  visit(file);
  return code.size;
}
