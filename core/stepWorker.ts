/** What runs in a worker thread: loads a user's module and makes planes by its function. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { StepError } from './errors.js';
import { callFor, type PlaneTask, store } from './planeTask.js';
import type { ModuleCode, PlaneFunction } from './userStep.js';

export interface ThreadTask {
  readonly task: PlaneTask;
  readonly code: ModuleCode;
}

/** What went wrong, in a form that can go back to the thread that asked. */
export interface Failure {
  readonly problem: string;
  readonly cause: unknown;
}

/** Nothing aborts it: a thread whose work is not wanted any more is ended as a whole. */
const never = new AbortController().signal;

const port = parentPort as MessagePort;
port.on('message', async (asked: ThreadTask) => port.postMessage(await answer(asked)));

async function answer({ task, code }: ThreadTask): Promise<Failure | null> {
  try {
    store(task, await callFor(task, await load(task.step, code), never));
    return null;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return { problem: error.problem, cause: sendable(error.cause) };
  }
}

async function load(step: string, { module, export: name }: ModuleCode): Promise<PlaneFunction> {
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = await import(module);
  } catch (cause) {
    throw new StepError(step, `cannot load ${module}: ${cause}`, { cause });
  }
  const found = loaded[name];
  if (typeof found === 'function') return found as PlaneFunction;
  const problem = name in loaded ? `the export '${name}' is no function` : `no export '${name}'`;
  throw new StepError(step, `cannot load ${module}: ${problem}`);
}

/** What was thrown, or its text where it cannot leave the thread. */
function sendable(cause: unknown): unknown {
  try {
    return structuredClone(cause);
  } catch {
    return String(cause);
  }
}
