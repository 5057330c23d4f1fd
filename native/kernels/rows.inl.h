// Included once per target, so no include guard and no std:: inside. Row pointers are __restrict parameters: with
// captured or local pointers the compiler does not vectorise.

// Gathers 64 bytes that are 0 or 1 into bits, eight at a time: the multiplication moves byte i's bit to bit 56 + i.
static inline uint64_t pack_bits(const uint8_t* __restrict flags) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) {
    uint64_t eight;
    __builtin_memcpy(&eight, flags + 8 * i, 8);
    word |= ((eight * 0x0102040810204080ull) >> 56) << (8 * i);
  }
  return word;
}

template <typename T>
static inline void mask_flags(const T* __restrict row, T threshold, uint8_t* __restrict flags, size_t count) {
  for (size_t i = 0; i < count; ++i) flags[i] = row[i] > threshold ? 1 : 0;
}

// Of whole stretches the count is known where this is inlined, so that they are a few vectors. Below a threshold under 0 it may be
// true where nothing is above, which only costs a closer look.
template <typename T>
static inline bool any_above(const T* __restrict row, T threshold, size_t count) {
  T found = 0;
  for (size_t i = 0; i < count; ++i) found = found > row[i] ? found : row[i];
  return found > threshold;
}

template <typename T>
static inline __attribute__((always_inline)) uint64_t mask_word(const T* row, T threshold, size_t count) {
  uint8_t flags[64];
  if (count < 64) __builtin_memset(flags, 0, sizeof flags);
  mask_flags(row, threshold, flags, count);
  return pack_bits(flags);
}

// Rows of the planes at work have left the caches near the core since they were made. Where a branch depends on what is
// loaded, a wrong guess waits for memory, so that a row is asked for before its turn.
template <typename T>
static inline void fetch(const T* row) {
  const char* const bytes = reinterpret_cast<const char*>(row);
  for (size_t line = 0; line < 64 * sizeof(T); line += 64) __builtin_prefetch(bytes + line);
}

template <typename T>
static void mask_bits(const T* row, size_t count, T threshold, uint64_t* bits, const T* later) {
  size_t at = 0;
  for (; at + 64 <= count; at += 64) {
    fetch(later + at);
    bits[at / 64] = any_above(row + at, threshold, 64) ? mask_word(row + at, threshold, 64) : 0;
  }
  if (at < count) bits[at / 64] = mask_word(row + at, threshold, count - at);
}

template <typename T>
static void tiles_above(const T* row, size_t count, T threshold, uint8_t* flags) {
  size_t at = 0;
  for (; at + 64 <= count; at += 64)
    if (flags[at / 64] == 0 && any_above(row + at, threshold, 64)) flags[at / 64] = 1;
  if (at < count && any_above(row + at, threshold, count - at)) flags[at / 64] = 1;
}

template <typename T>
static inline void peak_flags(const T* __restrict row, const T* __restrict above, const T* __restrict below,
                              const T* __restrict left, const T* __restrict right, T threshold, uint8_t* __restrict flags, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const T across = above[i] > below[i] ? above[i] : below[i];
    const T beside = left[i] > right[i] ? left[i] : right[i];
    const T most = across > beside ? across : beside;
    flags[i] = (row[i] >= most) & (row[i] > threshold);
  }
}

template <typename T>
static inline __attribute__((always_inline)) uint64_t peak_word(const T* row, const T* above, const T* below, int left, int right,
                                                                size_t count, T threshold) {
  uint8_t flags[64];
  if (count < 64) __builtin_memset(flags, 0, sizeof flags);
  peak_flags(row, above, below, row - left, row + right, threshold, flags, count);
  return pack_bits(flags);
}

// Most stretches of a row have no voxel above the threshold; then the neighbours need not be looked at.
template <typename T>
static void peak_bits(const T* row, const T* above, const T* below, int left, int right, size_t count, T threshold, uint64_t* bits) {
  size_t at = 0;
  for (; at + 64 <= count; at += 64)
    if (bits[at / 64] != 0) bits[at / 64] = peak_word(row + at, above + at, below + at, left, right, 64, threshold);
  if (at < count && bits[at / 64] != 0)
    bits[at / 64] = peak_word(row + at, above + at, below + at, left, right, count - at, threshold);
}

// The bits of a float, so that the tests are the same integer operations on every target.
typedef uint32_t FloatBits __attribute__((may_alias));
constexpr uint32_t negative_zero = 0x80000000u, infinity = 0x7f800000u;

static inline bool any_unusual(const FloatBits* __restrict bits, size_t count) {
  uint32_t found = 0;
  for (size_t i = 0; i < count; ++i) found |= ((bits[i] & ~negative_zero) >= infinity) | (bits[i] == negative_zero);
  return found != 0;
}

static inline void clear_negative_zeros(FloatBits* __restrict bits, size_t count) {
  for (size_t i = 0; i < count; ++i) bits[i] = bits[i] == negative_zero ? 0 : bits[i];
}

static size_t find_not_finite(float* row, size_t count) {
  FloatBits* bits = reinterpret_cast<FloatBits*>(row);
  for (size_t at = 0; at < count; at += 64) {
    const size_t part = count - at < 64 ? count - at : 64;
    // Nearly always there is nothing to change, and memory that is not written need not be written back.
    if (!any_unusual(bits + at, part)) continue;
    clear_negative_zeros(bits + at, part);
    for (size_t i = at; i < at + part; ++i) {
      if ((bits[i] & ~negative_zero) >= infinity) return i;
    }
  }
  return count;
}
