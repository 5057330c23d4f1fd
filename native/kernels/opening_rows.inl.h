// Row kernels of the opening, included once per target: no include guard, no std:: inside. The including namespace
// defines `vector_bytes`, the width of the target's vectors.
//
// Pixels are kept as int16 with the top bit flipped. That keeps their order, and signed minima and maxima of 16 bits
// exist in every instruction set, while unsigned ones are missing in SSE2.

typedef int16_t Vector __attribute__((vector_size(vector_bytes)));
// The same vector where nothing is known of its address; reading through it compiles to an unaligned memory operand.
typedef int16_t Unaligned __attribute__((vector_size(vector_bytes), aligned(2), may_alias));
constexpr int lanes = vector_bytes / 2;

template <bool greatest>
static inline __attribute__((always_inline)) Vector extreme(Vector a, Vector b) {
  return greatest ? (a > b ? a : b) : (a < b ? a : b);
}

static inline __attribute__((always_inline)) Vector load(const int16_t* from) {
  return *reinterpret_cast<const Unaligned*>(from);
}

static inline __attribute__((always_inline)) void store(int16_t* to, Vector value) {
  *reinterpret_cast<Unaligned*>(to) = value;
}

// A strip's rows lie pages apart, where the hardware fetches nothing ahead of time. So the kernels that touch the planes
// ask for the same columns of a row that will be needed later, a line at a time.
constexpr int line = 32;

static void import_row(const uint16_t* __restrict source, int16_t* __restrict out, int count, const uint16_t* later) {
  int x = 0;
  for (; x + line <= count; x += line) {
    __builtin_prefetch(later + x);
    for (int i = 0; i < line; ++i) out[x + i] = static_cast<int16_t>(source[x + i] ^ 0x8000);
  }
  for (; x < count; ++x) out[x] = static_cast<int16_t>(source[x] ^ 0x8000);
}

// An opening is never above its source, so the difference cannot wrap and min(I, open(I)) is open(I).
static inline __attribute__((always_inline)) uint16_t above(uint16_t pixel, int16_t opened) {
  return static_cast<uint16_t>(pixel - (static_cast<uint16_t>(opened) ^ 0x8000));
}

static void subtract_row(const uint16_t* __restrict source, const int16_t* __restrict opened, uint16_t* __restrict out, int count,
                         const uint16_t* later) {
  int x = 0;
  for (; x + line <= count; x += line) {
    __builtin_prefetch(later + x, 1);
    for (int i = 0; i < line; ++i) out[x + i] = above(source[x + i], opened[x + i]);
  }
  for (; x < count; ++x) out[x] = above(source[x], opened[x]);
}

// Doubles rows: `now[k]` is the newest row of level k, `before[k]` the row of level k that ends where now[k] begins.
// All levels of a block of columns are made in registers, each stored once and never read back.
template <bool greatest>
static void double_rows(const int16_t* const* before, int16_t* const* now, int levels, int count) {
  constexpr int block = 4 * lanes;
  int x = 0;
  for (; x + block <= count; x += block) {
    const int16_t* first = now[0] + x;
    Vector a = load(first), b = load(first + lanes), c = load(first + 2 * lanes), d = load(first + 3 * lanes);
    for (int k = 0; k < levels; ++k) {
      const int16_t* other = before[k] + x;
      int16_t* out = now[k + 1] + x;
      store(out, a = extreme<greatest>(a, load(other)));
      store(out + lanes, b = extreme<greatest>(b, load(other + lanes)));
      store(out + 2 * lanes, c = extreme<greatest>(c, load(other + 2 * lanes)));
      store(out + 3 * lanes, d = extreme<greatest>(d, load(other + 3 * lanes)));
    }
  }
  for (; x < count; x += lanes) {
    Vector a = load(now[0] + x);
    for (int k = 0; k < levels; ++k) store(now[k + 1] + x, a = extreme<greatest>(a, load(before[k] + x)));
  }
}

// Doubles columns: each result covers the columns of `from` at x and at x + shift.
template <bool greatest>
static void widen_row(const int16_t* __restrict from, int shift, int16_t* __restrict out, int count) {
  for (int x = 0; x < count; x += lanes) store(out + x, extreme<greatest>(load(from + x), load(from + x + shift)));
}

// Takes the extreme of all taps, for several rows at once. Columns are the outer loop: the rows' taps lie in the same
// or in neighbouring table rows, which are then still in L1. Eight accumulators hide the latency of the loads and
// share the cost of fetching a tap's address. Writes whole vectors, so up to `lanes - 1` columns beyond `count`.
template <bool greatest>
static void cover_rows(const int16_t* const* taps, int tap_count, int16_t* const* out, int rows, int count) {
  constexpr int block = 8 * lanes;
  int x = 0;
  for (; x + block <= count; x += block) {
    for (int row = 0; row < rows; ++row) {
      const int16_t* const* tap = taps + row * tap_count;
      const int16_t* p = tap[0] + x;
      Vector a = load(p), b = load(p + lanes), c = load(p + 2 * lanes), d = load(p + 3 * lanes);
      Vector e = load(p + 4 * lanes), f = load(p + 5 * lanes), g = load(p + 6 * lanes), h = load(p + 7 * lanes);
      for (int t = 1; t < tap_count; ++t) {
        p = tap[t] + x;
        a = extreme<greatest>(a, load(p));
        b = extreme<greatest>(b, load(p + lanes));
        c = extreme<greatest>(c, load(p + 2 * lanes));
        d = extreme<greatest>(d, load(p + 3 * lanes));
        e = extreme<greatest>(e, load(p + 4 * lanes));
        f = extreme<greatest>(f, load(p + 5 * lanes));
        g = extreme<greatest>(g, load(p + 6 * lanes));
        h = extreme<greatest>(h, load(p + 7 * lanes));
      }
      int16_t* to = out[row] + x;
      store(to, a), store(to + lanes, b), store(to + 2 * lanes, c), store(to + 3 * lanes, d);
      store(to + 4 * lanes, e), store(to + 5 * lanes, f), store(to + 6 * lanes, g), store(to + 7 * lanes, h);
    }
  }
  for (; x < count; x += lanes) {
    for (int row = 0; row < rows; ++row) {
      const int16_t* const* tap = taps + row * tap_count;
      Vector a = load(tap[0] + x);
      for (int t = 1; t < tap_count; ++t) a = extreme<greatest>(a, load(tap[t] + x));
      store(out[row] + x, a);
    }
  }
}

static const Kernels kernels = {
    import_row,
    subtract_row,
    {double_rows<false>, double_rows<true>},
    {widen_row<false>, widen_row<true>},
    {cover_rows<false>, cover_rows<true>},
};
