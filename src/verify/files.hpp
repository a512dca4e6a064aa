// SPDX-License-Identifier: Apache-2.0
// The verifier's own readers. Content that cannot be used throws InvalidInput with one clause.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <relulift/io.hpp>

namespace relulift::verifier {

// Throws FileError.
std::string read_bytes(const Path& path);

std::string sha256(std::string_view bytes);  // in hexadecimal

struct Tensor {
  std::vector<Index> shape;
  std::vector<double> entries;  // row-major
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

// F64 and F32. The header is `bytes` from 8 on.
Safetensors read_safetensors(std::string_view bytes);

// What a table is asked for, by the names of its columns.
struct Columns {
  std::vector<std::string> features;
  std::string label;                 // empty: numeric targets
  std::vector<std::string> outputs;  // classes, or columns
};

struct Table {
  Index samples = 0;
  std::vector<double> X, Y;  // column-major; labels one-hot
};

Table read_csv(std::string_view text, const Columns& columns);

}  // namespace relulift::verifier
