// SPDX-License-Identifier: Apache-2.0
// Results as whole folders: written beside the target and swapped in by one rename, so that at
// every moment either the old or the new result stands there.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <relulift/error.hpp>
#include <relulift/io.hpp>

#include "src/io/file.hpp"
#include "src/io/text.hpp"

namespace relulift {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 8> kOwnFiles{"model.safetensors", "certificate.safetensors",
                                                    "report.html",       "result.json",
                                                    "trace.csv",         "path.csv",
                                                    "path.json",         "path.html"};
// Of a path: the folder of the model that was chosen.
constexpr std::string_view kOwnFolder = "best";

bool is_own(std::string_view name) {
  return std::find(kOwnFiles.begin(), kOwnFiles.end(), name) != kOwnFiles.end();
}

// Absolute, without symbolic links and without a trailing slash.
fs::path resolve(const Path& directory) {
  std::error_code error;
  fs::path full = fs::weakly_canonical(fs::absolute(directory), error);
  if (error) throw FileError(fmt::format("{}: {}", directory.string(), error.message()));
  if (!full.has_filename()) full = full.parent_path();
  return full;
}

bool is_result(const fs::path& path) {
  std::error_code error;
  constexpr std::uintmax_t kLongest = 10'000'000;
  if (const auto size = fs::file_size(path, error); error || size > kLongest) return false;
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("program", nlohmann::json()) == "relulift" &&
         json.contains("version");
}

bool holds_result(const fs::path& directory) {
  return is_result(directory / "result.json") || is_result(directory / "path.json");
}

// The name of something that no result holds; empty where there is none.
std::string foreign_in(const fs::path& directory, std::error_code& error) {
  std::string foreign;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_own(name) || !at->is_regular_file()) foreign = name;
  }
  return foreign;
}

void check_content(const fs::path& directory, const std::string& shown) {
  std::error_code error;
  bool empty = true;
  std::string foreign;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    empty = false;
    const std::string name = at->path().filename().string();
    if (name == kOwnFolder && at->symlink_status().type() == fs::file_type::directory) {
      if (const std::string within = foreign_in(at->path(), error); !within.empty())
        foreign = name + "/" + within;
    } else if (!is_own(name) || !at->is_regular_file()) {
      foreign = name;
    }
  }
  if (error) throw FileError(fmt::format("{}: {}", shown, error.message()));
  if (empty) return;
  if (!holds_result(directory))
    throw InvalidInput(shown + ": exists and holds no relulift result; it is not replaced");
  if (!foreign.empty())
    throw InvalidInput(fmt::format("{}: holds {} besides a relulift result; it is not replaced",
                                   shown, io::in_quotes(foreign)));
}

// The nearest folder above that exists must allow writing.
void check_parent(const fs::path& directory, const std::string& shown) {
  fs::path above = directory.parent_path();
  std::error_code error;
  while (!fs::exists(above, error) && above.has_relative_path()) above = above.parent_path();
  if (!fs::is_directory(above, error))
    throw FileError(fmt::format("{}: {} is not a folder", shown, above.string()));
  if (::access(above.c_str(), W_OK | X_OK) != 0)
    throw FileError(fmt::format("{}: cannot be written ({})", shown, io::system_message(errno)));
}

void sync_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

// Puts `fresh` in the place of `target`, which may be absent; afterwards `fresh` is the old one.
void swap_in(const fs::path& fresh, const fs::path& target, const std::string& shown) {
  const bool exists = fs::exists(target);
  const unsigned flags = exists ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  int failed = ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), flags);
  // Some file systems know no flags. rename() replaces an empty folder; so the old files go first.
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    for (const auto name : kOwnFiles) {
      ::unlink((target / kOwnFolder / name).c_str());
      ::unlink((target / name).c_str());
    }
    ::rmdir((target / kOwnFolder).c_str());
    failed = ::rename(fresh.c_str(), target.c_str());
  }
  if (failed != 0)
    throw FileError(fmt::format("{}: cannot be written ({})", shown, io::system_message(errno)));
}

// Removes the folders from `lowest` up to `highest` that are empty; another run may have written
// into the others meanwhile. Nothing when `highest` is empty.
void remove_empty(fs::path lowest, const fs::path& highest) {
  std::error_code ignored;
  for (bool last = highest.empty(); !last; lowest = lowest.parent_path()) {
    fs::remove(lowest, ignored);
    last = lowest == highest;
  }
}

}  // namespace

void check_replaceable(const Path& directory) {
  const std::string shown = directory.string();
  if (shown.empty()) throw InvalidInput("the output folder has no name");
  const fs::path target = resolve(directory);
  std::error_code error;
  if (target == fs::current_path(error) || !target.has_relative_path())
    throw InvalidInput(shown + ": is the current folder; name one below it");
  if (fs::exists(target, error) && !fs::is_directory(target, error))
    throw InvalidInput(shown + ": exists and is not a folder");
  if (fs::is_directory(target, error)) check_content(target, shown);
  check_parent(target, shown);
}

void replace_directory(const Path& directory, const std::map<std::string, std::string>& files) {
  check_replaceable(directory);
  const fs::path target = resolve(directory);
  const fs::path parent = target.parent_path();
  fs::path made;  // topmost folder created on the way, removed again on failure
  for (fs::path above = parent; !fs::exists(above); above = above.parent_path()) made = above;
  const fs::path fresh = parent / fmt::format(".{}.{}.tmp", target.filename().string(), ::getpid());
  std::error_code error;
  try {
    fs::create_directories(fresh, error);
    if (error) throw FileError(fmt::format("{}: {}", directory.string(), error.message()));
    for (const auto& [name, content] : files) {
      if (Path(name).parent_path() == kOwnFolder) fs::create_directory(fresh / kOwnFolder, error);
      if (error) throw FileError(fmt::format("{}: {}", directory.string(), error.message()));
      write_file(fresh / name, content);
    }
    if (fs::exists(fresh / kOwnFolder, error)) sync_directory(fresh / kOwnFolder);
    sync_directory(fresh);
    swap_in(fresh, target, directory.string());
    sync_directory(parent);
  } catch (...) {
    fs::remove_all(fresh, error);
    remove_empty(parent, made);
    throw;
  }
  fs::remove_all(fresh, error);  // the old result, if there was one
}

}  // namespace relulift
