import { readFile } from 'node:fs/promises';
import { sorted } from './detect.js';

/** A table of cells as tests compare it: rows sorted by z, y, x. */
export interface Table {
  readonly names: string[];
  readonly rows: number[][];
}

/** Reads a table of cells; `945.0` and `945` are the same value. */
export async function readTable(path: string): Promise<Table> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split(/\r?\n/);
  return { names: head.split(','), rows: sorted(lines.map((line) => line.split(',').map(Number))) };
}
