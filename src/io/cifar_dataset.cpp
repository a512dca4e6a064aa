// SPDX-License-Identifier: Apache-2.0
// CIFAR-10's binary files: records of a label byte and 3 x 32 x 32 bytes of pixels, nothing else.
#include <fmt/format.h>

#include <relulift/error.hpp>

#include "src/io/idx.hpp"
#include "src/io/labels.hpp"
#include "src/io/table.hpp"

namespace relulift::io {
namespace {

constexpr std::size_t kPixels = 3 * 32 * 32;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr unsigned char kLastClass = 9;

bool whole_idx(std::string_view bytes) {
  if (!is_idx(bytes)) return false;
  try {
    idx_array(bytes, "");
  } catch (const InvalidInput&) {
    return false;
  }
  return true;
}

}  // namespace

bool is_cifar(std::string_view bytes, const std::string& source) {
  const std::string_view name = source;
  if (!name.ends_with(".bin") && !name.ends_with(".bin.gz")) return false;
  const bool records = bytes.size() % kRecord == 0;
  if (whole_idx(bytes)) {
    if (!records) return false;
    throw InvalidInput(source +
                       ": may be an IDX file or CIFAR-10 records; under a name without .bin at the "
                       "end it is read as IDX");
  }
  if (records) return true;
  if (bytes.find('\0') == std::string_view::npos) return false;  // text
  throw InvalidInput(
      fmt::format("{}: is named like CIFAR-10 data, and its {} bytes are no whole number of "
                  "records of {}",
                  source, bytes.size(), kRecord));
}

Dataset read_cifar_dataset(std::string_view bytes, const std::string& source,
                           const Targets& targets, const Schema& like) {
  const TargetKind kind = kind_of_label_column(source, "CIFAR-10 data", targets, like);
  const auto samples = bytes.size() / kRecord;
  for (std::size_t i = 0; i < samples; ++i)
    if (const auto label = static_cast<unsigned char>(bytes[i * kRecord]); label > kLastClass)
      throw InvalidInput(
          fmt::format("{}: record {} (from 0) has the label {}; those of CIFAR-10 are 0 to 9",
                      source, i, label));
  Dataset data = positional_features(static_cast<Index>(samples), kPixels, source, like);
  data.X = numbers_of(make_array(Element::u8, {data.samples, kRecord}, bytes, source), source);
  const auto pixels = data.X.begin() + data.samples;  // the first column holds the labels
  const std::vector<std::int64_t> labels(data.X.begin(), pixels);
  data.X.erase(data.X.begin(), pixels);
  if (kind == TargetKind::labels) set_integer_labels(data, kLabelColumn, labels, source, like);
  if (kind == TargetKind::values) {
    data.outputs = 1;
    data.Y.assign(labels.begin(), labels.end());
    data.schema.kind = kind;
    data.schema.outputs = {kLabelColumn};
  }
  return data;
}

}  // namespace relulift::io
