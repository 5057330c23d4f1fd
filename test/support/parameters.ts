/** Between a chain as the tests know it and the parameters of the reference implementation, which name sizes { x, y, z }. */
import type { Zyx } from '../../core/geometry.js';
import type { Chain } from './naive.js';

/** The entries of a case; what is left out takes the default of the specification. */
export interface Parameters {
  readonly removeBackground?: { readonly size?: number | { readonly y: number; readonly x: number } } | null;
  readonly maxima?: { readonly size?: number | Zyx; readonly threshold?: number | null };
  readonly shape?: { readonly threshold?: number | null };
  readonly intensity?: { readonly method: 'max'; readonly measure: Chain['measure'] };
}

export function chainFrom({ removeBackground = {}, maxima = {}, shape = {}, intensity }: Parameters): Chain {
  const element = removeBackground?.size ?? 10;
  const window = maxima.size ?? 5;
  return {
    removeBackground:
      removeBackground === null ? null : typeof element === 'number' ? { y: element, x: element } : element,
    maxima: {
      size: typeof window === 'number' ? { z: window, y: window, x: window } : window,
      threshold: maxima.threshold === undefined ? 0 : maxima.threshold,
    },
    shape: { threshold: shape.threshold === undefined ? 700 : shape.threshold },
    measure: intensity?.measure ?? ['source', 'background'],
  };
}

export function parametersOf({ removeBackground, maxima, shape, measure }: Chain): Parameters {
  return {
    removeBackground: removeBackground && { size: removeBackground },
    maxima,
    shape,
    intensity: { method: 'max', measure },
  };
}
