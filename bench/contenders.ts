/** What a turn of a contender says of one row of the table; notes are figures beside the speed, such as `peakBytes` or `cells`. */
export interface Measured {
  readonly row: string;
  readonly mvoxelPerSecond: number;
  readonly notes?: Readonly<Record<string, number>>;
}

/** A program that is measured, again and again. */
export interface Contender {
  readonly name: string;
  /** Turns that it has at most, where it is so slow that it cannot have one in every round. */
  readonly turns?: number;
  readonly run: () => Promise<readonly Measured[]>;
}

/** All turns of one row. Samples, median and spread are in Mvoxel/s. */
export interface Row {
  readonly name: string;
  readonly samples: readonly number[];
  readonly median: number;
  readonly from: number;
  readonly to: number;
  /** How many times as fast this row is as others, by what they are called. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Medians of what was noted. */
  readonly notes: Readonly<Record<string, number>>;
}

/** For each row, the rows that it is put beside, by what the ratios to them are called. */
export type Beside = (row: string) => Readonly<Record<string, string>>;

/** Lets the contenders take turns, so that what else the machine does falls on all of them; rows are in the order of the first round. */
export async function takeTurns(contenders: readonly Contender[], repeats: number, beside: Beside): Promise<Row[]> {
  const turns = new Map<string, Measured[]>();
  for (let round = 1; round <= repeats; round++) {
    for (const { name, turns: most = repeats, run } of contenders) {
      if (round > most) continue;
      console.error(`  ${round} of ${Math.min(repeats, most)}: ${name}`);
      for (const measured of await run()) {
        const { row } = measured;
        turns.set(row, [...(turns.get(row) ?? []), measured]);
      }
    }
  }
  const medians = new Map([...turns].map(([row, measured]) => [row, median(measured.map(speed))]));
  return [...turns].map(([name, measured]) => {
    const samples = measured.map(speed);
    const own = median(samples);
    const ratios = Object.entries(beside(name)).flatMap(([called, other]) => {
      const reference = medians.get(other);
      return reference === undefined ? [] : [[called, own / reference]];
    });
    return {
      name,
      samples,
      median: own,
      from: Math.min(...samples),
      to: Math.max(...samples),
      ratios: Object.fromEntries(ratios),
      notes: medianNotes(measured),
    };
  });
}

export function median(numbers: readonly number[]): number {
  const ordered = [...numbers].sort((a, b) => a - b);
  const middle = ordered.length / 2;
  return ((ordered[Math.ceil(middle) - 1] as number) + (ordered[Math.floor(middle)] as number)) / 2;
}

function speed({ mvoxelPerSecond }: Measured): number {
  return mvoxelPerSecond;
}

function medianNotes(measured: readonly Measured[]): Record<string, number> {
  const names = new Set(measured.flatMap(({ notes }) => Object.keys(notes ?? {})));
  const values = (name: string) => measured.flatMap(({ notes }) => notes?.[name] ?? []);
  return Object.fromEntries([...names].map((name) => [name, median(values(name))]));
}
