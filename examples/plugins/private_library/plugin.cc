// The plugin is the thin part: what it knows is in a library of its own, which it brings along.
#include <tasker/plugin.hpp>

#include "fares.h"

TASKER_PLUGIN("private_library_example", "1.0.0", plugin) {
  plugin.handler("fares.price", [](tasker::Call& call) {
    return tasker::JsonObject().set("cents", fares::Price(call.context()["km"].as<double>()));
  });
}
