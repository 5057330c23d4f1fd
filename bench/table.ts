/** Prints rows in columns: the first one left-aligned, the others right-aligned. */
export function printTable(rows: readonly (readonly (string | number)[])[]): void {
  const texts = rows.map((row) => row.map(String));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  for (const row of texts) {
    const cells = row.map((text, column) => {
      const width = widths[column] as number;
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    });
    console.log(cells.join('  ').trimEnd());
  }
}
