/** Between a chain as the tests know it and the parameters of the reference implementation, which name sizes { x, y, z }. */
import type { Zyx } from '../../core/geometry.js';
import type { Chain, Method } from './naive.js';
import type { Background } from './naiveImages.js';

/** The entries of a case; what is left out takes the default of the specification. */
export interface Parameters {
  readonly removeBackground?: (Omit<Background, 'size'> & { readonly size?: number | Background['size'] }) | null;
  readonly maxima?: {
    readonly size?: number | Zyx;
    readonly threshold?: number | null;
    readonly plateaus?: 'first' | 'all';
  };
  readonly shape?: { readonly threshold?: number | null };
  readonly intensity?: { readonly method?: Method; readonly measure?: Chain['measure'] };
}

export function chainFrom({ removeBackground = {}, maxima = {}, shape = {}, intensity }: Parameters): Chain {
  const element = removeBackground?.size ?? 10;
  const window = maxima.size ?? 5;
  return {
    removeBackground: removeBackground && {
      ...removeBackground,
      size: typeof element === 'number' ? { y: element, x: element } : element,
    },
    maxima: {
      ...maxima,
      size: typeof window === 'number' ? { z: window, y: window, x: window } : window,
      threshold: maxima.threshold === undefined ? 0 : maxima.threshold,
    },
    shape: { threshold: shape.threshold === undefined ? 700 : shape.threshold },
    method: intensity?.method ?? 'max',
    measure: intensity?.measure ?? ['source', 'background'],
  };
}

export function parametersOf({ removeBackground, maxima, shape, method = 'max', measure }: Chain): Parameters {
  return { removeBackground, maxima, shape, intensity: { method, measure } };
}
