#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tasker::pipeline {

// Appends "2025-08-29T00:00:00.123456", UTC: upstream's rows carry no zone.
void AppendTimestamp(Time time, std::string& out);

// The reverse. Takes a date and time with 0 to 6 decimals of a second, without a zone or with the
// one of UTC (Z, +00:00); kInvalid says what is wanted.
Result<Time> ParseTimestamp(std::string_view text);

}  // namespace tasker::pipeline
