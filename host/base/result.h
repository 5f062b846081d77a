#pragma once

#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace tasker {

// A value or the Error that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  T& value() {
    CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    CHECK(has_value());
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;

inline Status Ok() { return std::monostate{}; }

}  // namespace tasker

#define TASKER_JOIN2(a, b) a##b
#define TASKER_JOIN(a, b) TASKER_JOIN2(a, b)

// TRY(auto x, Expression()): binds the value, or returns the Error from this function.
#define TRY(lhs, expr) TASKER_TRY(lhs, expr, TASKER_JOIN(try_result_, __COUNTER__))
#define TASKER_TRY(lhs, expr, result) \
  auto result = (expr);               \
  if (!result) return result.error(); \
  lhs = *std::move(result)

// TRY_OK(Expression()): the same for a Status.
#define TRY_OK(expr)                                                      \
  do {                                                                    \
    if (auto try_status = (expr); !try_status) return try_status.error(); \
  } while (false)
