import { Worker, type WorkerOptions } from 'node:worker_threads';
import { onAbort } from '../native/onAbort.js';
import { StepError } from './errors.js';
import type { PlaneTask } from './planeTask.js';
import type { Failure, ThreadTask } from './stepWorker.js';
import type { ModuleCode } from './userStep.js';

/** How long a thread without work stays, so that the next planes need not wait for a new one. */
const IDLE_MS = 2000;

/** Threads of this process without work; they do not keep it alive. How many there are follows from the lanes of the runs. */
const spare = new Set<StepThread>();

/**
 * Makes a plane by a function of a module, in a worker thread: only messages pass, planes stay in the memory that is shared. Settles once
 * the thread does not touch it any more; when aborted, because it has ended.
 *
 * @throws {StepError} if the module or the function fails, or the thread ends by itself
 */
export async function makeInThread(task: PlaneTask, code: ModuleCode, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const [waiting] = spare;
  const thread = waiting ?? new StepThread();
  const forget = onAbort(signal, () => thread.end());
  try {
    const failure = await thread.ask({ task, code });
    // A thread that is about to end may have given its answer before.
    signal.throwIfAborted();
    thread.rest();
    if (failure) throw new StepError(task.step, failure.problem, { cause: failure.cause });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof StepError) throw cause;
    throw new StepError(task.step, `plane ${task.z}: its worker thread ended: ${cause}`, { cause });
  } finally {
    forget();
  }
}

/** A worker thread, which makes one plane at a time. */
class StepThread {
  private readonly worker = new Worker(new URL('./stepWorker.js', import.meta.url), threadOptions());
  private resolve: (answer: Failure | null) => void = () => {};
  private reject: (reason: unknown) => void = () => {};
  private idle: NodeJS.Timeout | undefined;

  constructor() {
    let crash: unknown;
    this.worker.on('message', (answer: Failure | null) => this.resolve(answer));
    // What a module throws in the background ends its thread, with or without work.
    this.worker.on('error', (error) => {
      crash = error;
    });
    this.worker.on('exit', (code) => {
      spare.delete(this);
      this.reject(crash ?? `its code was ${code}`);
    });
  }

  /** Rejects once the thread has ended, if it ends before it answers. */
  ask(task: ThreadTask): Promise<Failure | null> {
    spare.delete(this);
    clearTimeout(this.idle);
    this.worker.ref();
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.worker.postMessage(task);
    });
  }

  /** Waits for more work, for a while. */
  rest(): void {
    this.worker.unref();
    this.idle = setTimeout(() => this.end(), IDLE_MS).unref();
    spare.add(this);
  }

  end(): void {
    spare.delete(this);
    void this.worker.terminate();
  }
}

/** A program that is given to Node as text has an option that no thread with a file may inherit. */
function threadOptions(): WorkerOptions {
  return process.execArgv.some((option) => option.startsWith('--input-type')) ? { execArgv: [] } : {};
}
