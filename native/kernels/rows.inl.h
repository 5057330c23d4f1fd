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

static inline bool any_set(const uint8_t* __restrict flags) {
  uint64_t all = 0;
  for (int i = 0; i < 8; ++i) {
    uint64_t eight;
    __builtin_memcpy(&eight, flags + 8 * i, 8);
    all |= eight;
  }
  return all != 0;
}

static inline void mask_flags(const uint16_t* __restrict row, uint16_t threshold, uint8_t* __restrict flags, size_t count) {
  for (size_t i = 0; i < count; ++i) flags[i] = row[i] > threshold ? 1 : 0;
}

static void mask_bits(const uint16_t* row, size_t count, uint16_t threshold, uint64_t* bits) {
  uint8_t flags[64];
  size_t at = 0;
  for (; at + 64 <= count; at += 64) {
    mask_flags(row + at, threshold, flags, 64);
    bits[at / 64] = any_set(flags) ? pack_bits(flags) : 0;
  }
  if (at < count) {
    __builtin_memset(flags, 0, sizeof flags);
    mask_flags(row + at, threshold, flags, count - at);
    bits[at / 64] = pack_bits(flags);
  }
}

static inline void peak_flags(const uint16_t* __restrict row, const uint16_t* __restrict above,
                              const uint16_t* __restrict below, const uint16_t* __restrict before,
                              const uint16_t* __restrict after, const uint16_t* __restrict left,
                              const uint16_t* __restrict right, uint16_t threshold, uint8_t* __restrict flags,
                              size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t most = above[i] > below[i] ? above[i] : below[i];
    const uint16_t beside = left[i] > right[i] ? left[i] : right[i];
    const uint16_t across = before[i] > after[i] ? before[i] : after[i];
    most = most > beside ? most : beside;
    most = most > across ? most : across;
    flags[i] = (row[i] >= most) & (row[i] > threshold);
  }
}

static void peak_bits(const uint16_t* row, const uint16_t* above, const uint16_t* below, const uint16_t* before,
                      const uint16_t* after, int left, int right, size_t count, uint16_t threshold, uint64_t* bits) {
  uint8_t flags[64];
  for (size_t at = 0; at < count; at += 64) {
    const size_t part = count - at < 64 ? count - at : 64;
    if (part < 64) __builtin_memset(flags, 0, sizeof flags);
    // Most stretches of a row have no voxel above the threshold; then the neighbours need not be looked at.
    mask_flags(row + at, threshold, flags, part);
    if (!any_set(flags)) {
      bits[at / 64] = 0;
      continue;
    }
    peak_flags(row + at, above + at, below + at, before + at, after + at, row + at - left, row + at + right, threshold,
               flags, part);
    bits[at / 64] = pack_bits(flags);
  }
}
