import type { ChainMemory, ChainNeeds, NativeRing } from '../native/index.js';

/** A ring of planes of an image, packed: plane z lies at `z % planes`. */
export interface ImageRing {
  /** The image's place among those of the chain. */
  readonly image: number;
  readonly planes: number;
  readonly slab: SharedArrayBuffer;
}

/** The rings of an image whose planes are made outside of the chain, and of the images that it is made of. */
export interface ExternalRings {
  readonly result: ImageRing;
  readonly feeds: readonly ImageRing[];
}

/** What of a block's memory is what. */
export interface ChainSlabs {
  /** The rings of what is read, that of the mask last. */
  readonly inputs: readonly SharedArrayBuffer[];
  readonly external: readonly ExternalRings[];
  readonly saved: readonly SharedArrayBuffer[];
  /** Windows of each detector. */
  readonly windows: readonly SharedArrayBuffer[];
  readonly workspace: SharedArrayBuffer;
}

/** The least bytes of a slab: memory of no bytes has no address. */
const LEAST_BYTES = 64;

/** Bytes of the slabs that a chain needs, in the order in which `divideSlabs` takes them. */
export function slabBytes({ inputBytes, external, savedBytes, windowBytes, workspaceBytes }: ChainNeeds): number[] {
  const rings = external.flatMap(({ bytes, feeds }) => [bytes, ...feeds.map((feed) => feed.bytes)]);
  const all = [...inputBytes, ...rings, ...savedBytes, ...windowBytes, workspaceBytes];
  return all.map((bytes) => Math.max(LEAST_BYTES, bytes));
}

/** Tells apart the slabs that were granted. */
export function divideSlabs(needs: ChainNeeds, slabs: readonly SharedArrayBuffer[]): ChainSlabs {
  const left = [...slabs];
  const take = () => left.shift() as SharedArrayBuffer;
  const ring = ({ image, planes }: NativeRing): ImageRing => ({ image, planes, slab: take() });
  return {
    inputs: needs.inputBytes.map(take),
    external: needs.external.map(({ feeds, ...result }) => ({ result: ring(result), feeds: feeds.map(ring) })),
    saved: needs.savedBytes.map(take),
    windows: needs.windowBytes.map(take),
    workspace: take(),
  };
}

/** The same memory as native code takes it. */
export function nativeMemory({ inputs, external, saved, windows, workspace }: ChainSlabs): ChainMemory {
  const bytes = (slab: SharedArrayBuffer) => new Uint8Array(slab);
  return {
    inputs: inputs.map(bytes),
    external: external.flatMap(({ result, feeds }) => [result, ...feeds].map(({ slab }) => bytes(slab))),
    saved: saved.map(bytes),
    windows: windows.map(bytes),
    workspace: bytes(workspace),
  };
}
