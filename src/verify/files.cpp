// SPDX-License-Identifier: Apache-2.0
#include "src/verify/files.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <relulift/error.hpp>

namespace relulift::verifier {
namespace {

using Json = nlohmann::json;
static_assert(std::endian::native == std::endian::little);

[[noreturn]] void fail(const std::string& clause) { throw InvalidInput(clause); }

std::string trimmed(std::string text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

double number(const std::string& cell) {
  std::string text = trimmed(cell);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.erase(0, 1);
  double value = 0.0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) value = std::strtod(text.c_str(), nullptr);
  if (text.empty() || stop != end || error == std::errc::invalid_argument || !std::isfinite(value))
    fail("it has the cell '" + text + "' where a number is needed");
  // What is too small for a double counts as zero.
  return error == std::errc() ? value : 0.0;
}

// RFC 4180, with LF, CR LF or CR; empty lines at the end are left out.
std::vector<std::vector<std::string>> records(std::string_view text) {
  std::vector<std::vector<std::string>> out;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t at = 0; at < text.size();) {
    std::vector<std::string>& fields = out.emplace_back();
    for (bool more = true; more;) {
      std::string& field = fields.emplace_back();
      if (at < text.size() && text[at] == '"') {
        for (++at;; ++at) {
          if (at >= text.size()) fail("it has a quoted field that is never closed");
          if (text[at] != '"') {
            field += text[at];
          } else if (at + 1 < text.size() && text[at + 1] == '"') {
            field += text[at++];
          } else {
            break;
          }
        }
        ++at;
      }
      while (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r')
        field += text[at++];
      more = at < text.size() && text[at] == ',';
      if (more) ++at;
    }
    if (text.substr(at).starts_with("\r\n")) ++at;
    ++at;
  }
  while (!out.empty() && out.back() == std::vector<std::string>{""}) out.pop_back();
  return out;
}

std::uint64_t whole(const Json& value) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 53;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost)
    fail("its header has a size that is none");
  return value.get<std::uint64_t>();
}

std::size_t position(const std::vector<std::string>& names, const std::string& name,
                     const char* what) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) fail(std::string("it has no ") + what + " '" + name + "'");
  return static_cast<std::size_t>(at - names.begin());
}

}  // namespace

std::string read_bytes(const Path& path) {
  std::error_code error;  // a folder can be opened, and throws when it is read
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, error)) file.open(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || bytes.empty())
    throw FileError(path.string() + ": cannot be read, or is empty");
  return bytes;
}

Safetensors read_safetensors(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < 8) fail("it is too short");
  std::memcpy(&length, bytes.data(), 8);
  if (length > bytes.size() - 8) fail("its header is longer than the file");
  const std::string_view text = bytes.substr(8, length), data = bytes.substr(8 + length);
  const Json header = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) fail("its header is no JSON object");
  Safetensors out;
  try {
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        out.metadata = value.get<std::map<std::string, std::string>>();
        continue;
      }
      const std::size_t width = value.at("dtype") == "F64" ? 8 : value.at("dtype") == "F32" ? 4 : 0;
      const std::uint64_t begin = whole(value.at("data_offsets").at(0));
      const std::uint64_t end = whole(value.at("data_offsets").at(1));
      if (width == 0 || begin > end || end > data.size())
        fail("its tensor " + name + " is damaged");
      Tensor& tensor = out.tensors[name];
      std::uint64_t size = width;
      bool fits = true;
      for (const Json& extent : value.at("shape")) {
        tensor.shape.push_back(static_cast<Index>(whole(extent)));
        fits = !__builtin_mul_overflow(size, whole(extent), &size) && fits;
      }
      if (!fits || size != end - begin) fail("its tensor " + name + " does not fit its shape");
      for (std::uint64_t k = 0; k < size / width; ++k) {
        double wide = 0.0;
        float narrow = 0.0F;
        if (width == 8)
          std::memcpy(&wide, data.data() + begin + 8 * k, 8);
        else
          std::memcpy(&narrow, data.data() + begin + 4 * k, 4);
        tensor.entries.push_back(width == 8 ? wide : narrow);
        if (!std::isfinite(tensor.entries.back())) fail("its tensor " + name + " is not finite");
      }
    }
  } catch (const Json::exception&) {
    fail("its header is not that of a safetensors file");
  }
  return out;
}

Table read_csv(std::string_view text, const Columns& columns) {
  const auto rows = records(text);
  if (rows.size() < 2) fail("it has no rows");
  std::vector<std::string> header;
  for (const std::string& name : rows[0]) header.push_back(trimmed(name));
  Table table;
  table.samples = static_cast<Index>(rows.size()) - 1;
  for (const auto& row : rows)
    if (row.size() != header.size()) fail("its rows are not equally long");
  const auto append = [&](std::vector<double>& out, const std::string& name, const char* what) {
    const std::size_t at = position(header, name, what);
    for (std::size_t i = 1; i < rows.size(); ++i) out.push_back(number(rows[i][at]));
  };
  for (const std::string& name : columns.features) append(table.X, name, "column");
  if (columns.label.empty()) {
    for (const std::string& name : columns.outputs) append(table.Y, name, "column");
    return table;
  }
  const std::size_t at = position(header, columns.label, "column");
  table.Y.assign(rows.size() * columns.outputs.size() - columns.outputs.size(), 0.0);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::size_t k = position(columns.outputs, trimmed(rows[i][at]), "known label");
    table.Y[i - 1 + k * (rows.size() - 1)] = 1.0;
  }
  return table;
}

}  // namespace relulift::verifier
