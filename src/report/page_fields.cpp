// SPDX-License-Identifier: Apache-2.0
#include "src/report/page_fields.hpp"

#include <fmt/format.h>

#include <limits>
#include <relulift/error.hpp>

namespace relulift {

void PageFields::fail(const std::string& name, const std::string& what) const {
  throw InvalidInput(fmt::format("{}: field '{}{}' {}", source_, prefix_, name, what));
}

const PageFields::Json& PageFields::at(const std::string& name) const {
  const auto found = object_.find(name);
  if (found == object_.end()) fail(name, "is missing");
  return *found;
}

PageFields PageFields::in(const std::string& name) const {
  const Json& value = at(name);
  if (!value.is_object()) fail(name, "is not an object");
  return {value, source_, prefix_ + name + "."};
}

double PageFields::number(const std::string& name) const {
  const Json& value = at(name);
  if (!value.is_number()) fail(name, "is not a number");
  return value.get<double>();
}

double PageFields::number_or_nan(const std::string& name) const {
  const Json& value = at(name);
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) fail(name, "is neither a number nor null");
  return value.get<double>();
}

Index PageFields::count(const std::string& name) const {
  const Json& value = at(name);
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()))
    fail(name, "is not a whole number of at least 0");
  return value.get<Index>();
}

bool PageFields::flag(const std::string& name) const {
  const Json& value = at(name);
  if (!value.is_boolean()) fail(name, "is neither true nor false");
  return value.get<bool>();
}

std::string PageFields::text(const std::string& name) const {
  const Json& value = at(name);
  if (!value.is_string()) fail(name, "is not a text");
  return value.get<std::string>();
}

std::string PageFields::text_or_empty(const std::string& name) const {
  return is_null(name) ? std::string() : text(name);
}

}  // namespace relulift
