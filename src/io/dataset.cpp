// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <relulift/error.hpp>
#include <relulift/io.hpp>

#include "src/io/file.hpp"
#include "src/io/idx.hpp"
#include "src/io/input.hpp"
#include "src/io/npy.hpp"
#include "src/io/npz.hpp"
#include "src/io/svm.hpp"
#include "src/io/table.hpp"

namespace relulift {

TargetKind Targets::kind() const {
  if (!label_column.empty()) return TargetKind::labels;
  if (!value_columns.empty() || !file.empty()) return TargetKind::values;
  return TargetKind::none;
}

Targets Schema::targets() const {
  if (kind == TargetKind::labels) return {.label_column = label_column};
  if (kind == TargetKind::values) return {.value_columns = outputs};
  return {};
}

bool Dataset::is_classification() const {
  if (schema.kind == TargetKind::labels) return true;
  if (outputs < 2) return false;
  for (Index i = 0; i < samples; ++i) {
    Index ones = 0;
    for (Index k = 0; k < outputs; ++k) {
      const double y = Y[static_cast<std::size_t>(i + k * samples)];
      if (y != 0.0 && y != 1.0) return false;
      ones += y == 1.0;
    }
    if (ones != 1) return false;
  }
  return true;
}

namespace {
// Formats that users try, with the way out.
void refuse_other_formats(std::string_view content, const std::string& source) {
  const auto starts = [&](std::string_view magic) {
    return content.substr(0, magic.size()) == magic;
  };
  if (io::is_zip(content))
    throw InvalidInput(source + ": is a ZIP archive within gzip; decompress it first");
  if (starts("PAR1")) throw InvalidInput(source + ": is a Parquet file; CSV and NPY are read");
  constexpr std::size_t kTarMagic = 257;  // where it stands
  if (content.size() > kTarMagic && content.substr(kTarMagic).starts_with("ustar"))
    throw InvalidInput(source + ": is a TAR archive; unpack it first");
  if (starts("\x89HDF")) throw InvalidInput(source + ": is an HDF5 file; CSV and NPZ are read");
}
}  // namespace

Dataset read_dataset(const Path& path, const Targets& targets, const Schema& like) {
  if (!targets.label_column.empty() + !targets.value_columns.empty() + !targets.file.empty() > 1)
    throw InvalidInput(
        "targets: name one label column, or numeric columns, or a file, not several");
  const std::string source = path.string();
  // By its path: a large archive is not held in memory.
  constexpr std::size_t kMagic = 4;
  if (io::is_zip(io::read_file(path, kMagic))) return io::read_npz_dataset(path, targets, like);
  const std::string content = io::read_input(path);
  refuse_other_formats(content, source);
  if (io::is_npy(content)) return io::read_array_dataset(content, source, targets, like);
  if (io::is_cifar(content, source)) return io::read_cifar_dataset(content, source, targets, like);
  if (io::is_idx(content)) return io::read_array_dataset(content, source, targets, like);
  if (io::is_svm(content)) return io::read_svm_dataset(content, source, targets, like);
  return io::read_csv_dataset(content, source, targets, like);
}

}  // namespace relulift
