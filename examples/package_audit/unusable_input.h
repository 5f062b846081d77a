#pragma once

#include <stdexcept>

namespace package_audit {

// What the task was given cannot be audited: a status file that is missing or garbled, a package
// that is not installed. what() is a sentence for people. Trying again does not help, so the plugin
// fails the step for good.
class UnusableInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace package_audit
