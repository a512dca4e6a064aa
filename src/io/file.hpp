// SPDX-License-Identifier: Apache-2.0
// Whole files in and out of memory, with errors that name the path.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <string_view>

namespace relulift::io {

// Throws FileError for what is no readable regular file, InvalidInput for what is empty or larger
// than the free memory. `most`: no more than so many bytes from its start.
std::string read_file(const Path& path, std::size_t most = std::string::npos);

// Throws InvalidInput "SOURCE: WHAT needs B bytes, M are free" before an allocation that cannot
// work.
void check_fits_memory(const std::string& source, const std::string& what, double bytes);

// An open file; closed on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // May report a late write error, by -1 and errno.
  int close();

 private:
  int fd_;
};

// A file that comes to stand at `path` with commit(), whole, and is not there without: it is
// written in parts under a temporary name in the same folder. Every failure throws FileError.
class NewFile {
 public:
  explicit NewFile(const Path& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void append(std::string_view content);
  void commit();

 private:
  Path path_;    // as the caller names it
  Path target_;  // through symbolic links
  Path temporary_;
  Descriptor file_;
  bool committed_ = false;
};

// The system's sentence for errno.
std::string system_message(int error);

}  // namespace relulift::io
