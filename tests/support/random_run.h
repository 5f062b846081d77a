#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflow/state.h"

namespace tasker::testing {

// What the command line of a random test says: --name N, each with its default. --seed is drawn
// where it is not given, and printed in any case.
class RandomRun final {
 public:
  // Takes its own arguments, after gtest took its.
  RandomRun(int argc, char** argv, std::map<std::string, std::uint64_t> defaults)
      : values_(std::move(defaults)) {
    values_.try_emplace("seed", std::random_device{}());
    for (int i = 1; i < argc; ++i) {
      const std::string_view name(argv[i]);
      const std::string_view text(i + 1 < argc ? argv[++i] : "");
      std::uint64_t value = 0;
      const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
      const auto known =
          name.starts_with("--") ? values_.find(std::string(name.substr(2))) : values_.end();
      if (known == values_.end() || text.empty() || read.ec != std::errc{}) {
        std::cerr << "unknown argument " << name << " " << text << "; there are:";
        for (const auto& [each, _] : values_) std::cerr << " --" << each << " N";
        std::cerr << "\n";
        valid_ = false;
        return;
      }
      known->second = value;
    }
    for (const auto& [each, number] : values_) std::cout << "--" << each << " " << number << " ";
    std::cout << "repeats this run\n";
  }

  bool valid() const { return valid_; }
  std::uint64_t operator[](const std::string& name) const { return values_.at(name); }

 private:
  std::map<std::string, std::uint64_t> values_;
  bool valid_ = true;
};

// Which moves of a transition table were seen.
template <typename State>
class Coverage final {
 public:
  using Move = std::pair<State, State>;

  void Add(const std::set<Move>& moves) { seen_.insert(moves.begin(), moves.end()); }
  void Add(State from, State to) {
    if (from != to) seen_.emplace(from, to);
  }

  const std::set<Move>& moves() const { return seen_; }

  // Prints what was hit. `all_of_it`: fails the test for each move of the table that was not.
  void Report(std::string_view what, int states, bool all_of_it) const {
    int all = 0;
    int hit = 0;
    std::string missing;
    for (int from = 0; from < states; ++from) {
      for (int to = 0; to < states; ++to) {
        const Move move(static_cast<State>(from), static_cast<State>(to));
        if (!CanMove(move.first, move.second)) continue;
        ++all;
        if (seen_.contains(move)) {
          ++hit;
          continue;
        }
        const std::string text =
            std::string(Name(move.first)) + " to " + std::string(Name(move.second));
        if (all_of_it) {
          ADD_FAILURE() << what << " transition never hit: " << text;
        }
        missing += (missing.empty() ? "; not: " : ", ") + text;
      }
    }
    std::cout << what << " transitions: " << hit << " of " << all << missing << "\n";
  }

 private:
  std::set<Move> seen_;
};

}  // namespace tasker::testing
