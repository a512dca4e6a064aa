// SPDX-License-Identifier: Apache-2.0
// Small text functions that the readers share.
#pragma once

#include <optional>
#include <relulift/problem.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

// Without blanks and tabs at both ends.
std::string_view trim(std::string_view text);

// The whole of `text` as a finite number: blanks around and a leading '+' are allowed, anything
// else (empty, inf, nan, hexadecimal, trailing characters, overflow) is nullopt. What is too small
// for a double is zero. Independent of the locale.
std::optional<double> parse_number(std::string_view text);

// The whole of `text` as an integer.
std::optional<std::int64_t> parse_integer(std::string_view text);

bool valid_utf8(std::string_view text);

// 'text' for an error message: shortened, control characters and broken bytes replaced.
std::string in_quotes(std::string_view text);

// "12.3 MB": sizes in messages.
std::string human_bytes(double bytes);

// "a, b, c and 7 more".
std::string list_names(const std::vector<std::string>& names);

}  // namespace relulift::io
