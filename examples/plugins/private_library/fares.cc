#include "fares.h"

#include <cmath>

namespace fares {

int Price(double kilometres) { return 250 + static_cast<int>(std::lround(kilometres * 21)); }

}  // namespace fares
