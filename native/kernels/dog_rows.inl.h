// Row kernels of the difference of Gaussians, included once per target: no include guard, no std:: inside. The including
// namespace defines `vector_bytes`, the width of the target's vectors.

constexpr int lanes = vector_bytes / sizeof(float);

template <typename T, int width>
struct VectorOf {
  typedef T type __attribute__((vector_size(width * sizeof(T))));
  // The same where nothing is known of its address; reading through it compiles to an unaligned memory operand.
  typedef T unaligned __attribute__((vector_size(width * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <typename T, int width>
using Vector = typename VectorOf<T, width>::type;
template <typename T, int width>
using Unaligned = typename VectorOf<T, width>::unaligned;

// Pixels one by one in a list: g++ 12 makes one widening load of that, but many shuffles of __builtin_convertvector.
template <typename T, int... lane>
static inline __attribute__((always_inline)) Vector<int32_t, sizeof...(lane)> widened(const T* from, Lanes<lane...>) {
  return Vector<int32_t, sizeof...(lane)>{from[lane]...};
}

template <int width, typename T>
static inline __attribute__((always_inline)) Vector<Sum<T>, width> load(const T* from) {
  if constexpr (sizeof(T) == sizeof(Sum<T>)) {
    return *reinterpret_cast<const Unaligned<T, width>*>(from);
  } else {
    return widened(from, LanesOf<width>());
  }
}

template <int width>
static inline __attribute__((always_inline)) void store(float* to, Vector<float, width> value) {
  *reinterpret_cast<Unaligned<float, width>*>(to) = value;
}

template <int width, typename V>
static inline __attribute__((always_inline)) Vector<float, width> as_float(V value) {
  return __builtin_convertvector(value, Vector<float, width>);
}

// Calls `body<vectors, width>(x)` for all of [0, count), `blocks` vectors at a time, then vector by vector. The last vector may
// overlap the one before, which writes the same once more, so that nothing beyond `count` is touched.
template <int blocks, typename Body>
static inline __attribute__((always_inline)) void for_columns(int count, Body body) {
  int x = 0;
  for (; x + blocks * lanes <= count; x += blocks * lanes) body.template operator()<blocks, lanes>(x);
  for (; x + lanes <= count; x += lanes) body.template operator()<1, lanes>(x);
  if (x == count) return;
  if (count > lanes) {
    body.template operator()<1, lanes>(count - lanes);
  } else {
    for (; x < count; ++x) body.template operator()<1, 1>(x);
  }
}

// Along z: both Gaussians of one row of every plane. `later` are the same columns of the row that will be needed next, which
// the hardware does not fetch ahead of time, since rows lie pages apart.
template <typename T>
static void blend_planes(const T* const* rows, const Axis& axis, float* __restrict narrow, float* __restrict wide, int count) {
  const int low = axis.low, high = axis.high;
  const float* const narrow_weights = axis.narrow.data();
  const float* const wide_weights = axis.wide.data();
  for_columns<2>(count, [=]<int vectors, int width>(int x) __attribute__((always_inline)) {
    Vector<Sum<T>, width> center[vectors];
    Vector<float, width> a[vectors], b[vectors];
    for (int v = 0; v < vectors; ++v) {
      center[v] = load<width>(rows[low] + x + v * width) + load<width>(rows[high] + x + v * width);
      a[v] = b[v] = 0.5f * as_float<width>(center[v]);
    }
    for (int j = 0; j < low; ++j) {
      const T* before = rows[low - 1 - j] + x;
      const T* after = rows[high + 1 + j] + x;
      for (int v = 0; v < vectors; ++v) {
        const auto pair = load<width>(before + v * width) + load<width>(after + v * width);
        const auto beyond = as_float<width>(pair - center[v]);
        a[v] = a[v] + narrow_weights[j] * beyond;
        b[v] = b[v] + wide_weights[j] * beyond;
      }
    }
    for (int v = 0; v < vectors; ++v) {
      store<width>(narrow + x + v * width, a[v]);
      store<width>(wide + x + v * width, b[v]);
    }
  });
}

// Along y: one Gaussian of two rows. Every tap of the second is also one of the first, so each row is read once for both.
static void blend_rows(const float* const* rows, int low, int high, const float* weights, float* __restrict first, float* __restrict second,
                       int count) {
  for_columns<2>(count, [=]<int vectors, int width>(int x) __attribute__((always_inline)) {
    Vector<float, width> first_center[vectors], second_center[vectors], a[vectors], b[vectors], lower[vectors], upper[vectors];
    for (int v = 0; v < vectors; ++v) {
      const int at = x + v * width;
      lower[v] = load<width>(rows[low] + at);
      upper[v] = load<width>(rows[high + 1] + at);
      first_center[v] = lower[v] + load<width>(rows[high] + at);
      second_center[v] = load<width>(rows[low + 1] + at) + upper[v];
      a[v] = 0.5f * first_center[v];
      b[v] = 0.5f * second_center[v];
    }
    for (int j = 0; j < low; ++j) {
      const float weight = weights[j];
      const float* before = rows[low - 1 - j] + x;
      const float* after = rows[high + 2 + j] + x;
      for (int v = 0; v < vectors; ++v) {
        const auto lowest = load<width>(before + v * width), uppermost = load<width>(after + v * width);
        a[v] = a[v] + weight * ((lowest + upper[v]) - first_center[v]);
        b[v] = b[v] + weight * ((lower[v] + uppermost) - second_center[v]);
        lower[v] = lowest;
        upper[v] = uppermost;
      }
    }
    for (int v = 0; v < vectors; ++v) {
      store<width>(first + x + v * width, a[v]);
      store<width>(second + x + v * width, b[v]);
    }
  });
}

// Along x: one Gaussian of the columns from `from` on.
template <int vectors, int width>
static inline __attribute__((always_inline)) void blend_columns(const float* from, int low, int high, const float* weights,
                                                                Vector<float, width>* sums) {
  Vector<float, width> center[vectors];
  for (int v = 0; v < vectors; ++v) {
    center[v] = load<width>(from + low + v * width) + load<width>(from + high + v * width);
    sums[v] = 0.5f * center[v];
  }
  for (int j = 0; j < low; ++j) {
    for (int v = 0; v < vectors; ++v) {
      const auto pair = load<width>(from + low - 1 - j + v * width) + load<width>(from + high + 1 + j + v * width);
      sums[v] = sums[v] + weights[j] * (pair - center[v]);
    }
  }
}

// Both Gaussians along x, and what of their difference is above rounding. Result x needs columns x to x + axis.size - 1.
static void subtract_columns(const float* __restrict narrow, const float* __restrict wide, const Axis& axis, float* __restrict out, int count) {
  const int low = axis.low, high = axis.high;
  const float* const narrow_weights = axis.narrow.data();
  const float* const wide_weights = axis.wide.data();
  for_columns<4>(count, [=]<int vectors, int width>(int x) __attribute__((always_inline)) {
    Vector<float, width> a[vectors], b[vectors];
    blend_columns<vectors, width>(narrow + x, low, high, narrow_weights, a);
    blend_columns<vectors, width>(wide + x, low, high, wide_weights, b);
    for (int v = 0; v < vectors; ++v) {
      const Vector<float, width> difference = a[v] - b[v], magnitude = a[v] < 0.0f ? -a[v] : a[v];
      store<width>(out + x + v * width, difference > rounding * magnitude ? difference : Vector<float, width>{});
    }
  });
}

template <typename T>
static const Kernels<T> kernels = {blend_planes<T>, blend_rows, subtract_columns};
