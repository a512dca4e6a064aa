// SPDX-License-Identifier: Apache-2.0
// Numbers in words for people.
#pragma once

#include <relulift/problem.hpp>
#include <string>

namespace relulift {

enum class Rounding { down, nearest, up };

// `value` with this many significant digits, rounded as asked: 2.5247, 1.2e-05.
std::string significant(double value, int digits, Rounding rounding);

// Enough digits to tell objective and bound of this relative gap apart.
int digits_for(double gap);

// 12,345.
std::string count_words(Index count);

// For tables and axes: at most `digits` significant ones, no zeros at the end, 1.2·10⁻⁵ for what is
// very small or large, "–" for what does not exist.
std::string figure(double value, int digits = 5);

// 0.26 %, rounded up: of gaps.
std::string percent(double share);

// 0.34 s, 12.5 s, 5 min 12 s, 2 h 3 min.
std::string duration(double seconds);

}  // namespace relulift
