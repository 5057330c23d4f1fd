// Row kernels of the opening by rings, included once per target: no include guard, no std:: inside.

#include "kernels/opening_vectors.inl.h"

template <typename T>
static inline __attribute__((always_inline)) Kept<T> kept(T pixel) {
  if constexpr (sizeof(T) == 2) {
    return static_cast<Kept<T>>(pixel ^ 0x8000);
  } else {
    return pixel;
  }
}

// A strip's rows lie pages apart, where the hardware fetches nothing ahead of time. So the kernels that touch the planes
// ask for the same columns of a row that will be needed later, a line at a time.
template <typename T>
constexpr int line = 64 / sizeof(T);

template <typename T>
static void import_row(const T* __restrict source, Kept<T>* __restrict out, int count, const T* later) {
  int x = 0;
  for (; x + line<T> <= count; x += line<T>) {
    __builtin_prefetch(later + x);
    for (int i = 0; i < line<T>; ++i) out[x + i] = kept(source[x + i]);
  }
  for (; x < count; ++x) out[x] = kept(source[x]);
}

// The opening by the element as it is may exceed its source, so the minimum is needed.
template <typename T>
static inline __attribute__((always_inline)) T above(T pixel, Kept<T> opened) {
  const Kept<T> whole = kept(pixel), part = whole < opened ? whole : opened;
  return static_cast<T>(whole - part);
}

template <typename T>
static void subtract_row(const T* __restrict source, const Kept<T>* __restrict opened, T* __restrict out, int count, const T* later) {
  int x = 0;
  for (; x + line<T> <= count; x += line<T>) {
    __builtin_prefetch(later + x, 1);
    for (int i = 0; i < line<T>; ++i) out[x + i] = above(source[x + i], opened[x + i]);
  }
  for (; x < count; ++x) out[x] = above(source[x], opened[x]);
}

// Doubles rows: `now[k]` is the newest row of level k, `before[k]` the row of level k that ends where now[k] begins.
// All levels of a block of columns are made in registers, each stored once and never read back.
template <bool greatest, typename K>
static void double_rows(const K* const* before, K* const* now, int levels, int count) {
  constexpr int step = lanes<K>, block = 4 * step;
  int x = 0;
  for (; x + block <= count; x += block) {
    const K* first = now[0] + x;
    Vector<K> a = load(first), b = load(first + step), c = load(first + 2 * step), d = load(first + 3 * step);
    for (int k = 0; k < levels; ++k) {
      const K* other = before[k] + x;
      K* out = now[k + 1] + x;
      store(out, a = extreme<greatest>(a, load(other)));
      store(out + step, b = extreme<greatest>(b, load(other + step)));
      store(out + 2 * step, c = extreme<greatest>(c, load(other + 2 * step)));
      store(out + 3 * step, d = extreme<greatest>(d, load(other + 3 * step)));
    }
  }
  for (; x < count; x += step) {
    Vector<K> a = load(now[0] + x);
    for (int k = 0; k < levels; ++k) store(now[k + 1] + x, a = extreme<greatest>(a, load(before[k] + x)));
  }
}

// Doubles columns: each result covers the columns of `from` at x and at x + shift.
template <bool greatest, typename K>
static void widen_row(const K* __restrict from, int shift, K* __restrict out, int count) {
  for (int x = 0; x < count; x += lanes<K>) store(out + x, extreme<greatest>(load(from + x), load(from + x + shift)));
}

// Takes the extreme of all taps, for several rows at once. Columns are the outer loop: the rows' taps lie in the same
// or in neighbouring table rows, which are then still in L1. Eight accumulators hide the latency of the loads and
// share the cost of fetching a tap's address. Writes whole vectors, so up to `lanes - 1` columns beyond `count`.
template <bool greatest, typename K>
static void cover_rows(const K* const* taps, int tap_count, K* const* out, int rows, int count) {
  constexpr int step = lanes<K>, block = 8 * step;
  int x = 0;
  for (; x + block <= count; x += block) {
    for (int row = 0; row < rows; ++row) {
      const K* const* tap = taps + row * tap_count;
      const K* p = tap[0] + x;
      Vector<K> a = load(p), b = load(p + step), c = load(p + 2 * step), d = load(p + 3 * step);
      Vector<K> e = load(p + 4 * step), f = load(p + 5 * step), g = load(p + 6 * step), h = load(p + 7 * step);
      for (int t = 1; t < tap_count; ++t) {
        p = tap[t] + x;
        a = extreme<greatest>(a, load(p));
        b = extreme<greatest>(b, load(p + step));
        c = extreme<greatest>(c, load(p + 2 * step));
        d = extreme<greatest>(d, load(p + 3 * step));
        e = extreme<greatest>(e, load(p + 4 * step));
        f = extreme<greatest>(f, load(p + 5 * step));
        g = extreme<greatest>(g, load(p + 6 * step));
        h = extreme<greatest>(h, load(p + 7 * step));
      }
      K* to = out[row] + x;
      store(to, a), store(to + step, b), store(to + 2 * step, c), store(to + 3 * step, d);
      store(to + 4 * step, e), store(to + 5 * step, f), store(to + 6 * step, g), store(to + 7 * step, h);
    }
  }
  for (; x < count; x += step) {
    for (int row = 0; row < rows; ++row) {
      const K* const* tap = taps + row * tap_count;
      Vector<K> a = load(tap[0] + x);
      for (int t = 1; t < tap_count; ++t) a = extreme<greatest>(a, load(tap[t] + x));
      store(out[row] + x, a);
    }
  }
}

template <typename T>
static const Kernels<T> kernels = {
    import_row<T>,
    subtract_row<T>,
    {double_rows<false, Kept<T>>, double_rows<true, Kept<T>>},
    {widen_row<false, Kept<T>>, widen_row<true, Kept<T>>},
    {cover_rows<false, Kept<T>>, cover_rows<true, Kept<T>>},
};
