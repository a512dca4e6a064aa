// SPDX-License-Identifier: Apache-2.0
// Text for HTML and SVG, and the axes of a drawing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relulift {

// Safe as the content of an element and as a quoted attribute, in HTML and SVG: markup becomes
// references; broken UTF-8, control characters and those that turn the direction of writing become
// U+FFFD.
std::string escaped(std::string_view text);

// Names of a user's file, escaped and apart from the direction of writing around them.
std::string name_html(std::string_view text);

// At most `characters` of UTF-8, the last an ellipsis where some were cut. Not escaped.
std::string shortened(std::string_view text, std::size_t characters);
// Characters as a reader counts them, about.
std::size_t width_of(std::string_view text);

// From a value to its share of the length of the axis, kept within [0, 1].
class Axis {
 public:
  enum class Scale { linear, logarithmic };
  // Logarithmic: 0 < low. An empty range is widened.
  Axis(double low, double high, Scale scale);

  double share(double value) const;
  // Round values within the range, about `most`.
  std::vector<double> ticks(int most) const;
  Scale scale() const { return scale_; }

 private:
  double low_, high_;
  Scale scale_;
};

// A coordinate: one decimal, which is a tenth of a pixel.
std::string at(double value);

// <title> and <desc> with the attributes that tie them to the drawing; `id` is unique in the page.
std::string svg_open(const std::string& id, const std::string& attributes, const std::string& title,
                     const std::string& description);

}  // namespace relulift
