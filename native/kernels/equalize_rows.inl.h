// Included once per target, so no include guard and no std:: inside. Row pointers are __restrict parameters: with
// captured or local pointers the compiler does not vectorise. Every value is computed by the same operations, wherever it is
// in a row.

// The percentile of a row of centers: of two levels and two rows of each, first along z, then along y.
static void mix_centers(const double* __restrict near, const double* __restrict near_next, const double* __restrict far,
                        const double* __restrict far_next, double z_weight, double y_weight, double* __restrict mixed, int count) {
  for (int i = 0; i < count; ++i) {
    const double here = near[i] * (1 - z_weight) + far[i] * z_weight;
    const double next = near_next[i] * (1 - z_weight) + far_next[i] * z_weight;
    mixed[i] = here * (1 - y_weight) + next * y_weight;
  }
}

// Both percentiles of neighbouring voxels that take from the same two centers; the lower one is at least 1.
static void mix_voxels(double low, double low_next, double high, double high_next, const double* __restrict weights,
                       double* __restrict lows, double* __restrict highs, int count) {
  for (int i = 0; i < count; ++i) {
    const double mixed = low * (1 - weights[i]) + low_next * weights[i];
    lows[i] = mixed > 1 ? mixed : 1;
    highs[i] = high * (1 - weights[i]) + high_next * weights[i];
  }
}

// Makes the lower percentiles into gains, and beside them the gains that lead to max_value. They are quotients of their own, taken or not:
// in one loop with the choice, compilers divide behind a branch. Where the percentile is 0 the quotient is not taken.
static void invert(double* __restrict lows, const double* __restrict highs, double max_value, double* __restrict most, int count) {
  for (int i = 0; i < count; ++i) {
    lows[i] = 1 / lows[i];
    most[i] = max_value / highs[i];
  }
}

// Adding 0 makes -0 into 0, which the least negative floats come down to.
template <typename T>
static void apply_gains(const T* __restrict voxels, const double* __restrict gains, const double* __restrict highs,
                        const double* __restrict most, double max_value, float* __restrict out, int count) {
  for (int i = 0; i < count; ++i) {
    const double boosted = highs[i] * gains[i], gain = gains[i], limit = most[i];
    out[i] = static_cast<float>(static_cast<double>(voxels[i]) * (boosted > max_value ? limit : gain)) + 0.0f;
  }
}

template <typename T>
constexpr Kernels<T> kernels = {mix_centers, mix_voxels, invert, apply_gains<T>};
