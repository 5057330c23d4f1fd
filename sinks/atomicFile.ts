import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SinkError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';

/** Files that grow now, by their full path: two streams into one would end as a mixture of both. */
const growing = new Set<string>();

/** Node takes less than 2 GiB in one call. */
const MOST_BYTES_A_CALL = 2 ** 30;

/**
 * A file that is whole under its name or not there at all: it grows as `<path>.partial`, and gets its name, replacing what
 * had it, when it is complete and on disk. After `close` or `abort` it may be opened again, and starts anew.
 */
export class AtomicFile {
  private file: FileHandle | undefined;
  /** Its full path while it grows. */
  private claimed: string | undefined;

  constructor(readonly path: string) {}

  /** Checks what can be checked before the work, and begins the file; leaves nothing where it rejects. */
  async open(): Promise<void> {
    const full = resolve(this.path);
    if (growing.has(full)) throw new SinkError(this.path, 'is being written already, expected one stream a sink');
    growing.add(full);
    this.claimed = full;
    try {
      const there = await stat(this.path).catch(() => undefined);
      if (there && !there.isFile()) {
        throw new SinkError(this.path, 'cannot be replaced, expected a file or nothing there');
      }
      this.file = await open(this.partial, 'w').catch(this.fail('created'));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Writes behind what was appended before. */
  async append(data: string | Uint8Array): Promise<void> {
    // writeFile of a handle appends, and goes on after a partial write.
    await this.opened.writeFile(data).catch(this.fail('written'));
  }

  /** Writes at a place; appending goes on where it was. Several such writes may be under way. */
  async writeAt(position: number, data: Uint8Array): Promise<void> {
    const file = this.opened;
    for (let done = 0; done < data.length; ) {
      const length = Math.min(data.length - done, MOST_BYTES_A_CALL);
      const { bytesWritten } = await file.write(data, done, length, position + done).catch(this.fail('written'));
      done += bytesWritten;
    }
  }

  /** Makes the file this long; what is new reads as zeros, and takes no room on disk where the system can help it. */
  async setLength(bytes: number): Promise<void> {
    await this.opened.truncate(bytes).catch(this.fail('written'));
  }

  /** Puts all on disk: what can fail because of the disk has failed before the file gets its name. */
  async store(): Promise<void> {
    await this.opened.sync().catch(this.fail('stored'));
  }

  /** Stores the file and gives it its name. */
  async close(): Promise<void> {
    await this.store();
    await this.opened.close().catch(this.fail('stored'));
    this.file = undefined;
    await rename(this.partial, this.path).catch(this.fail('renamed from .partial'));
    await syncFolder(dirname(this.path));
    this.release();
  }

  /** Leaves nothing behind. Harmless where nothing is open. */
  async abort(): Promise<void> {
    // What another stream into the same file has begun is not this one's to remove.
    if (this.claimed === undefined) return;
    const open = this.file;
    this.file = undefined;
    await open?.close().catch(() => {});
    await rm(this.partial, { force: true })
      .catch(this.fail('cleaned up'))
      .finally(() => this.release());
  }

  private release(): void {
    if (this.claimed !== undefined) growing.delete(this.claimed);
    this.claimed = undefined;
  }

  private get partial(): string {
    return `${this.path}.partial`;
  }

  private get opened(): FileHandle {
    if (!this.file) throw new SinkError(this.path, 'is not open, expected open() before anything else');
    return this.file;
  }

  private fail(doing: string): (error: unknown) => never {
    return (error) => {
      throw new SinkError(this.path, `cannot be ${doing}: ${describeSystemError(error)}`, { cause: error });
    };
  }
}

/** Makes the new name last. Some systems cannot open a folder; the name is right there all the same. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
