// The row kernels of the illumination's correction, included once per target: no include guard, no std:: inside. The including
// namespace defines `vector_bytes`, the width of the target's vectors.

constexpr size_t lanes = vector_bytes / sizeof(double);
typedef double Doubles __attribute__((vector_size(lanes * sizeof(double))));
typedef int32_t Integers __attribute__((vector_size(lanes * sizeof(int32_t))));
// The same where nothing is known of its address.
typedef double UnalignedDoubles __attribute__((vector_size(lanes * sizeof(double)), aligned(sizeof(double)), may_alias));
template <typename T>
struct PixelsOf {
  typedef T type __attribute__((vector_size(lanes * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <typename T>
using Pixels = typename PixelsOf<T>::type;

static inline __attribute__((always_inline)) Doubles load(const double* from) {
  return *reinterpret_cast<const UnalignedDoubles*>(from);
}

// Integers take the way of int32, for which every instruction set has conversions.
template <typename T>
static inline __attribute__((always_inline)) Doubles widened(const T* from) {
  const Pixels<T> pixels = *reinterpret_cast<const Pixels<T>*>(from);
  if constexpr (sizeof(T) == sizeof(float)) {
    return __builtin_convertvector(pixels, Doubles);
  } else {
    return __builtin_convertvector(__builtin_convertvector(pixels, Integers), Doubles);
  }
}

// Stores the nearest values of the pixel type. Every operation is one that IEEE 754 rounds correctly, so all targets agree.
template <typename T>
static inline __attribute__((always_inline)) void store_nearest(Doubles values, T* to) {
  // The bounds are values of the type, so that they change no result that is within them.
  const Doubles least = lowest<T> - Doubles{}, most = greatest<T> - Doubles{};
  values = values > least ? values : least;
  values = values < most ? values : most;
  Pixels<T>& out = *reinterpret_cast<Pixels<T>*>(to);
  if constexpr (sizeof(T) == sizeof(float)) {
    // What is too small for a float may round to -0; adding 0 makes that 0, and changes nothing else.
    out = __builtin_convertvector(values, Pixels<T>) + 0.0f;
  } else {
    // From 2^52 on a float64 has no fraction, so the addition rounds it off, half to even as all arithmetic.
    out = __builtin_convertvector(__builtin_convertvector((values + 0x1p52) - 0x1p52, Integers), Pixels<T>);
  }
}

template <typename T>
static inline __attribute__((always_inline)) void correct_lanes(const T* source, const double* flatfield, const double* background,
                                                                double scaling, T* out) {
  const Doubles back = load(background);
  store_nearest<T>((widened(source) - back) / (load(flatfield) - back) * scaling, out);
}

// The same where the background is 0, without reading so many zeros.
template <typename T>
static inline __attribute__((always_inline)) void divide_lanes(const T* source, const double* flatfield, double scaling, T* out) {
  store_nearest<T>(widened(source) / load(flatfield) * scaling, out);
}

template <typename T>
static void correct_row(const T* source, const double* flatfield, const double* background, double scaling, T* out, size_t count) {
  size_t x = 0;
  if (background) {
    for (; x + lanes <= count; x += lanes) correct_lanes(source + x, flatfield + x, background + x, scaling, out + x);
  } else {
    for (; x + lanes <= count; x += lanes) divide_lanes(source + x, flatfield + x, scaling, out + x);
  }
  if (x == count) return;
  // The last pixels go through the same arithmetic, beside others that are thrown away.
  const size_t left = count - x;
  T pixels[lanes] = {};
  double flat[lanes] = {}, back[lanes] = {};
  __builtin_memcpy(pixels, source + x, left * sizeof(T));
  __builtin_memcpy(flat, flatfield + x, left * sizeof(double));
  if (background) __builtin_memcpy(back, background + x, left * sizeof(double));
  correct_lanes(pixels, flat, back, scaling, pixels);
  __builtin_memcpy(out + x, pixels, left * sizeof(T));
}
