// Vectors of pixels, included once per target: no include guard. The including namespace defines `vector_bytes`, the width of the
// target's vectors.

template <typename K>
struct VectorOf {
  typedef K type __attribute__((vector_size(vector_bytes)));
  // The same where nothing is known of its address; reading through it compiles to an unaligned memory operand.
  typedef K unaligned __attribute__((vector_size(vector_bytes), aligned(sizeof(K)), may_alias));
};
template <typename K>
using Vector = typename VectorOf<K>::type;
template <typename K>
using Unaligned = typename VectorOf<K>::unaligned;
template <typename K>
constexpr int lanes = vector_bytes / sizeof(K);

template <bool greatest, typename V>
static inline __attribute__((always_inline)) V extreme(V a, V b) {
  return greatest ? (a > b ? a : b) : (a < b ? a : b);
}

template <typename K>
static inline __attribute__((always_inline)) Vector<K> load(const K* from) {
  return *reinterpret_cast<const Unaligned<K>*>(from);
}

template <typename K>
static inline __attribute__((always_inline)) void store(K* to, Vector<K> value) {
  *reinterpret_cast<Unaligned<K>*>(to) = value;
}
