#pragma once

#include <functional>

namespace package_audit {

// A long loop calls its Pulse now and then with how far it is, 0 to 1. The Pulse throws when the
// work is no longer wanted, so loops need no other way out. The analysis knows nothing of the host:
// the plugin makes a Pulse from the host's heartbeat, the tests pass one that counts.
using Pulse = std::function<void(double progress)>;

}  // namespace package_audit
