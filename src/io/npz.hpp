// SPDX-License-Identifier: Apache-2.0
// NPZ archives: ZIP files, stored or deflated, with an entry NAME.npy for each array.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <string_view>
#include <vector>

struct zip;

namespace relulift::io {

// Told by the first bytes.
bool is_zip(std::string_view bytes);

class Npz {
 public:
  // Reads the directory of the archive. Throws InvalidInput unless it holds arrays.
  explicit Npz(const Path& path);
  ~Npz();
  Npz(const Npz&) = delete;
  Npz& operator=(const Npz&) = delete;

  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const;
  // The content of NAME.npy. Throws InvalidInput for what is encrypted, damaged, compressed in
  // another way, or too large: sizes are checked before anything is allocated.
  std::string read(const std::string& name) const;
  // "FILE, array 'NAME'", for messages.
  std::string place(const std::string& name) const;

 private:
  std::string source_;
  zip* archive_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace relulift::io
