import type { Observable } from 'rxjs';
import type { Block } from 'somaflow';

/** What `blocks(volume)` gives. */
export declare const source: Observable<Block<'source'>>;

/** Compiles only where the two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export declare function holds<_Claim extends true>(): void;
