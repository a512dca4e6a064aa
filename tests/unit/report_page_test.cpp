// SPDX-License-Identifier: Apache-2.0
// The parts of a report page; cli_report_test.cpp has pages of whole runs.
#include <gtest/gtest.h>

#include <cmath>
#include <relulift/report_page.hpp>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"

namespace relulift::test {
namespace {

TEST(Html, MarkupOfAUserFileBecomesReferences) {
  EXPECT_EQ(escaped("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;");
  EXPECT_EQ(escaped("größe µ 重"), "größe µ 重");
}

TEST(Html, WhatIsNoTextBecomesAReplacementCharacter) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped(std::string("a\0b", 3)), "a" + bad + "b");
  EXPECT_EQ(escaped("a\x1B[2Jb"), "a" + bad + "[2Jb");
  EXPECT_EQ(escaped("\xC3("), bad + "(");               // a sequence cut short
  EXPECT_EQ(escaped("\xC0\xBC"), bad + bad);            // an overlong '<'
  EXPECT_EQ(escaped("\xED\xA0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(escaped("a\xE2\x80\xAE"
                    "b"),
            "a" + bad + "b");  // right-to-left override
}

TEST(Html, LongNamesAreCutBetweenCharacters) {
  EXPECT_EQ(shortened("größe", 5), "größe");
  EXPECT_EQ(shortened("größen", 5), "größ…");
}

TEST(Numbers, AreWrittenForPeople) {
  EXPECT_EQ(figure(1234567.0, 7), "1,234,567");
  EXPECT_EQ(figure(-1234.5), "−1,234.5");
  EXPECT_EQ(figure(0.1), "0.1");
  EXPECT_EQ(figure(999999.96, 7), "1,000,000");
  EXPECT_EQ(figure(1.25e-7, 3), "1.25·10⁻⁷");
  EXPECT_EQ(figure(3e12), "3·10¹²");
  EXPECT_EQ(figure(std::nan("")), "–");
  EXPECT_EQ(count_words(1000), "1,000");
  EXPECT_EQ(count_words(-999), "−999");
  EXPECT_EQ(percent(0.00257), "0.26 %");  // up
  EXPECT_EQ(percent(1e-12), "0 %");
  EXPECT_EQ(duration(0.0123), "12 ms");
  EXPECT_EQ(duration(34.04), "34.0 s");
  EXPECT_EQ(duration(312.0), "5 min 12 s");
  EXPECT_EQ(duration(7380.0), "2 h 3 min");
}

TEST(PageAxis, TicksAreRoundAndWithinTheRange) {
  EXPECT_EQ(Axis(0.0, 10.0, Axis::Scale::linear).ticks(5),
            (std::vector<double>{0.0, 2.0, 4.0, 6.0, 8.0, 10.0}));
  const auto decades = Axis(1e-3, 10.0, Axis::Scale::logarithmic).ticks(5);
  ASSERT_EQ(decades.size(), 5U);
  EXPECT_NEAR(decades[1], 1e-2, 1e-12);
  for (const auto& [low, high] : {std::pair(0.3, 0.31), {-5.0, 1e9}, {2.0, 2.0}, {0.0, 0.0}})
    for (const double tick : Axis(low, high, Axis::Scale::linear).ticks(4)) {
      const double share = Axis(low, high, Axis::Scale::linear).share(tick);
      EXPECT_GE(share, 0.0);
      EXPECT_LE(share, 1.0);
    }
}

TEST(PageAxis, SharesStayOnTheAxis) {
  const Axis axis(1.0, 100.0, Axis::Scale::logarithmic);
  EXPECT_NEAR(axis.share(10.0), 0.5, 1e-12);
  EXPECT_EQ(axis.share(0.0), 0.0);
  EXPECT_EQ(axis.share(1e9), 1.0);
  EXPECT_EQ(axis.share(std::nan("")), 0.0);
}

}  // namespace
}  // namespace relulift::test
