// SPDX-License-Identifier: Apache-2.0
#include "src/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <relulift/error.hpp>
#include <set>

#include "src/io/file.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

using Json = nlohmann::json;

// Entries are copied byte by byte as the host holds them.
static_assert(std::numeric_limits<double>::is_iec559 && std::numeric_limits<float>::is_iec559);
static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kLongestHeader = 100'000'000;  // the limit of the reference implementation

struct Entry {
  std::string name;
  std::size_t width = 0;  // bytes of one number
  std::vector<Index> shape;
  std::size_t begin = 0, end = 0;
};

// nlohmann keeps the last of two equal keys without a word, and nested input may be deep.
Json parse_header(std::string_view text, const std::string& source) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 4) throw InvalidInput(source + ": the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw InvalidInput(fmt::format("{}: the header names {} twice", source,
                                     in_quotes(value.get<std::string>())));
    return true;
  };
  try {
    // nlohmann ends at a NUL, whatever follows.
    const bool whole = text.find('\0') == std::string_view::npos;
    Json header = Json::parse(text, check);
    if (whole && header.is_object()) return header;
  } catch (const Json::exception&) {
  }
  throw InvalidInput(source + ": the header is not a JSON object; this is no safetensors file");
}

// Splits into header and tensor bytes.
std::pair<std::string_view, std::string_view> split(std::string_view bytes,
                                                    const std::string& source) {
  if (bytes.starts_with("PK\x03\x04"))
    throw InvalidInput(source + ": is a PyTorch archive; save it with safetensors.torch.save_file");
  std::uint64_t length = 0;
  if (bytes.size() < 8) throw InvalidInput(source + ": is too short for a safetensors file");
  for (std::size_t k = 8; k-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[k]);
  if (length > kLongestHeader || length > bytes.size() - 8)
    throw InvalidInput(fmt::format(
        "{}: announces a header of {} bytes in a file of {}; this is no safetensors file", source,
        length, bytes.size()));
  return {bytes.substr(8, length), bytes.substr(8 + length)};
}

std::size_t number_width(const Json& dtype, const std::string& where) {
  if (dtype == "F64") return 8;
  if (dtype == "F32") return 4;
  throw InvalidInput(fmt::format("{} has the dtype {}; F64 and F32 are read", where,
                                 in_quotes(dtype.is_string() ? dtype.get<std::string>() : "")));
}

// width times the product of the shape, or no value when it overflows.
std::optional<std::size_t> tensor_bytes(std::size_t width, const std::vector<Index>& shape) {
  std::size_t bytes = width;
  for (const Index size : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(size), &bytes)) return std::nullopt;
  return bytes;
}

Entry read_entry(const std::string& name, const Json& value, std::size_t available,
                 const std::string& source) {
  const std::string where = fmt::format("{}: tensor {}", source, in_quotes(name));
  const auto sizes = [&](const char* key) -> const Json& {
    const auto at = value.is_object() ? value.find(key) : value.end();
    if (!value.is_object() || at == value.end() || !at->is_array() || at->size() > 8 ||
        !std::all_of(at->begin(), at->end(), [](const Json& size) {
          return size.is_number_unsigned() && size.get<std::uint64_t>() < (1ULL << 62);
        }))
      throw InvalidInput(fmt::format("{} has no valid {}", where, key));
    return *at;
  };
  Entry entry{.name = name, .width = 0, .shape = {}};
  const Json& offsets = sizes("data_offsets");
  for (const Json& size : sizes("shape")) entry.shape.push_back(size.get<Index>());
  entry.width = number_width(value.value("dtype", Json()), where);
  if (offsets.size() != 2) throw InvalidInput(where + " has no valid data_offsets");
  entry.begin = offsets[0].get<std::size_t>();
  entry.end = offsets[1].get<std::size_t>();
  if (entry.begin > entry.end || entry.end > available)
    throw InvalidInput(fmt::format("{} is said to stand at bytes {} to {} of {}", where,
                                   entry.begin, entry.end, available));
  if (tensor_bytes(entry.width, entry.shape) != entry.end - entry.begin)
    throw InvalidInput(fmt::format("{} has {} bytes, which do not fit its shape [{}]", where,
                                   entry.end - entry.begin, fmt::join(entry.shape, ", ")));
  return entry;
}

void check_layout(std::vector<Entry> entries, std::size_t available, const std::string& source) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      throw InvalidInput(fmt::format("{}: tensor {} {}", source, in_quotes(entry.name),
                                     entry.begin < at ? "overlaps another" : "follows a gap"));
    at = entry.end;
  }
  if (at != available)
    throw InvalidInput(fmt::format("{}: {} bytes belong to no tensor", source, available - at));
}

template <class T>
void widen(std::string_view bytes, std::vector<double>& entries) {
  for (std::size_t k = 0; k < entries.size(); ++k) {
    T value;
    std::memcpy(&value, bytes.data() + k * sizeof(T), sizeof(T));
    entries[k] = value;
  }
}

Tensor read_tensor(const Entry& entry, std::string_view bytes, const std::string& source) {
  const std::size_t count = (entry.end - entry.begin) / entry.width;
  check_fits_memory(source, "tensor " + in_quotes(entry.name), 8.0 * static_cast<double>(count));
  Tensor tensor{.shape = entry.shape, .entries = std::vector<double>(count)};
  const auto part = bytes.substr(entry.begin, entry.end - entry.begin);
  if (entry.width == 8)
    widen<double>(part, tensor.entries);
  else
    widen<float>(part, tensor.entries);
  for (const double value : tensor.entries)
    if (!std::isfinite(value))
      throw InvalidInput(fmt::format("{}: tensor {} holds an entry that is not finite", source,
                                     in_quotes(entry.name)));
  return tensor;
}

std::map<std::string, std::string> read_metadata(const Json& value, const std::string& source) {
  std::map<std::string, std::string> metadata;
  const bool strings =
      value.is_object() &&
      std::all_of(value.begin(), value.end(), [](const Json& entry) { return entry.is_string(); });
  if (!strings) throw InvalidInput(source + ": __metadata__ does not map strings to strings");
  for (const auto& [key, entry] : value.items()) metadata[key] = entry.get<std::string>();
  return metadata;
}

}  // namespace

std::string safetensors_header(const std::map<std::string, TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t end = at + 8 * tensor.entries.size();
    header[name] = {{"dtype", "F64"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string bytes;
  for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>(text.size() >> (8 * k) & 0xFF);
  return bytes + text;
}

std::string_view bytes_of(std::span<const double> entries) {
  return {reinterpret_cast<const char*>(entries.data()), entries.size_bytes()};
}

std::string safetensors_bytes(const Safetensors& content) {
  std::map<std::string, TensorView> views;
  std::size_t size = 0;
  for (const auto& [name, tensor] : content.tensors) {
    views[name] = {tensor.shape, tensor.entries};
    size += 8 * tensor.entries.size();
  }
  std::string bytes = safetensors_header(views, content.metadata);
  bytes.reserve(bytes.size() + size);
  for (const auto& [name, tensor] : views) bytes += bytes_of(tensor.entries);
  return bytes;
}

Safetensors parse_safetensors(std::string_view bytes, const std::string& source) {
  const auto [text, data] = split(bytes, source);
  const Json header = parse_header(text, source);
  Safetensors content;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      content.metadata = read_metadata(value, source);
    else
      entries.push_back(read_entry(name, value, data.size(), source));
  }
  check_layout(entries, data.size(), source);
  for (const Entry& entry : entries) content.tensors[entry.name] = read_tensor(entry, data, source);
  return content;
}

}  // namespace relulift::io
