import { CellTable, type Column, integerColumns } from '../core/cellTable.js';
import { SourceError } from '../core/errors.js';
import { readAt } from './readFile.js';

/** Text read at a time: some ms of the JavaScript thread. A longer line is no line of a table. */
const PIECE_BYTES = 1 << 18;
/** Rows whose columns are allocated at a time. */
const PIECE_ROWS = 1 << 16;

/** Reads lines of numbers below a line of names, piece by piece. See `readCells`. */
export async function readCsvCells(path: string, fd: number): Promise<CellTable> {
  let rows: CsvRows | undefined;
  let rest = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const piece = await readAt(path, fd, position, PIECE_BYTES);
    position += piece.length;
    const atEnd = piece.length < PIECE_BYTES;
    const closing = atEnd && rest.length + piece.length > 0 && (piece.at(-1) ?? rest.at(-1)) !== NEWLINE;
    // The last line may lack its end.
    const text = Buffer.concat(closing ? [rest, piece, Buffer.of(NEWLINE)] : [rest, piece]);
    const stop = text.lastIndexOf(NEWLINE) + 1;
    let start = 0;
    if (!rows && stop > 0) {
      start = text.indexOf(NEWLINE) + 1;
      rows = new CsvRows(path, text.subarray(0, start - 1));
    }
    rows?.take(text, start, stop);
    rest = text.subarray(stop);
    if (atEnd) break;
    if (rest.length > PIECE_BYTES) {
      throw new SourceError(
        path,
        `line ${rows?.nextLine ?? 1}: longer than ${PIECE_BYTES} bytes, expected a line of a table`,
      );
    }
  }
  if (!rows) throw new SourceError(path, 'is empty, expected a line with the names of the columns');
  return rows.table();
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Whole numbers of up to 15 digits are exact as float64, and so are these: one division then rounds as decimals do. */
const POWERS = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));
const MOST_DIGITS = 15;

/** Takes whole lines of text and makes columns of them. */
class CsvRows {
  nextLine = 2;
  private readonly names: readonly string[];
  private readonly full: CellTable[] = [];
  private columns: Column[];
  private row = 0;

  constructor(
    private readonly path: string,
    header: Uint8Array,
  ) {
    this.names = namesOf(path, new TextDecoder().decode(header));
    this.columns = this.newColumns();
  }

  /** Takes the lines in text[start, stop), the last one's end among them. */
  take(text: Buffer, start: number, stop: number): void {
    for (let at = start; at < stop; this.nextLine++) {
      if (this.row === PIECE_ROWS) this.turn();
      at = this.takeLine(text, at);
      this.row++;
    }
  }

  table(): CellTable {
    this.turn();
    return CellTable.concat(this.full);
  }

  /** Reads one line; returns where the next begins. */
  private takeLine(text: Buffer, start: number): number {
    const { columns, row } = this;
    let at = start;
    for (let index = 0; index < columns.length; index++) {
      const from = at;
      const negative = text[at] === MINUS;
      if (negative) at++;
      let whole = 0;
      let digits = 0;
      let decimals = -1; // digits after the point, once there was one
      for (; ; at++) {
        const digit = (text[at] as number) - ZERO;
        if (digit >= 0 && digit <= 9) {
          whole = whole * 10 + digit;
          digits++;
          if (decimals >= 0) decimals++;
        } else if (text[at] === POINT && decimals < 0) decimals = 0;
        else break;
      }
      const end = index === columns.length - 1 ? NEWLINE : COMMA;
      if (end === NEWLINE && text[at] === RETURN) at++;
      let value: number;
      if (text[at] === end && digits > 0 && digits <= MOST_DIGITS) {
        value = whole / (POWERS[Math.max(0, decimals)] as number);
        if (negative) value = -value;
      } else {
        while (text[at] !== COMMA && text[at] !== NEWLINE) at++;
        value = text[at] === end ? parseNumber(text.toString('latin1', from, at)) : this.refuseLine(text, start);
      }
      at++;
      const column = columns[index] as Column;
      column[row] = value;
      if (Number.isNaN(value) || (column instanceof Int32Array && column[row] !== value)) {
        this.checkValue(column, index, text.toString('utf8', from, at - 1));
      }
    }
    return at;
  }

  private refuseLine(text: Buffer, start: number): never {
    const line = text.toString('utf8', start, text.indexOf(NEWLINE, start));
    const got = line.split(',').length;
    this.fail('', `expected ${this.names.length} values, got ${got}: ${quoted(line)}`);
  }

  /** Refuses what is no number, or none that the column can hold. */
  private checkValue(column: Column, index: number, text: string): void {
    if (column instanceof Float64Array && NOT_A_NUMBER.test(text.trim())) return;
    const expected = column instanceof Float64Array ? 'a number' : 'an integer of 32 bits';
    this.fail(`, column ${this.names[index]}`, `expected ${expected}, got ${quoted(text)}`);
  }

  private fail(where: string, problem: string): never {
    throw new SourceError(this.path, `line ${this.nextLine}${where}: ${problem}`);
  }

  private turn(): void {
    const columns = this.columns.map((column, at) => [this.names[at] as string, column.slice(0, this.row)] as const);
    this.full.push(new CellTable(new Map(columns)));
    this.row = 0;
  }

  private newColumns(): Column[] {
    return this.names.map((name) =>
      integerColumns.has(name) ? new Int32Array(PIECE_ROWS) : new Float64Array(PIECE_ROWS),
    );
  }
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(inity)?$/i;
const NOT_A_NUMBER = /^[+-]?nan$/i;

/** Reads any decimal, and what JavaScript, NumPy and C write for infinity; all else gives NaN. */
function parseNumber(field: string): number {
  const text = field.trim();
  if (DECIMAL.test(text)) return Number(text);
  const sign = INFINITE.exec(text)?.[1];
  if (sign === undefined) return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function namesOf(path: string, header: string): string[] {
  const names = header.split(',').map((name) => name.trim());
  if (names.includes('') || names.every((name) => DECIMAL.test(name))) {
    throw new SourceError(path, `line 1: expected the names of the columns, got ${quoted(header)}`);
  }
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new SourceError(path, `line 1: expected each column once, got ${twice} twice`);
  return names;
}

/** A text as errors show it: in one line that is not too long. */
function quoted(text: string): string {
  const trimmed = text.trimEnd();
  return JSON.stringify(trimmed.length > 80 ? `${trimmed.slice(0, 77)}...` : trimmed).replace(/^"|"$/g, "'");
}
