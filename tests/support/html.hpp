// SPDX-License-Identifier: Apache-2.0
// A page read back: strict about what this project writes, blind to the rest of HTML.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace relulift::test {

struct Tag {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // up to the next tag
};

// The opening tags of a page in which every element is closed in its order, every attribute is
// quoted and no id is used twice; throws for any other.
inline std::vector<Tag> tags_of(const std::string& html) {
  std::vector<Tag> tags;
  std::vector<std::string> open;
  std::set<std::string> ids;
  const auto fail = [&](const std::string& why, std::size_t where) {
    throw std::runtime_error(why + ": " + html.substr(where, 80));
  };
  for (std::size_t k = html.find('<'); k != std::string::npos; k = html.find('<', k)) {
    const std::size_t begin = k++;
    if (html.compare(k, 8, "!DOCTYPE") == 0) continue;
    const bool closing = html[k] == '/';
    if (closing) ++k;
    const std::size_t end_of_name = html.find_first_of(" />", k);
    Tag tag{html.substr(k, end_of_name - k), {}, {}};
    k = end_of_name;
    while (html[k] == ' ') {
      const std::size_t equals = html.find_first_of("=>", ++k);
      if (html[equals] != '=' || html[equals + 1] != '"') fail("attribute without quotes", begin);
      const std::size_t quote = html.find('"', equals + 2);
      const std::string name = html.substr(k, equals - k);
      const std::string value = html.substr(equals + 2, quote - equals - 2);
      if (name == "id" && !ids.insert(value).second) fail("id used twice", begin);
      if (!tag.attributes.emplace(name, value).second) fail("attribute used twice", begin);
      k = quote + 1;
    }
    const bool empty = html[k] == '/';
    if (empty) ++k;
    if (html[k] != '>') fail("broken tag", begin);
    const std::size_t next = std::min(html.find('<', k), html.size());
    tag.text = html.substr(k + 1, next - k - 1);
    if (closing) {
      if (open.empty() || open.back() != tag.name) fail("closed out of order", begin);
      open.pop_back();
      continue;
    }
    if (!empty && tag.name != "meta") open.push_back(tag.name);
    tags.push_back(std::move(tag));
  }
  if (!open.empty()) throw std::runtime_error("not closed: " + open.back());
  return tags;
}

inline std::size_t count_class(const std::vector<Tag>& tags, const std::string& name,
                               const std::string& word) {
  std::size_t count = 0;
  for (const Tag& tag : tags) {
    const auto css = tag.attributes.find("class");
    std::istringstream words(css == tag.attributes.end() ? "" : css->second);
    for (std::string each; words >> each;) count += tag.name == name && each == word;
  }
  return count;
}

}  // namespace relulift::test
