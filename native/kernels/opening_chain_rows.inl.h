// Row kernels of the opening by a chain (see DiskChain), included once per target: no include guard. Of std:: only types.
//
// Columns are the inner loop, and all of a chain is done to `batch` rows of a vector's columns before the next ones. What lies to the
// left is in registers still, so that chords are made by shifting two neighbouring vectors instead of loading across cache lines.

#include "kernels/opening_vectors.inl.h"

template <int size>
constexpr DiskChain<size> chain{};

template <typename T>
static inline __attribute__((always_inline)) Vector<Kept<T>> kept(Vector<T> pixels) {
  if constexpr (sizeof(T) == 2) return reinterpret_cast<Vector<Kept<T>>>(pixels ^ static_cast<T>(0x8000));
  else return pixels;
}

// Integers of the size of a pixel number lanes.
template <typename K>
using LaneNumber = std::conditional_t<sizeof(K) == 1, int8_t, std::conditional_t<sizeof(K) == 2, int16_t, int32_t>>;

template <int shift, typename K, int... lane>
static inline __attribute__((always_inline)) Vector<K> shuffled(Vector<K> before, Vector<K> now, std::integer_sequence<int, lane...>) {
#if defined(__clang__)
  return __builtin_shufflevector(before, now, (lanes<K> - shift + lane)...);
#else
  return __builtin_shuffle(before, now, Vector<LaneNumber<K>>{(lanes<K> - shift + lane)...});
#endif
}

// The vector that begins `shift` pixels before `now`, which follows `before` in a row.
template <int shift, typename K>
static inline __attribute__((always_inline)) Vector<K> shifted(Vector<K> before, Vector<K> now) {
  static_assert(shift <= lanes<K>);
  if constexpr (shift == 0) return now;
  if constexpr (shift == lanes<K>) return before;
#if defined(__SSE2__)
  // SSE2 has no shuffle of two vectors' bytes, and the compiler would move them one by one.
  if constexpr (vector_bytes == 16) {
    constexpr int bytes = shift * static_cast<int>(sizeof(K)) % 16;
    return reinterpret_cast<Vector<K>>(_mm_or_si128(_mm_slli_si128(reinterpret_cast<__m128i>(now), bytes),
                                                    _mm_srli_si128(reinterpret_cast<__m128i>(before), 16 - bytes)));
  }
#endif
  return shuffled<shift, K>(before, now, std::make_integer_sequence<int, lanes<K>>{});
}

// Minima (or maxima) of the chords of 1, 2, 4 ... pixels that end at each of a vector's columns.
template <int size, typename K>
struct Doubled {
  Vector<K> level[chain<size>.levels + 1];
};

template <typename K>
struct Batch {
  Vector<K> row[batch];
};

template <bool greatest, int size, int k, typename K>
static inline __attribute__((always_inline)) void double_chords(const Doubled<size, K>& before, Doubled<size, K>& now) {
  if constexpr (k < chain<size>.levels) {
    now.level[k + 1] = extreme<greatest>(now.level[k], shifted<(1 << k), K>(before.level[k], now.level[k]));
    double_chords<greatest, size, k + 1, K>(before, now);
  }
}

// Any chord is the union of two doubled ones.
template <bool greatest, int size, int c, typename K>
static inline __attribute__((always_inline)) void make_chords(const Doubled<size, K>& before, const Doubled<size, K>& now,
                                                              Batch<K>* chords, int row) {
  if constexpr (c < chain<size>.chord_count) {
    constexpr int level = chain<size>.level(c), right = chain<size>.right(c), left = chain<size>.left(c);
    const Vector<K> a = shifted<right, K>(before.level[level], now.level[level]);
    if constexpr (left == right) chords[c].row[row] = a;
    else chords[c].row[row] = extreme<greatest>(a, shifted<left, K>(before.level[level], now.level[level]));
    make_chords<greatest, size, c + 1, K>(before, now, chords, row);
  }
}

// Replaces each row by the one `delay` rows before it. Rows that the next batch will ask for wait in `waiting`.
template <int delay, typename K>
static inline __attribute__((always_inline)) void wait(Batch<K>& rows, K*& waiting, ptrdiff_t stride) {
  if constexpr (delay > batch) {
    wait<batch>(rows, waiting, stride);
    wait<delay - batch>(rows, waiting, stride);
  } else {
    Batch<K> before;
#pragma GCC unroll 8
    for (int i = 0; i < batch; ++i) before.row[i] = i < delay ? load(waiting + i * stride) : rows.row[i < delay ? 0 : i - delay];
#pragma GCC unroll 8
    for (int i = 0; i < delay; ++i) store(waiting + i * stride, rows.row[batch - delay + i]);
    waiting += delay * stride;
    rows = before;
  }
}

template <bool greatest, typename K>
static inline __attribute__((always_inline)) void combine(Batch<K>& rows, const Batch<K>& others) {
#pragma GCC unroll 8
  for (int i = 0; i < batch; ++i) rows.row[i] = extreme<greatest>(rows.row[i], others.row[i]);
}

template <bool greatest, int size, int t, typename K>
static inline __attribute__((always_inline)) void take_chords(Batch<K>& rows, const Batch<K>* chords, K*& waiting, ptrdiff_t stride) {
  if constexpr (t < chain<size>.tap_count) {
    wait<chain<size>.delay[t]>(rows, waiting, stride);
    combine<greatest>(rows, chords[chain<size>.tap[t]]);
    take_chords<greatest, size, t + 1>(rows, chords, waiting, stride);
  }
}

template <bool greatest, int size, int w, typename K>
static inline __attribute__((always_inline)) void double_windows(Batch<K>& rows, K*& waiting, ptrdiff_t stride) {
  if constexpr (w < chain<size>.window_count) {
    const Batch<K> now = rows;
    wait<chain<size>.window[w]>(rows, waiting, stride);
    combine<greatest>(rows, now);
    double_windows<greatest, size, w + 1>(rows, waiting, stride);
  }
}

// A whole chain for the next vector of each row. `before` holds what was left of it.
template <bool greatest, int size, typename K>
static inline __attribute__((always_inline)) void advance(Batch<K>& rows, Doubled<size, K> (&before)[batch], K* waiting, ptrdiff_t stride) {
  Batch<K> chords[chain<size>.chord_count];
#pragma GCC unroll 8
  for (int i = 0; i < batch; ++i) {
    Doubled<size, K> now;
    now.level[0] = rows.row[i];
    double_chords<greatest, size, 0, K>(before[i], now);
    make_chords<greatest, size, 0, K>(before[i], now, chords, i);
    before[i] = now;
  }
  rows = chords[0];
  take_chords<greatest, size, 1>(rows, chords, waiting, stride);
  double_windows<greatest, size, 0>(rows, waiting, stride);
}

template <int size, typename T>
static void erode_rows(const ChainSpan<T>* spans, Kept<T>* waiting, ptrdiff_t stride, Kept<T>* eroded) {
  using K = Kept<T>;
  Doubled<size, K> before[batch] = {};
  for (int s = 0; s < kChainSpans; ++s) {
    const ChainSpan<T> span = spans[s];
    for (int x = 0; x < span.columns; x += lanes<K>) {
      Batch<K> rows;
#pragma GCC unroll 8
      for (int i = 0; i < batch; ++i) {
        __builtin_prefetch(span.source[i] + span.later + x);
        rows.row[i] = kept<T>(load(span.source[i] + x));
      }
      advance<false, size, K>(rows, before, waiting, stride);
#pragma GCC unroll 8
      for (int i = 0; i < batch; ++i) store(eroded + i * stride, rows.row[i]);
      waiting += lanes<K>;
      eroded += lanes<K>;
    }
  }
}

// Dilates, and writes the difference. The opening by the element as it is may exceed its source, so the minimum is needed.
template <int size, typename T>
static void dilate_rows(const ChainSpan<T>* spans, Kept<T>* waiting, ptrdiff_t stride, const Kept<T>* eroded) {
  using K = Kept<T>;
  Doubled<size, K> before[batch] = {};
  for (int s = 0; s < kChainSpans; ++s) {
    const ChainSpan<T> span = spans[s];
    for (int x = 0; x < span.columns; x += lanes<K>) {
      Batch<K> rows;
#pragma GCC unroll 8
      for (int i = 0; i < batch; ++i) rows.row[i] = load(eroded + i * stride);
      advance<true, size, K>(rows, before, waiting, stride);
#pragma GCC unroll 8
      for (int i = 0; i < batch; ++i) {
        const Vector<K> whole = kept<T>(load(span.source[i] + x)), part = extreme<false>(whole, rows.row[i]);
        store(span.out[i] + x, reinterpret_cast<Vector<T>>(whole) - reinterpret_cast<Vector<T>>(part));
      }
      waiting += lanes<K>;
      eroded += lanes<K>;
    }
  }
}

template <int size, typename T>
static constexpr ChainKernels<T> chain_kernels() {
  if constexpr (chain<size>.reach() > lanes<T>) return {nullptr, nullptr, 0};
  else return {erode_rows<size, T>, dilate_rows<size, T>, lanes<T>};
}
