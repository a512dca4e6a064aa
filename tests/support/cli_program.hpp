// SPDX-License-Identifier: Apache-2.0
// Programs over activation patterns run from the command line on bundled data, into folder r.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {

using Json = nlohmann::json;
using Row = std::vector<double>;

inline std::string bundled(const std::string& name) {
  const char* folder = std::getenv("RELULIFT_DATA");
  if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
  return (fs::path(folder) / name).string();
}

inline const std::string kSpiral = "--targets y0,y1,y2 --weight-decay 0.1 --out r ";
inline const std::string kIris = "--target species --weight-decay 0.1 --out r ";
inline const std::vector<std::string> kSpecies{"setosa", "versicolor", "virginica"};

class CliProgram : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Outcome spiral(const std::string& more) {
    return run("train " + bundled("spiral.csv") + " " + kSpiral + more);
  }
  Outcome iris(const std::string& more) {
    return run("train " + bundled("iris_train.csv") + " " + kIris + more);
  }
  Json result() { return Json::parse(content_of(folder / "r/result.json")); }
  std::string bytes() { return content_of(folder / "r/model.safetensors"); }
  TemporaryFolder folder;
};

}  // namespace relulift::test
