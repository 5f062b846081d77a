#pragma once

#include <string>

#include "base/clock.h"

namespace tasker::pipeline {

// Appends "2025-08-29T00:00:00.123456", UTC: upstream's rows carry no zone.
void AppendTimestamp(Time time, std::string& out);

}  // namespace tasker::pipeline
