// SPDX-License-Identifier: Apache-2.0
#include "src/report/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace relulift {
namespace {

double rounded(double value, Rounding rounding) {
  if (rounding == Rounding::down) return std::floor(value);
  if (rounding == Rounding::up) return std::ceil(value);
  return std::round(value);
}

std::string without_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

std::string superscript(int exponent) {
  constexpr std::string_view kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

// Commas between groups of three digits before the point.
std::string grouped(const std::string& digits) {
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  std::string text = digits.substr(point);
  for (std::size_t k = point; k > first; --k) {
    if (k < point && (point - k) % 3 == 0) text.insert(text.begin(), ',');
    text.insert(text.begin(), digits[k - 1]);
  }
  return (first == 1 ? "−" : "") + text;
}

}  // namespace

std::string significant(double value, int digits, Rounding rounding) {
  if (value == 0.0 || !std::isfinite(value)) return fmt::format("{:g}", value);
  const int decimals = digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value))));
  const double unit = std::pow(10.0, decimals);
  const double shown = rounded(value * unit, rounding) / unit;
  if (!std::isfinite(shown) || std::abs(value) < 1e-4 || std::abs(value) >= 1e7)
    return fmt::format("{:.{}e}", std::isfinite(shown) ? shown : value, digits - 1);
  return fmt::format("{:.{}f}", shown, std::max(decimals, 0));
}

int digits_for(double gap) {
  return gap > 0.0 && std::isfinite(gap)
             ? std::clamp(2 + static_cast<int>(std::ceil(-std::log10(gap))), 4, 10)
             : 10;
}

std::string count_words(Index count) { return grouped(std::to_string(count)); }

std::string figure(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0.0 ? "∞" : "−∞";
  if (value == 0.0) return "0";
  const std::string scientific = fmt::format("{:.{}e}", value, digits - 1);
  const std::size_t mark = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(mark + 1));
  if (exponent < -4 || exponent >= 7)
    return grouped(without_zeros(scientific.substr(0, mark))) + "·10" + superscript(exponent);
  return grouped(without_zeros(fmt::format("{:.{}f}", value, std::max(digits - 1 - exponent, 0))));
}

std::string percent(double share) {
  if (std::isnan(share)) return "–";
  if (share <= 1e-8) return "0 %";
  return significant(100.0 * share, 2, Rounding::up) + " %";
}

std::string duration(double seconds) {
  if (std::isnan(seconds)) return "–";
  if (seconds < 0.001) return "below 1 ms";
  if (seconds < 1.0) return figure(1000.0 * seconds, 2) + " ms";
  if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<Index>(std::min(std::round(seconds), 1e15));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", count_words(whole / 3600), whole % 3600 / 60);
}

}  // namespace relulift
