/** What a block's chain leaves for the seams, while it runs. */
import test from 'ava';
import { BlockFragments } from '../core/fragments.js';
import { SparseStore } from '../core/sparse.js';
import { Budget } from '../index.js';
import { type DetectorOutput, fragmentFields } from '../native/index.js';

test('a push may leave more links of fragments than a call takes arguments', async (t) => {
  const store = new SparseStore(new Budget('64 MiB').sparse);
  const fragments = new BlockFragments(0, store);
  const links = Int32Array.from({ length: 300_000 }, (_, at) => at);
  const output = { fragments: new Uint8Array(8), index: new Float64Array(fragmentFields), links, faces: [] };
  await fragments.add(output as unknown as DetectorOutput);
  t.is(fragments.links.length, links.length);
  t.true(fragments.links.every((link, at) => link === at));
  await store.close();
});
