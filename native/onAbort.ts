const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` when the signal is aborted, unless the returned function was called before. All callers share one listener,
 * because Node warns of a leak at the eleventh, and a run has more reads than that under way.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  let stops = listeners.get(signal);
  if (!stops) {
    const all = new Set<() => void>();
    stops = all;
    listeners.set(signal, all);
    signal.addEventListener('abort', () => [...all].forEach((each) => void each()), { once: true });
  }
  // A function of its own, so that the same `stop` may be registered twice.
  const registered = () => stop();
  stops.add(registered);
  return () => void stops.delete(registered);
}
