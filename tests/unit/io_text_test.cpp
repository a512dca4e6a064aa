// SPDX-License-Identifier: Apache-2.0
// Numbers at and beyond the ends of what a double holds.
#include "src/io/text.hpp"

#include <gtest/gtest.h>

namespace relulift::io {
namespace {

std::string zeros(std::size_t count) { return std::string(count, '0'); }

TEST(ParseNumber, TooLargeIsNoNumber) {
  for (const std::string& text :
       {std::string("1.5e400"), std::string("-1.5e400"), std::string("+1E+309"),
        std::string("0.001e400"), std::string("1e99999999999999999999999"),
        std::string("1e9223372036854775807"), "1" + zeros(400), "-1" + zeros(400) + ".5",
        "0." + zeros(50) + "1e500", zeros(500) + "1e400", "1" + zeros(1000) + "e-400"})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(ParseNumber, TooSmallIsZero) {
  for (const std::string& text :
       {std::string("1e-400"), std::string("-1.5e-400"), std::string("9E-99999999999999999999"),
        std::string("1e-9223372036854775808"), "0." + zeros(400) + "1", "." + zeros(400) + "1",
        "1" + zeros(50) + "e-500", "0." + zeros(1000) + "1e+400"})
    EXPECT_EQ(parse_number(text), 0.0) << text;
}

TEST(ParseNumber, ZeroIsZeroHoweverItIsWritten) {
  for (const std::string& text :
       {std::string("0"), std::string("-0"), "0." + zeros(500), zeros(500) + "." + zeros(500),
        std::string("0e999"), std::string("0.000e-999")})
    EXPECT_EQ(parse_number(text), 0.0) << text;
}

// A far exponent and many digits may cancel.
TEST(ParseNumber, ManyDigitsAndAFarExponentMeetInTheMiddle) {
  EXPECT_EQ(parse_number("1" + zeros(400) + "e-400"), 1.0);
  EXPECT_EQ(parse_number("-25" + zeros(399) + "e-400"), -2.5);
  EXPECT_EQ(parse_number("0." + zeros(399) + "1e400"), 1.0);
  EXPECT_EQ(parse_number("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(parse_number("4.9406564584124654e-324"), std::numeric_limits<double>::denorm_min());
}

}  // namespace
}  // namespace relulift::io
