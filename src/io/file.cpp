// SPDX-License-Identifier: Apache-2.0
#include "src/io/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <relulift/error.hpp>
#include <relulift/system.hpp>
#include <system_error>

#include "src/io/text.hpp"

namespace relulift {
namespace io {

std::string system_message(int error) { return std::generic_category().message(error); }

void check_fits_memory(const std::string& source, const std::string& what, double bytes) {
  const auto free_bytes = static_cast<double>(available_memory_bytes());
  if (bytes > free_bytes)
    throw InvalidInput(fmt::format("{}: {} needs {} of memory, {} are free", source, what,
                                   human_bytes(bytes), human_bytes(free_bytes)));
}

int Descriptor::close() {
  const int result = fd_ < 0 ? 0 : ::close(fd_);
  fd_ = -1;
  return result;
}

namespace {
[[noreturn]] void fail(const Path& path, const char* doing) {
  throw FileError(
      fmt::format("{}: cannot be {} ({})", path.string(), doing, system_message(errno)));
}

void write_all(int fd, std::string_view content, const Path& path) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail(path, "written");
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
}
}  // namespace

std::string read_file(const Path& path, std::size_t most) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail(path, "opened");
  if (S_ISDIR(info.st_mode)) throw FileError(path.string() + ": is a folder, not a file");
  if (!S_ISREG(info.st_mode)) throw FileError(path.string() + ": is not a regular file");
  if (info.st_size == 0) throw InvalidInput(path.string() + ": is empty");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "opened");
  const std::size_t size = std::min(static_cast<std::size_t>(info.st_size), most);
  check_fits_memory(path.string(), "reading it", static_cast<double>(size));
  std::string content(size, '\0');
  std::size_t at = 0;
  while (at < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + at, content.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "read");
    if (got == 0) throw FileError(path.string() + ": became shorter while it was read");
    at += static_cast<std::size_t>(got);
  }
  return content;
}

namespace {
// Where a file written as `path` comes to stand: through symbolic links. rename() over a device
// such as /dev/null would replace the device.
Path target_of(const Path& path) {
  if (path.empty()) throw FileError("the output file has no name");
  std::error_code error;
  const Path target = std::filesystem::is_symlink(path, error)
                          ? std::filesystem::weakly_canonical(path, error)
                          : path;
  if (std::filesystem::is_symlink(path, error) && !std::filesystem::exists(path, error))
    throw FileError(path.string() + ": is a symbolic link that leads nowhere");
  if (!target.has_filename() || std::filesystem::is_directory(target, error))
    throw FileError(path.string() + ": is a folder, not a file");
  if (std::filesystem::exists(target, error) && !std::filesystem::is_regular_file(target, error))
    throw FileError(path.string() + ": is not a regular file");
  return target;
}

Path temporary_name(const Path& target) {
  return target.parent_path() / fmt::format(".{}.{}.tmp", target.filename().string(), ::getpid());
}
}  // namespace

NewFile::NewFile(const Path& path)
    : path_(path),
      target_(target_of(path)),
      temporary_(temporary_name(target_)),
      file_(
          ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666)) {
  if (file_.get() < 0) fail(path_, "written");
}

NewFile::~NewFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void NewFile::append(std::string_view content) { write_all(file_.get(), content, path_); }

void NewFile::commit() {
  if (::fsync(file_.get()) != 0 || file_.close() != 0) fail(path_, "written");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(path_, "written");
  committed_ = true;
}

}  // namespace io

std::string read_text(const Path& path) { return io::read_file(path); }

void check_writable(const Path& path) {
  const Path target = io::target_of(path);
  // The trailing dot tells a file in the place of the folder.
  const Path folder = target.has_parent_path() ? target.parent_path() / "." : Path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) io::fail(path, "written");
}

void write_file(const Path& path, std::string_view content) {
  io::NewFile file(path);
  file.append(content);
  file.commit();
}

}  // namespace relulift
