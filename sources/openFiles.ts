import { close as closeCallback, open as openCallback } from 'node:fs';
import { promisify } from 'node:util';
import { SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import { isTransient, retrying } from './retry.js';

const open = promisify(openCallback);
const close = promisify(closeCallback);

interface OpenFile {
  readonly path: string;
  readonly fd: number;
  users: number;
  /** Whether a read through it failed in a way that another descriptor may mend: nobody else takes it. */
  stale: boolean;
  /** Closes it once nobody has used it for a while. */
  timer?: NodeJS.Timeout;
}

/**
 * File descriptors that live as long as reads need them, and a moment longer, since the next read mostly wants the same
 * file. At most `limit` are open at a time; whoever needs one more waits for its turn.
 */
export class OpenFiles {
  private readonly files = new Map<string, Promise<OpenFile>>();
  /** Files that nobody uses, the longest unused first. */
  private readonly unused = new Set<OpenFile>();
  private readonly waiting: (() => void)[] = [];
  private count = 0;

  constructor(
    private readonly limit: number,
    private readonly lingerMs: number,
  ) {}

  /** How many descriptors are open or being opened. */
  get openCount(): number {
    return this.count;
  }

  /**
   * Calls `work` with the file's descriptor, which stays open until its promise settles. After a transient error of the
   * system it is called again, with a new descriptor: see `retrying`.
   *
   * @throws {SourceError} if the file cannot be opened; rejects also with what `work` rejects with, or the signal's reason
   */
  use<T>(path: string, work: (fd: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return retrying(async () => {
      const file = await this.take(path);
      try {
        return await work(file.fd);
      } catch (error) {
        if (isTransient(error)) this.retire(file);
        throw error;
      } finally {
        this.giveBack(file);
      }
    }, signal);
  }

  private async take(path: string): Promise<OpenFile> {
    for (;;) {
      const known = this.files.get(path);
      if (known) {
        const file = await known;
        // It may have been closed between its opening and now.
        if (this.files.get(path) !== known) continue;
        file.users++;
        this.unused.delete(file);
        clearTimeout(file.timer);
        return file;
      }
      if (this.count < this.limit) {
        this.files.set(path, this.openFile(path));
        continue;
      }
      const [oldest] = this.unused;
      if (oldest) await this.closeFile(oldest);
      else await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private async openFile(path: string): Promise<OpenFile> {
    this.count++;
    try {
      return { path, fd: await open(path, 'r'), users: 0, stale: false };
    } catch (error) {
      this.files.delete(path);
      this.count--;
      this.waiting.shift()?.();
      throw new SourceError(path, `cannot be opened: ${describeSystemError(error)}`, { cause: error });
    }
  }

  /** Whoever comes now gets a new descriptor; this one is closed when its last user gives it back. */
  private retire(file: OpenFile): void {
    if (!file.stale) this.files.delete(file.path);
    file.stale = true;
  }

  private giveBack(file: OpenFile): void {
    file.users--;
    if (file.users > 0) return;
    if (file.stale) {
      void this.closeFile(file);
      return;
    }
    this.unused.add(file);
    // The timer does not keep the process alive: what is open then is closed by the system.
    file.timer = setTimeout(() => void this.closeFile(file), this.lingerMs).unref();
    this.waiting.shift()?.();
  }

  private async closeFile(file: OpenFile): Promise<void> {
    clearTimeout(file.timer);
    this.unused.delete(file);
    // Another descriptor may be known under this name by now.
    if (!file.stale) this.files.delete(file.path);
    // Nothing was written through it, so an error on closing has no consequence.
    await close(file.fd).catch(() => {});
    this.count--;
    this.waiting.shift()?.();
  }
}

/** The files of all sources of the process: far below the 1024 descriptors that many systems allow. */
export const openFiles = new OpenFiles(64, 100);
