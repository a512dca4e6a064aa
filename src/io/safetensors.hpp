// SPDX-License-Identifier: Apache-2.0
// The safetensors format: 8 bytes header length, little-endian; a JSON object naming each tensor's
// dtype, shape and data_offsets, and the string map __metadata__; then the tensors without gaps.
#pragma once

#include <map>
#include <relulift/problem.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

struct Tensor {
  std::vector<Index> shape;
  std::vector<double> entries;  // row-major; float32 is widened
};

struct Safetensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// All tensors as F64; the header is padded with blanks to a multiple of 8 bytes.
std::string safetensors_bytes(const Safetensors& content);

// The same in parts, for content that is not to be copied: the header with its length, then the
// bytes of each tensor in the order of the map.
struct TensorView {
  std::vector<Index> shape;
  std::span<const double> entries;
};
std::string safetensors_header(const std::map<std::string, TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata);
std::string_view bytes_of(std::span<const double> entries);

// Validates everything before it allocates: lengths, JSON, duplicate names, dtypes, shapes,
// offsets, overlap, gaps, finite entries. Throws InvalidInput naming `source`.
Safetensors parse_safetensors(std::string_view bytes, const std::string& source);

}  // namespace relulift::io
