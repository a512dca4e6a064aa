// SPDX-License-Identifier: Apache-2.0
#include "src/io/input.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "src/io/file.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

class Inflater {
 public:
  Inflater(std::string_view bytes, const std::string& source) : rest_(bytes), source_(source) {
    constexpr int kGzip = 16;  // zlib's way to ask for the gzip format
    if (inflateInit2(&stream_, kGzip + MAX_WBITS) != Z_OK)
      throw InvalidInput(source + ": cannot be decompressed for lack of memory");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `out` as far as there is content; how many bytes it got, 0 at the end.
  std::size_t read(char* out, std::size_t size) {
    std::size_t got = 0;
    while (got < size && !finished_) {
      feed();
      const auto room = static_cast<uInt>(std::min(size - got, kMost));
      stream_.next_out = reinterpret_cast<Bytef*>(out + got);
      stream_.avail_out = room;
      const int state = inflate(&stream_, Z_NO_FLUSH);
      got += room - stream_.avail_out;
      if (state == Z_STREAM_END)
        next_member();
      else if (state == Z_BUF_ERROR && stream_.avail_in == 0 && rest_.empty())
        throw InvalidInput(source_ + ": ends within its gzip data");
      else if (state != Z_OK && state != Z_BUF_ERROR)
        throw InvalidInput(source_ + ": holds damaged gzip data");
    }
    return got;
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in 32 bits

  void feed() {
    if (stream_.avail_in != 0) return;
    stream_.avail_in = static_cast<uInt>(std::min(rest_.size(), kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    rest_.remove_prefix(stream_.avail_in);
  }
  // Members may follow each other, and zeros that fill up a block of a tape.
  void next_member() {
    feed();
    const std::string_view left(reinterpret_cast<const char*>(stream_.next_in), stream_.avail_in);
    finished_ = left.find_first_not_of('\0') == std::string_view::npos && rest_.empty();
    if (!finished_) inflateReset(&stream_);
  }

  z_stream stream_ = {};
  std::string_view rest_;
  const std::string& source_;
  bool finished_ = false;
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B"); }

std::string gunzip(std::string_view bytes, const std::string& source, double limit) {
  constexpr std::size_t kChunk = 1 << 18;
  const auto chunk = std::make_unique<char[]>(kChunk);
  std::size_t size = 0;
  Inflater counter(bytes, source);
  while (const std::size_t got = counter.read(chunk.get(), kChunk)) {
    size += got;
    if (static_cast<double>(size) > limit)
      throw InvalidInput(
          fmt::format("{}: decompressed it takes more memory than the {} that are "
                      "free",
                      source, human_bytes(limit)));
  }
  if (size == 0) throw InvalidInput(source + ": holds nothing but an empty gzip member");
  std::string content(size, '\0');
  Inflater(bytes, source).read(content.data(), size);
  return content;
}

std::string read_input(const Path& path) {
  std::string content = read_file(path);
  if (!is_gzip(content)) return content;
  content = gunzip(content, path.string(), static_cast<double>(available_memory_bytes()));
  if (is_gzip(content)) throw InvalidInput(path.string() + ": is compressed by gzip twice");
  return content;
}

}  // namespace relulift::io
