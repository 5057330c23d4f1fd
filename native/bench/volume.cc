#include "bench/volume.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace somaflow::bench {

Volume<uint16_t> read_volume(const std::string& path, int32_t planes, int32_t rows) {
  std::ifstream file(path, std::ios::binary);
  uint8_t head[10] = {};
  file.read(reinterpret_cast<char*>(head), sizeof head);
  std::string header(head[8] + 256u * head[9], ' ');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  const size_t shape = header.find("'shape': (");
  Volume<uint16_t> volume;
  const bool known = file.good() && header.find("'<u2'") != std::string::npos && header.find("'fortran_order': False") != std::string::npos &&
                     shape != std::string::npos &&
                     std::sscanf(header.c_str() + shape, "'shape': (%d, %d, %d)", &volume.depth, &volume.height, &volume.width) == 3;
  if (!known) throw std::runtime_error(path + ": expected a (z, y, x) array of uint16 in C order");
  const int32_t left_out = std::max(0, volume.height - rows);
  volume.depth = std::min(volume.depth, planes);
  volume.height -= left_out;
  volume.voxels.resize(static_cast<size_t>(volume.depth) * volume.plane_voxels());
  const auto bytes = [&](int32_t count) { return static_cast<std::streamoff>(count) * volume.width * static_cast<std::streamoff>(sizeof(uint16_t)); };
  for (int32_t z = 0; z < volume.depth; ++z) {
    file.read(reinterpret_cast<char*>(volume.plane(z)), bytes(volume.height));
    if (z + 1 < volume.depth) file.seekg(bytes(left_out), std::ios::cur);
  }
  if (!file.good()) throw std::runtime_error(path + ": ends before its last plane");
  return volume;
}

uint16_t value_above_which(const Volume<uint16_t>& volume, double share) {
  std::vector<size_t> counts(65536);
  for (const uint16_t value : volume.voxels) ++counts[value];
  size_t above = 0;
  uint32_t value = 65535;
  while (value > 0 && static_cast<double>(above + counts[value]) <= share * static_cast<double>(volume.voxels.size())) above += counts[value--];
  return static_cast<uint16_t>(value);
}

}  // namespace somaflow::bench
