// SPDX-License-Identifier: Apache-2.0
// Fields of result.json by their path ("problem.samples"), each with the sentence for what is
// wrong.
#pragma once

#include <nlohmann/json.hpp>
#include <relulift/problem.hpp>
#include <string>

namespace relulift {

class PageFields {
 public:
  using Json = nlohmann::json;
  PageFields(const Json& object, std::string source, std::string prefix = "")
      : object_(object), source_(std::move(source)), prefix_(std::move(prefix)) {}

  // Throws InvalidInput "SOURCE: field 'name' WHAT".
  [[noreturn]] void fail(const std::string& name, const std::string& what) const;

  const Json& at(const std::string& name) const;
  bool is_null(const std::string& name) const { return at(name).is_null(); }
  // Of an object.
  PageFields in(const std::string& name) const;

  double number(const std::string& name) const;         // not null
  double number_or_nan(const std::string& name) const;  // NaN for null
  Index count(const std::string& name) const;           // whole, at least 0
  bool flag(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::string text_or_empty(const std::string& name) const;  // "" for null

 private:
  const Json& object_;
  std::string source_, prefix_;
};

}  // namespace relulift
