#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace tasker::plugin {

// What a plugin was given and did not give back.
struct Ledger {
  struct Tokens {
    std::size_t running = 0;  // of attempts that did not end
    std::size_t ended = 0;    // ended, and start() did not return or the token was not released
  };
  std::map<std::string, Tokens> tokens;  // by handler id
  std::size_t buffers = 0;               // replies of the host's extensions, not released

  bool empty() const { return tokens.empty() && buffers == 0; }
  // "2 unfinished attempts and 1 unreleased token of handler 'a', 3 unreleased buffers", for
  // people.
  std::string ToString() const;
};

}  // namespace tasker::plugin
