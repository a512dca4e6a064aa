// SPDX-License-Identifier: Apache-2.0
#include "src/io/npz.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <relulift/error.hpp>

#include "src/io/file.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

constexpr std::string_view kEnding = ".npy";

std::string words_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string words = zip_error_strerror(&error);
  zip_error_fini(&error);
  return words;
}

std::vector<std::string> array_names(zip* archive, const std::string& source) {
  std::vector<std::string> names;
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  for (zip_int64_t k = 0; k < entries; ++k) {
    const char* const entry = zip_get_name(archive, static_cast<zip_uint64_t>(k), ZIP_FL_ENC_RAW);
    const std::string_view name = entry == nullptr ? "" : entry;
    if (name.ends_with(kEnding)) names.emplace_back(name.substr(0, name.size() - kEnding.size()));
  }
  if (names.empty())
    throw InvalidInput(source + ": is a ZIP archive without NPY arrays (a spreadsheet?)");
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw InvalidInput(fmt::format("{}: holds two arrays {}", source, in_quotes(*twice)));
  return names;
}

// Before anything of that size is allocated.
void check_entry(const zip_stat_t& entry, const std::string& where) {
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((entry.valid & kNeeded) != kNeeded) throw InvalidInput(where + ": states no size");
  if (entry.encryption_method != ZIP_EM_NONE) throw InvalidInput(where + ": is encrypted");
  const bool deflated = entry.comp_method == ZIP_CM_DEFLATE;
  if (!deflated && entry.comp_method != ZIP_CM_STORE)
    throw InvalidInput(
        fmt::format("{}: is compressed by method {}; stored and deflated ones are "
                    "read",
                    where, entry.comp_method));
  // Deflate spends two bits at least on a match of 258 bytes; the constant is for tiny entries.
  const double most = deflated ? 1032.0 * static_cast<double>(entry.comp_size) + 1e3
                               : static_cast<double>(entry.comp_size);
  if (static_cast<double>(entry.size) > most)
    throw InvalidInput(fmt::format("{}: is said to grow from {} to {} bytes, which is impossible",
                                   where, entry.comp_size, entry.size));
  check_fits_memory(where, "it", static_cast<double>(entry.size));
}

}  // namespace

bool is_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

Npz::Npz(const Path& path) : source_(path.string()) {
  int code = 0;
  archive_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive_ == nullptr)
    throw InvalidInput(fmt::format("{}: is a damaged ZIP archive ({})", source_, words_of(code)));
  try {
    names_ = array_names(archive_, source_);
  } catch (...) {
    zip_discard(archive_);
    throw;
  }
}

Npz::~Npz() { zip_discard(archive_); }

bool Npz::has(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::string Npz::place(const std::string& name) const {
  return fmt::format("{}, array {}", source_, in_quotes(name));
}

std::string Npz::read(const std::string& name) const {
  const std::string where = place(name), entry = name + std::string(kEnding);
  zip_stat_t stat;
  if (zip_stat(archive_, entry.c_str(), ZIP_FL_ENC_RAW, &stat) != 0)
    throw InvalidInput(where + ": is damaged");
  check_entry(stat, where);
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive_, stat.index, 0), zip_fclose);
  if (!file) throw InvalidInput(where + ": is damaged");
  std::string content(stat.size, '\0');
  std::size_t at = 0;
  zip_int64_t got = 1;
  while (at < content.size() && got > 0) {
    got = zip_fread(file.get(), content.data() + at, content.size() - at);
    at += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  // At the end the checksum is compared; one byte more would be one too many.
  char more = 0;
  if (at < content.size() || zip_fread(file.get(), &more, 1) != 0)
    throw InvalidInput(where + ": is damaged, or its size is not what the archive states");
  return content;
}

}  // namespace relulift::io
