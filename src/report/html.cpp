// SPDX-License-Identifier: Apache-2.0
#include "src/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace relulift {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  std::size_t length = 0;  // bytes
  std::uint32_t code = 0;  // 0: not well formed
};

// Of the first character of a text that is not empty.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {1, 0};
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return {1, 0};
    code = code << 6 | (byte(k) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {1, 0};
  return {length, code};
}

bool harmless(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n';
  if (code >= 0x7F && code < 0xA0) return false;
  const bool turns = code == 0x200E || code == 0x200F || code == 0x061C ||
                     (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return !turns && code != 0xFFFE && code != 0xFFFF;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.code == '&')
      out += "&amp;";
    else if (c.code == '<')
      out += "&lt;";
    else if (c.code == '>')
      out += "&gt;";
    else if (c.code == '"')
      out += "&quot;";
    else if (c.code == '\'')
      out += "&#39;";
    else
      out += harmless(c.code) ? text.substr(0, c.length) : kReplacement;
    text.remove_prefix(c.length);
  }
  return out;
}

std::string name_html(std::string_view text) { return "<bdi>" + escaped(text) + "</bdi>"; }

std::size_t width_of(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); text.remove_prefix(first_character(text).length)) ++count;
  return count;
}

std::string shortened(std::string_view text, std::size_t characters) {
  if (width_of(text) <= characters) return std::string(text);
  std::string out;
  for (std::size_t k = 0; k + 1 < characters; ++k) {
    const std::size_t length = first_character(text).length;
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out + "…";
}

Axis::Axis(double low, double high, Scale scale) : low_(low), high_(high), scale_(scale) {
  if (scale_ == Scale::logarithmic) {
    low_ = std::log10(low);
    high_ = std::log10(high);
  }
  const double least = 1e-9 * std::max({std::abs(low_), std::abs(high_), 1e-300});
  if (!(high_ - low_ > least)) {
    const double middle = 0.5 * (low_ + high_);
    const double reach = scale_ == Scale::linear && middle != 0.0 ? 0.05 * std::abs(middle) : 0.5;
    low_ = middle - reach;
    high_ = middle + reach;
  }
}

double Axis::share(double value) const {
  if (scale_ == Scale::logarithmic) {
    if (!(value > 0.0)) return 0.0;
    value = std::log10(value);
  }
  const double share = (value - low_) / (high_ - low_);
  return std::isnan(share) ? 0.0 : std::clamp(share, 0.0, 1.0);
}

std::vector<double> Axis::ticks(int most) const {
  std::vector<double> out;
  const double range = high_ - low_;
  if (scale_ == Scale::logarithmic && range >= 0.9) {
    const double step = std::max(1.0, std::ceil(range / most));
    const bool between = range < 0.5 * most;  // 1, 2, 5, 10
    for (double k = std::floor(low_); k <= high_ + 1e-9; k += step)
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1.0 && !between) continue;
        const double exponent = k + std::log10(factor);
        if (exponent >= low_ - 1e-9 && exponent <= high_ + 1e-9)
          out.push_back(factor * std::pow(10.0, k));
      }
    return out;
  }
  const bool logarithmic = scale_ == Scale::logarithmic;
  const double low = logarithmic ? std::pow(10.0, low_) : low_;
  const double high = logarithmic ? std::pow(10.0, high_) : high_;
  const double rough = (high - low) / most;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead <= 1.2 ? 1.0 : lead <= 2.4 ? 2.0 : lead <= 6.0 ? 5.0 : 10.0);
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && out.size() < 50;
       k += 1.0)
    out.push_back(k * step);
  return out;
}

std::string at(double value) { return fmt::format("{:.1f}", value); }

std::string svg_open(const std::string& id, const std::string& attributes, const std::string& title,
                     const std::string& description) {
  return fmt::format(
      "<svg role=\"img\" aria-labelledby=\"{0}-title {0}-desc\" {1}><title "
      "id=\"{0}-title\">{2}</title><desc id=\"{0}-desc\">{3}</desc>\n",
      id, attributes, escaped(title), escaped(description));
}

}  // namespace relulift
