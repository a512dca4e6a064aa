// SPDX-License-Identifier: Apache-2.0
// The sections of a report page. Each returns HTML, with a sentence where there is nothing to show.
#pragma once

#include <string>

#include "src/report/page_data.hpp"

namespace relulift {

// The style sheet: light, dark and paper.
std::string page_style();

// Objective, lower bound and gap over the seconds of the run.
std::string progress_section(const PageData& page);

// What each method proved, and when.
std::string bounds_section(const PageData& page);

// Sizes and weights of the neurons.
std::string neurons_section(const PageData& page);

// The filter of a circular network and its weights.
std::string filters_section(const PageData& page);

// Confusion of classes, or prediction against target.
std::string fit_section(const PageData& page);

// What the network answers in the plane of two features.
std::string regions_section(const PageData& page);

// Data set, settings, times.
std::string settings_section(const PageData& page);

// Index of the colour and mark of class or output k: there are eight.
inline int tone(Index k) { return static_cast<int>(k % 8); }
// The mark of class k around (x, y), about 2r wide.
std::string mark_svg(Index k, double x, double y, double r, const std::string& css);

}  // namespace relulift
