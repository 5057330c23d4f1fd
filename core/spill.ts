import { type FileHandle, mkdtemp, open, rmdir, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SinkError } from './errors.js';

/** A record's place in the spill file. */
export interface Spilled {
  readonly position: number;
  readonly bytes: number;
}

/**
 * A temporary file for sparse data that does not fit the budget. Records are framed by msgpackr, a header and the bytes,
 * so that each can be read in part, by its place. The file is unlinked as soon as it is open: nothing stays behind.
 */
export class SpillFile {
  private file: Promise<FileHandle> | undefined;
  private end = 0;
  private live = 0;
  private closed = false;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly folder = tmpdir()) {}

  async write(bytes: Uint8Array): Promise<Spilled> {
    this.live++;
    try {
      return await this.inTurn(async (file) => {
        // Loaded only here: most runs never spill, and it takes its time.
        const { pack } = await import('msgpackr');
        const header = pack(['sparse', bytes.byteLength]);
        const start = this.end;
        await file.writev([header, bytes], start);
        this.end = start + header.byteLength + bytes.byteLength;
        return { position: start + header.byteLength, bytes: bytes.byteLength };
      });
    } catch (error) {
      throw new SinkError(this.folder, `cannot spill ${bytes.byteLength} bytes: ${message(error)}`, { cause: error });
    }
  }

  /** Reads `into.byteLength` bytes of a record, from `offset` within it. */
  async read(record: Spilled, offset: number, into: Uint8Array): Promise<void> {
    const file = await this.open();
    for (let done = 0; done < into.byteLength; ) {
      const at = record.position + offset + done;
      const { bytesRead } = await file.read(into, done, into.byteLength - done, at);
      if (bytesRead === 0) throw new SinkError(this.folder, `the spill file ends at byte ${at}`);
      done += bytesRead;
    }
  }

  /** Forgets one record; when none is left the file's room is given back. */
  async free(): Promise<void> {
    if (--this.live > 0 || !this.file) return;
    await this.inTurn(async (file) => {
      if (this.live > 0 || this.end === 0) return;
      this.end = 0;
      await file.truncate(0);
    });
  }

  /** Nothing can be written or read afterwards. */
  async close(): Promise<void> {
    await this.turn;
    this.closed = true;
    const file = this.file;
    this.file = undefined;
    await (await file)?.close();
  }

  /** One change of the file at a time, so that room is never given back under a write. */
  private inTurn<T>(change: (file: FileHandle) => Promise<T>): Promise<T> {
    const turn = this.turn.then(async () => change(await this.open()));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private open(): Promise<FileHandle> {
    if (this.closed) return Promise.reject(new Error('the spill file is closed'));
    this.file ??= (async () => {
      const folder = await mkdtemp(join(this.folder, 'somaflow-'));
      const path = join(folder, 'spill');
      const file = await open(path, 'wx+', 0o600);
      await unlink(path);
      await rmdir(folder);
      return file;
    })();
    return this.file;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
