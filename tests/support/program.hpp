// SPDX-License-Identifier: Apache-2.0
// Runs the program relulift as a user does: own process, own folder, captured output.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace relulift::test {

struct Outcome {
  int code = -1;  // exit code, or 128 + signal
  std::string out;
  std::string err;
};

class Program {
 public:
  // Starts `relulift arguments...` in `folder`. RELULIFT_PROGRAM names the program.
  Program(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
    const char* program = std::getenv("RELULIFT_PROGRAM");
    if (program == nullptr) throw std::runtime_error("RELULIFT_PROGRAM is not set");
    out_ = scratch();
    err_ = scratch();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      std::vector<char*> argv{const_cast<char*>(program)};
      for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      dup2(out_, STDOUT_FILENO);
      dup2(err_, STDERR_FILENO);
      if (chdir(folder.c_str()) == 0) execv(program, argv.data());
      _exit(127);
    }
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(out_);
    close(err_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const { kill(pid_, signal); }

  // Waits until `text` stands in standard error; false when the program ends before.
  bool wait_for_error_output(const std::string& text) {
    return wait_for([&] { return read_back(err_).find(text) != std::string::npos; });
  }
  // Waits until the file is there; false when the program ends before.
  bool wait_for_file(const std::filesystem::path& path) {
    return wait_for([&] { return std::filesystem::exists(path); });
  }

  Outcome wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    Outcome outcome{.code = 0, .out = read_back(out_), .err = read_back(err_)};
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
  }

 private:
  template <class Event>
  bool wait_for(Event event) const {
    while (!event()) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          info.si_pid != 0)
        return event();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  // An open file without a name.
  static int scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "relulift_out.XXXXXX").string();
    const int fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("no temporary file");
    unlink(name.c_str());
    return fd;
  }
  static std::string read_back(int fd) {
    struct stat info {};
    fstat(fd, &info);  // not lseek: the program writes at the same offset
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }

  int out_ = -1, err_ = -1;
  pid_t pid_ = -1;
};

// Blank-separated arguments.
inline Outcome run_program(const std::filesystem::path& folder, const std::string& arguments) {
  std::istringstream words(arguments);
  return Program(folder, {std::istream_iterator<std::string>(words), {}}).wait();
}

}  // namespace relulift::test
