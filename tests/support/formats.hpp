// SPDX-License-Identifier: Apache-2.0
// Data files byte by byte, by their specifications and without the libraries that the readers use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace relulift::test {

// A number in so many bytes, the lowest first.
inline std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int k = 0; k < bytes; ++k) out += static_cast<char>(value >> (8 * k));
  return out;
}

inline std::string big(std::uint64_t value, int bytes) {
  const std::string reversed = little(value, bytes);
  return {reversed.rbegin(), reversed.rend()};
}

// The bytes of numbers as the machine holds them.
template <class T>
std::string raw_bytes(const std::vector<T>& entries) {
  return {reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(T)};
}

// NPY version 1.
inline std::string npy_file(const std::string& descr, const std::string& shape,
                            const std::string& entries, const std::string& fortran = "False") {
  const std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + little(header.size(), 2) + header + entries;
}

// IDX with the element type of this code.
inline std::string idx_file(int type, const std::vector<std::uint32_t>& shape,
                            const std::string& entries) {
  std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (const std::uint32_t size : shape) bytes += big(size, 4);
  return bytes + entries;
}

// CRC-32 of ISO 3309, bit by bit.
inline std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (crc & 1U ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

// A deflate stream (RFC 1951) of stored blocks.
inline std::string deflate_stored(const std::string& bytes) {
  constexpr std::size_t kMost = 65535;
  std::string out;
  std::size_t at = 0;
  do {
    const std::string part = bytes.substr(at, kMost);
    at += part.size();
    out += std::string(1, at == bytes.size() ? '\1' : '\0') + little(part.size(), 2) +
           little(~part.size(), 2) + part;
  } while (at < bytes.size());
  return out;
}

// RFC 1952, one member.
inline std::string gzip_file(const std::string& bytes) {
  return std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10) + deflate_stored(bytes) +
         little(crc32_of(bytes), 4) + little(bytes.size(), 4);
}

// An entry of a ZIP file. What a hostile writer changes stands beside what belongs there.
struct ZipEntry {
  std::string name;
  std::string content = {};         // before compression
  int method = 0;                   // 0 stored, 8 deflated
  std::string packed = {};          // empty: made from the content
  std::uint64_t size = UINT64_MAX;  // stated; by default that of the content
  int flags = 0;                    // 1: encrypted
  std::uint32_t crc_error = 0;
};

// The ZIP file (APPNOTE 6.3, without the 64-bit fields) of these entries.
inline std::string zip_file(const std::vector<ZipEntry>& entries) {
  std::string files, directory;
  for (const ZipEntry& entry : entries) {
    const std::string packed = !entry.packed.empty() ? entry.packed
                               : entry.method == 8   ? deflate_stored(entry.content)
                                                     : entry.content;
    const std::uint64_t size = entry.size == UINT64_MAX ? entry.content.size() : entry.size;
    const std::string common =
        little(20, 2) + little(static_cast<unsigned>(entry.flags), 2) +
        little(static_cast<unsigned>(entry.method), 2) + little(0, 2) + little(33, 2) +
        little(crc32_of(entry.content) ^ entry.crc_error, 4) + little(packed.size(), 4) +
        little(size, 4) + little(entry.name.size(), 2) + little(0, 2);
    directory += "PK\x01\x02" + little(20, 2) + common + std::string(10, '\0') +
                 little(files.size(), 4) + entry.name;
    files += "PK\x03\x04" + common + entry.name + packed;
  }
  return files + directory + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) +
         little(entries.size(), 2) + little(directory.size(), 4) + little(files.size(), 4) +
         little(0, 2);
}

}  // namespace relulift::test
