import type { CellTable } from '../../core/cellTable.js';
import { SinkError } from '../../core/errors.js';
import type { RunRecord } from '../../core/runRecord.js';
import type { CellSink } from '../../sinks/sink.js';

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A sink that notes its calls, waits where it is told to, and breaks where it is told to. */
export class NotingSink implements CellSink {
  readonly calls: string[] = [];
  readonly records: (RunRecord | undefined)[] = [];
  busy = 0;
  gate: Promise<unknown> = Promise.resolve();
  failing: string | undefined;

  constructor(private readonly name = 'noting') {}

  private async call(what: string): Promise<void> {
    this.calls.push(what);
    if (++this.busy > 1) this.calls.push('two calls at a time');
    await this.gate;
    await wait(0);
    this.busy--;
    if (what === this.failing) throw new SinkError(this.name, `${what} failed`);
  }

  open = () => this.call('open');
  write = (cells: CellTable) => this.call(`write ${cells.column('x')?.[0]}`);
  close = (record?: RunRecord) => {
    this.records.push(record);
    return this.call('close');
  };
  abort = () => this.call('abort');
}
